"""The server the native services run on: framing, the log, and its end."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
from examples.natives.service import PortInUse, Service
from tests.native_services import OWN_CORS, ScriptedNative


@pytest.fixture
def native() -> Iterator[ScriptedNative]:
    with ScriptedNative() as service:
        yield service


def test_any_method_is_served_and_logged_with_its_headers(native: ScriptedNative) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", native.port)
    connection.putrequest("brew", "/base/status/418")
    connection.putheader("X-A", "1")
    connection.putheader("x-a", "2")
    connection.endheaders()
    assert connection.getresponse().status == 418
    connection.close()
    (seen,) = native.log.seen()
    assert (seen.method, seen.path) == ("brew", "/base/status/418")
    assert seen.header_lines("X-A") == ("1", "2")
    assert native.log.with_marker("status/418") == (seen,)
    native.log.clear()
    assert native.log.seen() == ()


def test_the_received_header_lines_come_back_in_order(native: ScriptedNative) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", native.port)
    connection.putrequest("GET", "/headers", skip_host=True, skip_accept_encoding=True)
    for name, value in (("Host", "x"), ("Origin", "http://a.example"), ("Origin", ""), ("origin", "é")):
        connection.putheader(name, value.encode("latin-1"))
    connection.endheaders()
    lines = json.loads(connection.getresponse().read())
    connection.close()
    assert lines == [["Host", "x"], ["Origin", "http://a.example"], ["Origin", ""], ["origin", "é"]]


@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_are_read_whole_and_the_connection_is_kept(native: ScriptedNative, chunked: bool) -> None:
    with httpx.Client() as client:
        for length in (0, 5, 100_000):
            body = b"x" * length
            content = iter([body[:3], body[3:]]) if chunked else body
            assert client.post(f"{native.url}/echo", content=content).content == body


def test_response_headers_are_those_requested(native: ScriptedNative) -> None:
    answer = httpx.get(f"{native.url}/x?header=X-A:1&header=X-A:2&cors&vary=Accept-Encoding,%20Accept")
    assert answer.headers.get_list("x-a") == ["1", "2"]
    assert answer.headers["vary"] == "Accept-Encoding, Accept"
    for name, value in OWN_CORS:
        assert answer.headers[name] == value


def test_head_has_the_length_and_no_body(native: ScriptedNative) -> None:
    with httpx.Client() as client:
        assert client.head(f"{native.url}/bytes/70").headers["content-length"] == "70"
        assert client.get(f"{native.url}/status/204").content == b""
        assert len(client.get(f"{native.url}/bytes/70").content) == 70


@pytest.mark.parametrize("path", ["/reset", "/truncated"])
def test_a_hang_up_is_not_a_response(native: ScriptedNative, path: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(native.url + path)


def test_stopping_ends_idle_and_waiting_connections() -> None:
    with ScriptedNative() as native, socket.create_connection(("127.0.0.1", native.port)) as idle:
        with httpx.Client(timeout=30) as client:
            client.get(native.url)
            waiting = socket.create_connection(("127.0.0.1", native.port))
            waiting.sendall(b"GET /slow?seconds=600 HTTP/1.1\r\nHost: x\r\n\r\n")
            stopping = threading.Thread(target=native.stop, daemon=True)
            stopping.start()
            stopping.join(10)
            assert not stopping.is_alive()
            waiting.close()
        idle.settimeout(10)
        assert idle.recv(1) == b""


def test_a_port_in_use_is_named(native: ScriptedNative) -> None:
    with pytest.raises(PortInUse, match=f"port {native.port}, for pets, is in use"):
        Service("pets", lambda _: pytest.fail("never called"), native.port)


def test_a_response_is_written_at_once(native: ScriptedNative) -> None:
    with socket.create_connection(("127.0.0.1", native.port)) as client:
        for _ in range(20):
            client.sendall(b"GET /bytes/70 HTTP/1.1\r\nHost: x\r\n\r\n")
            # A body that is written after the head arrives alone, and 40 ms later (delayed acknowledgement).
            _, _, body = client.recv(65536).partition(b"\r\n\r\n")
            assert len(body) == 70
