"""A client of the admin API, for verbs. Every refusal is raised as InvalidInput with its diagnostics."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final, Self

import httpx

from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Severity
from crossgate.net.address import HostPort

_CONNECT_SECONDS: Final = 5.0
_RESPONSE_SECONDS: Final = 120.0
"""Long enough for a document with 20,000 applications."""
_SILENT_SECONDS: Final = 60.0
"""Without an event or a heartbeat of a stream."""
_RECONNECT_SECONDS: Final = 3.0
QueryValue = str | int | Sequence[str]


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A successful response of the admin API."""

    value: Any
    """The parsed JSON; None if the body is something else."""
    etag: str
    """For ``If-Match``, quotes included; empty if there is none."""
    text: str


class AdminApiClient:
    """The admin API of one gateway. Use it as a context."""

    def __init__(self, server: str, token: str, *, in_clear_text: bool) -> None:
        """Raises InvalidInput if the token cannot be sent, or not to that URL.

        Over plain http, a token is sent to this machine only, unless ``in_clear_text`` is set.
        """
        if not token:
            raise _refused(
                "token-missing",
                "the admin API requires a token",
                "Set CROSSGATE_TOKEN to the token in the file that `crossgate run` named at its first start,"
                " or create one with `crossgate token create`",
            )
        if not token.isascii() or not token.isprintable() or " " in token:
            raise _refused("token-refused", "malformed token", "Pass a token that begins with cgt_")
        try:
            self._client = httpx.Client(
                base_url=server,
                headers={"Authorization": f"Bearer {token}"},
                timeout=httpx.Timeout(_RESPONSE_SECONDS, connect=_CONNECT_SECONDS),
                # Proxies and credentials from the environment are not for the gateway.
                trust_env=False,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise _not_reachable(server, str(error)) from error
        url = self._client.base_url
        if url.scheme == "http" and not _is_this_machine(url.host) and not in_clear_text:
            raise InvalidInput([_in_clear_text(server)])
        self._server = server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def pages(self, path: str, **query: QueryValue) -> dict[str, Any]:
        """The first page of a collection, with the items of all pages; raises as `send` does."""
        body: dict[str, Any] = self.get(path, limit=500, **query).value
        found, cursor = body["items"], body.pop("next")
        while cursor is not None:
            page = self.get(path, limit=500, cursor=cursor, **query).value
            # What a collection is sorted by can change between two pages.
            known = {json.dumps(one.get("id", one)) for one in found}
            found += [one for one in page["items"] if json.dumps(one.get("id", one)) not in known]
            cursor = page["next"]
        return body

    def events(self, path: str, **query: QueryValue) -> Iterator[tuple[str, Any]]:
        """The type and the data of each server-sent event, without end; first ``connected``, without data.

        After an interruption it connects again, and continues after the last event. ``interrupted`` and
        ``resumed``, without data, come once for each.

        Raises:
            InvalidInput: the first connection fails, or the gateway refuses one.

        """
        last_id, connected, interrupted = "", False, False
        parameters = _without_empty(query)
        while True:
            try:
                headers = {"Last-Event-ID": last_id} if last_id else {}
                timeout = httpx.Timeout(_SILENT_SECONDS, connect=_CONNECT_SECONDS)
                with self._client.stream(
                    "GET", path, params=parameters, headers=headers, timeout=timeout
                ) as response:
                    if not response.is_success:
                        response.read()
                        raise InvalidInput(_diagnostics(self._server, response))
                    for kind, event_id, data in _parse_events(response.iter_lines()):
                        if kind == "connected" and connected:
                            if interrupted:
                                yield "resumed", None
                            interrupted = False
                            continue
                        connected = True
                        last_id = event_id or last_id
                        yield kind, data
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if not connected:
                    raise _not_reachable(self._server, str(error)) from error
            if connected and not interrupted:
                interrupted = True
                yield "interrupted", None
            time.sleep(_RECONNECT_SECONDS)

    def get(self, path: str, **query: QueryValue) -> ApiResponse:
        """Send a GET request; raises as `send` does. Empty query parameters are omitted."""
        return self._request("GET", path, None, {}, query)

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        if_match: str = "",
        **query: QueryValue,
    ) -> ApiResponse:
        """Send a request.

        Raises:
            InvalidInput: the gateway cannot be reached, or refuses; with every diagnostic of the response.

        """
        return self._request(method, path, body, {"If-Match": if_match} if if_match else {}, query)

    def _request(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        headers: Mapping[str, str],
        query: Mapping[str, QueryValue],
    ) -> ApiResponse:
        parameters = _without_empty(query)
        try:
            response = self._client.request(method, path, json=body, headers=headers, params=parameters)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _not_reachable(self._server, str(error)) from error
        if response.is_success:
            is_json = response.headers.get("content-type", "").startswith("application/json")
            value = response.json() if is_json and response.content else None
            return ApiResponse(value, response.headers.get("etag", ""), response.text)
        raise InvalidInput(_diagnostics(self._server, response))


