"""The outermost layer: to which names the API answers, for which pages, and that nothing leaks from failures.

A page of another site can make its name resolve to this machine, and then counts as same-origin for the
browser (DNS rebinding). Its requests name that site as their Host, so only names that are ours are answered
to. An IP address as Host cannot be such a name.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Collection
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crossgate.admin.errors import Problem
from crossgate.service.log import Log

ESCAPED_SLASH: Final = "\x00"
"""What stands in a decoded path for a slash that is part of a name; no name has a NUL."""


class HostGuard:
    """Lets requests through that are meant for this API; the rest is answered here."""

    def __init__(self, app: ASGIApp, host_names: Collection[str] = ()) -> None:
        """``host_names`` are names, beside localhost, under which the API is reached."""
        self._app = app
        self._host_names = frozenset(name.lower() for name in host_names) | {"localhost"}
        self._log = Log("admin")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        problem = self._refusal(Headers(scope=scope)) or _path_refusal(scope)
        if problem is not None:
            await problem.response()(scope, receive, send)
            return
        await self._guarded({**scope, "path": _path(scope)}, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception:
            self._log.exception("The admin API failed", method=scope["method"], path=scope["path"])
            if begun:
                raise
            await _BROKEN.response()(scope, receive, send)
        except asyncio.CancelledError:
            # The server cancels what goes on for longer than it wants to wait at its end, and nothing else.
            if begun:
                raise
            await _STOPPING.response()(scope, receive, send)

    def _refusal(self, headers: Headers) -> Problem | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return _FOREIGN_HOST
        origins = headers.getlist("origin")
        same = {f"http://{hosts[0].lower()}", f"https://{hosts[0].lower()}"}
        if any(origin.lower() not in same for origin in origins):
            return _FOREIGN_ORIGIN
        return None

    def _is_ours(self, authority: str) -> bool:
        host, separator, port = authority.rpartition(":")
        if not separator or not (port.isascii() and port.isdigit()):
            host = authority
        host = host.lower()
        if host.startswith("[") and host.endswith("]"):
            return _is_address(host[1:-1])
        return host in self._host_names or _is_address(host)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _path_refusal(scope: Scope) -> Problem | None:
    try:
        decoded = unquote_to_bytes(scope["raw_path"]).decode()
    except UnicodeDecodeError:
        return _BAD_PATH
    return _BAD_PATH if ESCAPED_SLASH in decoded else None


def _path(scope: Scope) -> str:
    """The path with its segments apart, whatever they contain."""
    segments = scope["raw_path"].split(b"/")
    return "/".join(unquote_to_bytes(one).decode().replace("/", ESCAPED_SLASH) for one in segments)


_FOREIGN_HOST: Final = Problem(
    HTTPStatus.MISDIRECTED_REQUEST,
    "foreign-host",
    "The admin API does not answer to this Host. Use its address or localhost, or start it with --admin-host",
)
_FOREIGN_ORIGIN: Final = Problem(
    HTTPStatus.FORBIDDEN, "foreign-origin", "The admin API answers no pages of other origins"
)
_BAD_PATH: Final = Problem(HTTPStatus.BAD_REQUEST, "path-malformed", "The path is not UTF-8, or has a NUL")
_BROKEN: Final = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", "The admin API failed; the gateway's log says why"
)
_STOPPING: Final = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "stopping",
    "The control plane ends. What was asked may have been done all the same: look before you repeat it",
)
