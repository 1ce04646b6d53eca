import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crossgate.dataplane.checks import ListeningProcess, check_listen, listeners
from crossgate.diagnostics import Place

PLACE = Place(("gateway", "listen"), "gateway.yaml", 2, 11)


@pytest.fixture
def taken() -> Iterator[int]:
    # As Envoy listens: with SO_REUSEPORT a second one would be let in.
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_free_port_is_free() -> None:
    assert check_listen("127.0.0.1", 0) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_taken_port_names_the_process(taken: int, host: str) -> None:
    diagnostic = check_listen(host, taken, PLACE)

    assert diagnostic is not None
    me = Path("/proc/self/comm").read_text().strip()
    assert diagnostic.message == f"port {taken} is in use by {me} (pid {os.getpid()})"
    assert f"kill {os.getpid()}" in diagnostic.remedy
    assert diagnostic.place == PLACE
    assert diagnostic.found == f"{host}:{taken}"


def test_the_port_is_free_again_when_its_connections_linger() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        with closing(socket.create_connection(("127.0.0.1", port))) as client:
            accepted, _ = listener.accept()
            accepted.close()  # the side that closes first keeps the port in TIME_WAIT
            assert client.recv(1) == b""

    assert check_listen("127.0.0.1", port) is None


def test_an_address_of_another_machine() -> None:
    diagnostic = check_listen("192.0.2.1", 8080)

    assert diagnostic is not None
    assert diagnostic.code == "listen-not-here"


def test_a_name_is_not_guessed() -> None:
    diagnostic = check_listen("localhost", 8080)

    assert diagnostic is not None
    assert diagnostic.code == "listen-not-an-address"


def test_listeners_of_a_port(taken: int) -> None:
    (holder,) = listeners(taken)

    assert holder == ListeningProcess(os.getpid(), Path("/proc/self/comm").read_text().strip())


def test_a_port_without_listeners() -> None:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        assert listeners(bound.getsockname()[1]) == ()