def _without_empty(query: Mapping[str, QueryValue]) -> dict[str, QueryValue]:
    return {name: value for name, value in query.items() if value != ""}


def _parse_events(lines: Iterable[str]) -> Iterator[tuple[str, str, Any]]:
    """Type, id and data of each event of a stream."""
    kind = event_id = data = ""
    for line in lines:
        name, _, value = line.partition(": ")
        match name:
            case "" if value == "connected":
                yield "connected", "", None
            case "event":
                kind = value
            case "id":
                event_id = value
            case "data":
                data = value
            case "" if kind and not line:
                yield kind, event_id, json.loads(data)
                kind = event_id = data = ""
            case _:
                pass


def _is_this_machine(host: str) -> bool:
    # RFC 6761, §6.3: `localhost` is a loopback address, https://www.rfc-editor.org/rfc/rfc6761#section-6.3
    return host == "localhost" or HostPort(host, 0).is_loopback


def _in_clear_text(server: str) -> Diagnostic:
    return Diagnostic(
        "server-clear-text",
        "the token would travel to another machine in clear text",
        "Use https, or a tunnel to a loopback address;"
        " or set --server-in-clear-text if the network is trusted",
        found=server,
    )


def _diagnostics(server: str, response: httpx.Response) -> list[Diagnostic]:
    try:
        problem = response.json()
        found = [parse_diagnostic(one) for one in problem["diagnostics"]]
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            # The token may be right, and belong to the admin API of another gateway.
            found = [_naming(server, one) for one in found]
        code = str(problem["type"]).rpartition(":")[2]
        return found or [Diagnostic(code, str(problem["detail"]), "See docs/reference/admin-api.md")]
    except (ValueError, KeyError, TypeError):
        return [_not_an_admin_api(server, f"status {response.status_code}")]


def _naming(server: str, refusal: Diagnostic) -> Diagnostic:
    return replace(
        refusal,
        message=f"admin API at {server}: {refusal.message}",
        remedy=f"Check the URL, --server or CROSSGATE_SERVER. {refusal.remedy}",
    )


def parse_diagnostic(raw: Mapping[str, Any]) -> Diagnostic:
    """A diagnostic from the JSON of a response."""
    # Its path is shown where a file's name would be: it is a string, of which no step is needed here.
    path = str(raw["path"]).removeprefix("$")
    return Diagnostic(
        code=str(raw["code"]),
        message=str(raw["message"]),
        remedy=str(raw["remedy"]),
        place=Place(file=f"${path}") if path else Place(),
        found=None if raw["found"] is None else str(raw["found"]),
        severity=Severity(raw["severity"]),
    )


def _not_reachable(server: str, reason: str) -> InvalidInput:
    return InvalidInput(
        [
            Diagnostic(
                "server-unreachable",
                f"the admin API cannot be reached: {reason}",
                "Start `crossgate run` or `crossgate serve`, or set the right URL with --server or "
                "CROSSGATE_SERVER",
                found=server,
            )
        ]
    )


def _not_an_admin_api(server: str, found: str) -> Diagnostic:
    return Diagnostic(
        "server-no-admin-api",
        f"unexpected response: {server} is not an admin API of Crossgate",
        "Set the URL that `crossgate run` printed with --server or CROSSGATE_SERVER",
        found=found,
    )


def _refused(code: str, message: str, remedy: str) -> InvalidInput:
    return InvalidInput([Diagnostic(code, message, remedy)])
