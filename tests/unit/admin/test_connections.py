"""Connections of clients that send slowly, never end or do not read; responses before the request ends."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.raw_http import RawRequest, connected, http1
from tests.unit.admin.entries import NEW, PETS, api_entry

from crossgate.app.http_connections import ConnectionLimits
from crossgate.service.tokens import InMemoryTokenStore
from crossgate.store import Store

_SECONDS = 20.0
LIVE = RawRequest("GET", "/live", (("Host", "localhost"),))
HALF_HEAD = b"GET /live HTTP/1.1\r\nHost: localhost\r\n"


@contextmanager
def serving(store: Store, limits: ConnectionLimits) -> Iterator[int]:
    """An admin API with these limits; its port."""
    with running_admin_api(store.catalogue, InMemoryTokenStore(), limits) as running:
        yield port_of(running)


def port_of(api: AdminApi) -> int:
    return int(api.url.rpartition(":")[2])


def ends(opened: socket.socket) -> bytes:
    """What the server sends before it closes the connection; fails if it does not within 20 s."""
    received = b""
    try:
        while piece := opened.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def test_half_heads_of_one_address_lock_nobody_out(store: Store) -> None:
    limits = ConnectionLimits(total=24, per_address=12)
    with serving(store, limits) as port, ExitStack() as stack:
        kept = stack.enter_context(http1(port))
        assert kept.send(LIVE).status == 200
        halves = []
        for _ in range(60):
            halves.append(stack.enter_context(connected(port)))
            halves[-1].sendall(HALF_HEAD)
            with http1(port) as other:
                assert other.send(LIVE).status == 200
        assert kept.send(LIVE).status == 200
        # The oldest are closed, and the newest are not: they may still send the rest.
        assert ends(halves[0]) == b""
        halves[-1].sendall(b"\r\n")
        assert halves[-1].recv(12) == b"HTTP/1.1 200"


def test_requests_in_progress_are_not_closed_for_others(store: Store) -> None:
    limits = ConnectionLimits(total=4, per_address=4)
    head = f"PUT {PETS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n".encode()
    with running_admin_api(store.catalogue, store.tokens, limits) as api, ExitStack() as stack:
        # The fixture's own clients hold no connection: they have sent nothing.
        secret = str(api.editor.headers["Authorization"]).encode()
        head += b"If-None-Match: *\r\nAuthorization: " + secret + b"\r\n\r\n"
        busy = [stack.enter_context(http1(port_of(api))) for _ in range(4)]
        for one in busy:
            one.push(head)
            time.sleep(0.1)
        with http1(port_of(api)) as fifth:
            refused = fifth.send(LIVE)
        assert (refused.status, refused.all("Retry-After")) == (503, ["5"])
        assert "admin-busy" in refused.text
        for one in busy:
            assert one.send_raw("{}").status == 422


def test_head_sent_byte_by_byte_is_timed_out(store: Store) -> None:
    with serving(store, ConnectionLimits(head=0.5)) as port, connected(port) as opened:
        opened.settimeout(0.05)
        deadline = time.monotonic() + _SECONDS
        received = b""
        for byte in HALF_HEAD + b"X-Padding: " + b"x" * 1000:
            try:
                opened.sendall(bytes([byte]))
                piece = opened.recv(65536)
            except TimeoutError:
                assert time.monotonic() < deadline
                continue
            except ConnectionError:
                break
            received += piece
            if not piece:
                break
        else:
            pytest.fail("the head was never timed out")
    assert received.startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_connection_without_a_request_is_closed(store: Store) -> None:
    with serving(store, ConnectionLimits(head=0.3)) as port, connected(port) as opened:
        assert ends(opened) == b""


def test_idle_connection_may_wait_longer_than_a_head(store: Store) -> None:
    with serving(store, ConnectionLimits(head=0.2, idle=1)) as port, http1(port) as client:
        assert client.send(LIVE).status == 200
        time.sleep(0.5)
        assert client.send(LIVE).status == 200
        assert client.pull(1) == b""


def test_second_head_is_timed_out_from_its_first_byte(store: Store) -> None:
    with serving(store, ConnectionLimits(head=0.3)) as port, connected(port) as opened:
        opened.sendall(HALF_HEAD + b"\r\n" + HALF_HEAD)
        received = ends(opened)
    assert received.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 408" in received


def test_body_that_stops_is_given_up(store: Store) -> None:
    with running_admin_api(store.catalogue, store.tokens, ConnectionLimits(body=0.3)) as api:
        secret = str(api.editor.headers["Authorization"])
        with connected(port_of(api)) as opened:
            opened.sendall(
                f"PUT {PETS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nIf-None-Match: *\r\n"
                f"Authorization: {secret}\r\n\r\n{{".encode()
            )
            assert ends(opened) == b""
        # The request before was given up, and nothing of it was stored.
        assert api.editor.put(PETS, json=api_entry(), headers=NEW).status_code == 201


def test_client_that_does_not_read_is_disconnected(store: Store) -> None:
    with running_admin_api(store.catalogue, store.tokens, ConnectionLimits(response=0.3)) as api:
        secret = str(api.viewer.headers["Authorization"])
        request = f"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nAuthorization: {secret}\r\n\r\n".encode()
        with connected(port_of(api)) as opened:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            opened.sendall(request * 200)
            with pytest.raises(ConnectionError):
                for _ in range(200):
                    opened.sendall(b"\r\n")
                    time.sleep(0.1)
            assert api.viewer.get("/live").status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_curl_reads_the_413_of_a_body_that_is_too_large(
    api: AdminApi, tmp_path: Path, *, chunked: bool
) -> None:
    body = tmp_path / "body"
    body.write_bytes(b" " * 48 * 1024 * 1024)
    headers = [
        "Expect:",
        "If-None-Match: *",
        f"Authorization: {api.editor.headers['Authorization']}",
        *(["Transfer-Encoding: chunked"] if chunked else []),
    ]
    arguments = [argument for header in headers for argument in ("-H", header)]
    done = subprocess.run(
        ["curl", "-sS", "-X", "PUT", *arguments, "--data-binary", f"@{body}", f"{api.url}{PETS}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert '"status": 413' in done.stdout


def test_client_that_reads_after_it_has_sent_everything_gets_413(api: AdminApi) -> None:
    size = 40 * 1024 * 1024
    with http1(port_of(api)) as client:
        client.push(
            f"PUT {PETS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\nIf-None-Match: *\r\n"
            f"Authorization: {api.editor.headers['Authorization']}\r\n\r\n".encode()
        )
        client.push(b" " * size)
        response = client.read_response(RawRequest("PUT", PETS, ()))
        assert response.status == 413
        assert response.all("Connection") == ["close"]
        assert client.pull(1) == b""


def test_413_arrives_before_the_body_has_ended(api: AdminApi) -> None:
    with http1(port_of(api)) as client:
        client.push(
            f"PUT {PETS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {2**40}\r\nIf-None-Match: *\r\n"
            f"Authorization: {api.editor.headers['Authorization']}\r\n\r\n{{".encode()
        )
        assert client.read_response(RawRequest("PUT", PETS, ())).status == 413


def test_endless_body_of_a_stranger_is_cut(api: AdminApi) -> None:
    piece = b" " * 1024 * 1024
    with connected(port_of(api)) as opened:
        opened.sendall(f"PUT {PETS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {2**40}\r\n\r\n".encode())
        with pytest.raises(ConnectionError):
            for _ in range(200):
                opened.sendall(piece)


def test_client_that_leaves_during_its_body_is_not_an_error(
    api: AdminApi, capfd: pytest.CaptureFixture[str]
) -> None:
    with connected(port_of(api)) as opened:
        opened.sendall(
            f"PUT {PETS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nIf-None-Match: *\r\n"
            f"Authorization: {api.editor.headers['Authorization']}\r\n\r\n{{".encode()
        )
    for _ in range(20):
        assert api.viewer.get("/v1/apis").status_code == 200
    assert "Traceback" not in "".join(capfd.readouterr())
