"""The access log of a real Envoy is rotated by its size, without the loss of a line."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of, live_gateway
from tests.live.telemetry.load import ANSWERED, send

from crossgate.catalogue.telemetry import AccessLog
from crossgate.dataplane.access_log_rotation import AccessLogRotation
from crossgate.policy import build_policy

pytestmark = pytest.mark.live

_REFUSED = ANSWERED[1]
_REQUESTS = 400
"""So many that Envoy writes a part at once: it collects 64 KiB, or lines of 10 s."""
_SIZE = 32 * 1024
_SECONDS = 30.0


def logging_to(gateway: LiveGateway, file: Path) -> None:
    pets = api("pets", 9, build_policy(allowed_origins=["https://app.example"], allowed_methods=["GET"]))
    catalogue = catalogue_of(gateway.port, [pets])
    gateway.publish(replace(catalogue, gateway=replace(catalogue.gateway, access_log=AccessLog(str(file)))))


def refuse(gateway: LiveGateway) -> None:
    asyncio.run(send(gateway.port, [_REFUSED] * _REQUESTS))


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def fill(gateway: LiveGateway, file: Path) -> None:
    """Let Envoy write more than the size at which the log is rotated."""
    refuse(gateway)
    wait_until(lambda: file.exists() and file.stat().st_size > _SIZE)


def rotation(gateway: LiveGateway, kept_files: int) -> AccessLogRotation:
    socket = gateway.envoy.settings.directory.admin_socket
    return AccessLogRotation(socket, max_bytes=_SIZE, kept_files=kept_files)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_no_line_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    with live_gateway() as gateway:
        logging_to(gateway, file)
        rotated = rotation(gateway, 9)
        for _ in range(3):
            fill(gateway, file)
            rotated.check()
        refuse(gateway)
    lines = [line for one in tmp_path.iterdir() for line in one.read_text().splitlines()]
    assert len(lines) == 4 * _REQUESTS
    assert {json.loads(line)["status"] for line in lines} == {403}
    assert names(tmp_path) == ["access.log", "access.log.1", "access.log.2", "access.log.3"]


def test_the_oldest_are_removed_and_a_small_one_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    file = tmp_path / "real" / "access.log"
    (tmp_path / "link.log").symlink_to(file)
    with live_gateway() as gateway:
        logging_to(gateway, tmp_path / "link.log")
        rotated = rotation(gateway, 2)
        for _ in range(3):
            fill(gateway, file)
            rotated.check()
            rotated.check()
    assert names(tmp_path / "real") == ["access.log", "access.log.1", "access.log.2"]


def test_a_file_that_another_program_renamed_is_opened_again(tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    with live_gateway() as gateway:
        logging_to(gateway, file)
        rotated = AccessLogRotation(gateway.envoy.settings.directory.admin_socket)
        fill(gateway, file)
        rotated.check()
        file.rename(tmp_path / "moved.log")
        rotated.check()
        fill(gateway, file)


def test_a_full_disk_stops_no_request(tmp_path: Path) -> None:
    (tmp_path / "access.log").symlink_to("/dev/full")
    with live_gateway() as gateway:
        logging_to(gateway, tmp_path / "access.log")
        refuse(gateway)
        rotation(gateway, 2).check()
        wait_until(lambda: gateway.stats("filesystem.write_failed")["filesystem.write_failed"] > 0)
        refuse(gateway)
    assert names(tmp_path) == ["access.log"]


def test_a_log_that_cannot_be_renamed_goes_on(tmp_path: Path) -> None:
    (tmp_path / "access.log.1" / "in the way").mkdir(parents=True)
    file = tmp_path / "access.log"
    with live_gateway() as gateway:
        logging_to(gateway, file)
        fill(gateway, file)
        rotation(gateway, 1).check()
        refuse(gateway)
    assert len(file.read_text().splitlines()) == 2 * _REQUESTS


def test_without_envoy_nothing_happens(tmp_path: Path) -> None:
    AccessLogRotation(tmp_path / "no.sock").check()
