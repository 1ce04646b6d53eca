import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from crossgate.dataplane.checks import ListeningProcess, check_listen, listeners
from crossgate.diagnostics import Place

PLACE = Place(("gateway", "listen"), "gateway.yaml", 2, 11)


_LISTEN = """
import socket, sys
listener = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
# As Envoy listens: with SO_REUSEPORT a second one would be let in.
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
listener.bind((sys.argv[1], 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def listening(host: str) -> Iterator[tuple[int, int]]:
    """The process id and the port of another process that listens."""
    argv = [sys.executable, "-c", _LISTEN, host]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.pid, int(process.stdout.readline())
        process.communicate()


def test_a_free_port_is_free() -> None:
    assert check_listen("127.0.0.1", 0) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_taken_port_names_the_process(host: str) -> None:
    with listening("127.0.0.1") as (pid, port):
        diagnostic = check_listen(host, port, PLACE)
        name = Path(f"/proc/{pid}/comm").read_text().strip()

    assert diagnostic is not None
    assert diagnostic.message == f"port {port} is in use by {name} (pid {pid})"
    assert f"kill {pid}" in diagnostic.remedy
    assert diagnostic.place == PLACE
    assert diagnostic.found == f"{host}:{port}"


def test_a_port_of_this_process_is_not_to_be_killed() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        diagnostic = check_listen("127.0.0.1", listener.getsockname()[1])

    assert diagnostic is not None
    assert diagnostic.message.endswith("in use by this process: its admin API or its control plane")
    assert diagnostic.remedy == "Choose another port"


@pytest.mark.parametrize(
    ("held", "wanted"), [("127.0.0.1", "0.0.0.0"), ("0.0.0.0", "127.0.0.1"), ("::1", "::"), ("::", "::1")]
)
def test_a_port_that_the_own_envoy_holds_is_free_for_it(held: str, wanted: str) -> None:
    with listening(held) as (pid, port):
        assert check_listen(wanted, port, own_envoys=[pid]) is None
        assert check_listen(wanted, port, own_envoys=[os.getpid()]) is not None


def test_a_port_that_another_process_shares_with_the_own_envoy_is_taken() -> None:
    with listening("127.0.0.1") as (pid, port), closing(socket.socket()) as another:
        another.bind(("127.0.0.2", port))
        another.listen()
        assert check_listen("0.0.0.0", port, own_envoys=[pid]) is not None
        assert check_listen("127.0.0.1", port, own_envoys=[pid]) is None


def test_every_ipv6_address_leaves_ipv4_to_others() -> None:
    with listening("0.0.0.0") as (_, port):
        assert check_listen("::", port) is None


def test_the_port_is_free_again_when_its_connections_linger() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        with closing(socket.create_connection(("127.0.0.1", port))) as client:
            accepted, _ = listener.accept()
            accepted.close()  # the side that closes first keeps the port in TIME_WAIT
            assert client.recv(1) == b""

    assert check_listen("127.0.0.1", port) is None


def test_a_port_that_an_outgoing_connection_holds() -> None:
    """No process listens on it, so the remedy lists connections too, and a range without them."""
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as listener,
        closing(socket.create_connection(listener.getsockname())) as client,
    ):
        diagnostic = check_listen("127.0.0.1", client.getsockname()[1])

    assert diagnostic is not None
    assert diagnostic.code == "listen-port-taken"
    assert diagnostic.message.endswith("by another program, or an outgoing connection")
    assert "ss -tanp" in diagnostic.remedy
    assert "below 32768" in diagnostic.remedy


def test_an_address_of_another_machine() -> None:
    diagnostic = check_listen("192.0.2.1", 8080)

    assert diagnostic is not None
    assert diagnostic.code == "listen-not-here"


def test_a_name_is_not_guessed() -> None:
    diagnostic = check_listen("localhost", 8080)

    assert diagnostic is not None
    assert diagnostic.code == "listen-not-an-address"


def test_listeners_of_a_port() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        (holder,) = listeners(listener.getsockname()[1])

    assert holder == ListeningProcess(os.getpid(), Path("/proc/self/comm").read_text().strip())


def test_a_port_without_listeners() -> None:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        assert listeners(bound.getsockname()[1]) == ()
