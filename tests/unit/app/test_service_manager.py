"""The messages to systemd."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from crossgate.app.events import Event, NodeChanged, NodeServing, Restarting, RestartRefused
from crossgate.app.service_manager import STOPPING, notify_service_manager, notifying
from crossgate.dataplane.lifecycle_events import EnvoyExited, EnvoyStarted


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(str(tmp_path / "notify"))
    receiver.settimeout(10)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    return receiver


def test_events_become_states(manager: socket.socket) -> None:
    with manager:
        emitted: list[Event] = []
        emit = notifying(emitted.append)
        emit(NodeServing("edge"))
        assert manager.recv(4096).decode().splitlines() == ["READY=1", "STATUS=Node edge serves clients"]
        before = time.monotonic_ns() // 1000
        emit(Restarting())
        first, second, status = manager.recv(4096).decode().splitlines()
        assert first == "RELOADING=1"
        assert before <= int(second.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
        assert status.startswith("STATUS=Restarting")
        emit(RestartRefused(("no",)))
        assert manager.recv(4096).startswith(b"READY=1\nSTATUS=Restart refused")
        emit(NodeChanged(EnvoyStarted(7), "edge"))
        emit(NodeChanged(EnvoyExited("was killed by SIGKILL", ("a", "b")), "edge"))
        assert manager.recv(4096) == b"STATUS=Envoy was killed by SIGKILL"
        notify_service_manager(STOPPING)
        assert manager.recv(4096) == b"STOPPING=1"
        assert len(emitted) == 5


def test_an_abstract_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("")
        receiver.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + receiver.getsockname()[1:].decode())
        notify_service_manager("READY=1")
        assert receiver.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "relative", "/absent/socket"])
def test_without_a_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify_service_manager("READY=1")
