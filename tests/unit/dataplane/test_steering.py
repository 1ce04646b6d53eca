"""Two processes listen at one address: to which of them the kernel gives new connections."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.ports import free_ports

from crossgate.dataplane import steering
from crossgate.dataplane.steering import end_steering, listening_sockets, prepare_closing, steer

SERVER = """
import selectors, socket, sys
host, port, sockets, answer = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
ready = selectors.DefaultSelector()
for _ in range(sockets):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if ":" in host:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    one.bind((host, port))
    one.listen(100)
    ready.register(one, selectors.EVENT_READ)
print("listens", flush=True)
while True:
    for key, _ in ready.select():
        connection, _ = key.fileobj.accept()
        with connection:
            connection.sendall(answer.encode())
"""


class Servers:
    """Processes that answer every connection with their name."""

    def __init__(self, host: str, stack: ExitStack) -> None:
        self.host = host
        self.port = free_ports(1)[0]
        self._stack = stack

    def start(self, name: str, sockets: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", SERVER, self.host, str(self.port), str(sockets), name]
        server = self._stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
        self._stack.callback(server.kill)
        assert server.stdout is not None
        assert server.stdout.readline() == b"listens\n"
        return server

    def answers(self) -> Counter[bytes]:
        here = "::1" if ":" in self.host else "127.0.0.1"
        found = Counter[bytes]()
        for _ in range(60):
            with socket.create_connection((here, self.port), timeout=30) as connection:
                found[connection.recv(10)] += 1
        return found


@pytest.fixture(params=["127.0.0.1", "0.0.0.0", "::"])
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(request.param, stack)


@pytest.fixture(params=["with pidfd_getfd", "where the system forbids it"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_pid: int, _descriptor: int) -> socket.socket:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if request.param != "with pidfd_getfd":
        monkeypatch.setattr(steering, "_copy_of", forbidden)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (2, 2)])
def test_every_new_connection_goes_to_the_new_process(servers: Servers, before: int, after: int) -> None:
    old, new = servers.start("old", before), servers.start("new", after)
    [one, *_] = listening_sockets(new.pid)
    assert (one.host, one.port) == (servers.host, servers.port)

    assert len(steer(new.pid)) == 1
    assert servers.answers().keys() == {b"new"}
    prepare_closing(new.pid)
    assert servers.answers().keys() == {b"new"}
    old.kill()
    old.wait()
    assert servers.answers().keys() == {b"new"}
    end_steering(new.pid)
    assert servers.answers().keys() == {b"new"}


def test_afterwards_the_next_process_gets_some_until_it_is_steered_to(servers: Servers) -> None:
    old, new = servers.start("old", 2), servers.start("new", 2)
    steer(new.pid)
    prepare_closing(new.pid)
    old.kill()
    old.wait()
    end_steering(new.pid)
    third = servers.start("third", 2)
    # Of 60 connections none, or all, with a probability below 10**-17.
    assert servers.answers().keys() == {b"new", b"third"}
    steer(third.pid)
    assert servers.answers().keys() == {b"third"}


def test_a_process_alone_needs_no_steering(servers: Servers) -> None:
    alone = servers.start("alone", 2)
    assert steer(alone.pid) == []
    assert servers.answers().keys() == {b"alone"}
