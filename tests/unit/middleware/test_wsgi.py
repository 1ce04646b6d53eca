"""The WSGI middleware beyond the case table: errors, streams, files, and the protocol's own rules."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from crossgate.middleware import WsgiCorsMiddleware, build_policy

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

SHOP = "https://shop.example.com"
EVIL = "https://evil.example.org"
POLICY = build_policy(allowed_origins=[SHOP], allowed_methods=["GET"], expose_headers=["X-Out"])
PLAIN = [("Content-Type", "text/plain")]


class Answer:
    """What a server would have sent."""

    def __init__(self, app: WSGIApplication, **environ: str) -> None:
        self.body = b""
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.raised: Exception | None = None
        given: dict[str, Any] = {"HTTP_ORIGIN": SHOP, **environ}
        setup_testing_defaults(given)
        body: Iterable[bytes] = ()
        try:
            body = app(given, self._start)
            for part in body:
                self.body += part
        except Exception as raised:  # noqa: BLE001 - the server's place
            self.raised = raised
        finally:
            if hasattr(body, "close"):
                body.close()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        if exc_info and self.body:
            raise exc_info[1]
        assert exc_info or not self.status, "start_response called twice"
        self.status, self.headers = status, headers
        return lambda _part: None


def raising(*_: object) -> Iterable[bytes]:
    raise LookupError("gone")


def raising_lazily(*_: object) -> Iterable[bytes]:
    yield from raising()


def raising_after_the_status(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", PLAIN)
    return raising_lazily()


@pytest.mark.parametrize("app", [raising, raising_lazily, raising_after_the_status])
def test_an_exception_before_the_first_part_becomes_a_500_with_headers(app: Any) -> None:
    answer = Answer(WsgiCorsMiddleware(app, POLICY))
    assert isinstance(answer.raised, LookupError)
    assert (answer.status, answer.body) == ("500 Internal Server Error", b"Internal Server Error")
    headers = dict(answer.headers)
    assert headers["Access-Control-Allow-Origin"] == SHOP
    assert headers["Access-Control-Expose-Headers"] == "X-Out"
    assert headers["Content-Length"] == "21"


def test_an_exception_after_the_first_part_is_only_raised_again() -> None:
    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"half"
        raise LookupError("gone")

    answer = Answer(WsgiCorsMiddleware(app, POLICY))
    assert isinstance(answer.raised, LookupError)
    assert (answer.status, answer.body) == ("200 OK", b"half")


def test_a_stream_is_not_read_ahead_and_is_closed() -> None:
    class Stream:
        taken = 0
        closed = False

        def __iter__(self) -> Iterator[bytes]:
            for self.taken in range(1, 4):
                yield b"x"

        def close(self) -> None:
            self.closed = True

    stream = Stream()

    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)
        return stream

    environ: dict[str, Any] = {"HTTP_ORIGIN": SHOP}
    setup_testing_defaults(environ)
    body = WsgiCorsMiddleware(app, POLICY)(environ, lambda *_: lambda _part: None)
    assert stream.taken == 0
    parts = iter(body)
    assert next(parts) == b"x"
    assert stream.taken == 1
    assert list(parts) == [b"x", b"x"]
    body.close()  # type: ignore[attr-defined]  # servers call it where it is
    assert stream.closed


@pytest.mark.parametrize("body", [[b"ok"], FileWrapper(io.BytesIO(b"ok"))], ids=["a list", "a file"])
def test_what_servers_send_in_a_way_of_their_own_is_handed_on(body: Iterable[bytes]) -> None:
    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)
        return body

    environ: dict[str, Any] = {"HTTP_ORIGIN": SHOP, "wsgi.file_wrapper": FileWrapper}
    setup_testing_defaults(environ)
    assert WsgiCorsMiddleware(app, POLICY)(environ, lambda *_: lambda _part: None) is body


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HTTP_ORIGIN": EVIL},
        {"REQUEST_METHOD": "OPTIONS", "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "GET"},
        {"REQUEST_METHOD": "HEAD"},
    ],
    ids=str,
)
def test_both_sides_keep_the_rules_of_the_protocol(environ: dict[str, str]) -> None:
    def app(given: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)
        return [b"" if given["REQUEST_METHOD"] == "HEAD" else b"ok"]

    checked = validator(WsgiCorsMiddleware(validator(app), POLICY))
    answer = Answer(checked, SCRIPT_NAME="", PATH_INFO="/", QUERY_STRING="", **environ)
    assert answer.raised is None


def test_a_websocket_handshake_is_judged_as_the_get_request_that_it_is() -> None:
    upgrade = {"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "Upgrade"}
    answer = Answer(WsgiCorsMiddleware(raising, POLICY), HTTP_ORIGIN=EVIL, **upgrade)
    assert (answer.status, answer.raised) == ("403 Forbidden", None)


@pytest.mark.parametrize("others", [[], [("Access-Control-Max-Age", "1")]])
def test_an_empty_header_name_of_the_application_is_passed_on(others: list[tuple[str, str]]) -> None:
    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("", "x"), *others, ("", "y")])
        return [b"ok"]

    answer = Answer(WsgiCorsMiddleware(app, POLICY))
    assert answer.raised is None
    assert [header for header in answer.headers if not header[0]] == [("", "x"), ("", "y")]
    assert "Access-Control-Max-Age" not in dict(answer.headers)
    assert dict(answer.headers)["Access-Control-Allow-Origin"] == SHOP


def test_lines_that_servers_join_are_never_taken_for_one_value() -> None:
    """An empty line beside an origin is a comma by the time it comes here: refused."""
    for origin in (f"{SHOP},{SHOP}", f",{SHOP}", f"{SHOP},", ","):
        assert Answer(WsgiCorsMiddleware(raising, POLICY), HTTP_ORIGIN=origin).status == "403 Forbidden"
