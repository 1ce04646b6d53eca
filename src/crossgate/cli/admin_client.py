"""The admin API as the command's verbs see it: JSON in, JSON out, and every refusal a list of diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx

from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Severity

_CONNECT_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 120.0
"""A document with 20,000 applications takes a while."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered."""

    value: Any
    tag: str
    """For ``If-Match``, quotes included; empty if there is none."""
    text: str


class Remote:
    """One gateway's admin API; use it as a context."""

    def __init__(self, server: str, token: str) -> None:
        """Raises InvalidInput if there is no token, or none that can be sent."""
        if not token:
            raise _refused(
                "token-missing",
                "the admin API wants a token",
                "Set CROSSGATE_TOKEN to the one that `crossgate run` printed at its first start,"
                " or make one: crossgate token create",
            )
        if not token.isascii() or not token.isprintable() or " " in token:
            raise _refused("token-refused", "this is no token", "Tokens begin with cgt_")
        try:
            self._client = httpx.Client(
                base_url=server,
                headers={"Authorization": f"Bearer {token}"},
                timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
                # Neither proxies nor credentials of the environment are for the gateway.
                trust_env=False,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise _not_reachable(server, str(error)) from error
        self._server = server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: str | int) -> Answer:
        """Read something."""
        return self._ask("GET", path, query=query)

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        if_match: str = "",
        **query: str | int,
    ) -> Answer:
        """Change something, or have it worked out.

        Raises:
            InvalidInput: the gateway cannot be reached, or refuses; with everything that it says.

        """
        return self._ask(method, path, body, {"If-Match": if_match} if if_match else {}, query)

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> Answer:
        wanted = {name: value for name, value in (query or {}).items() if value != ""}
        try:
            response = self._client.request(method, path, json=body, headers=headers, params=wanted)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _not_reachable(self._server, str(error)) from error
        if response.is_success:
            is_json = response.headers.get("content-type", "").startswith("application/json")
            value = response.json() if is_json and response.content else None
            return Answer(value, response.headers.get("etag", ""), response.text)
        raise InvalidInput(_diagnostics(self._server, response))


def _diagnostics(server: str, response: httpx.Response) -> list[Diagnostic]:
    try:
        problem = response.json()
        found = [diagnostic_of(one) for one in problem["diagnostics"]]
        code = str(problem["type"]).rpartition(":")[2]
        return found or [Diagnostic(code, str(problem["detail"]), "See docs/reference/admin-api.md")]
    except (ValueError, KeyError, TypeError):
        return [_no_api(server, f"status {response.status_code}")]


def diagnostic_of(loose: Mapping[str, Any]) -> Diagnostic:
    """One finding as the API states it."""
    # The path stands where a file's name would: it is text, and its steps are of no use here.
    path = str(loose["path"]).removeprefix("$")
    return Diagnostic(
        code=str(loose["code"]),
        message=str(loose["message"]),
        remedy=str(loose["remedy"]),
        place=Place(file=f"${path}") if path else Place(),
        found=None if loose["found"] is None else str(loose["found"]),
        severity=Severity(loose["severity"]),
    )


def _not_reachable(server: str, reason: str) -> InvalidInput:
    return InvalidInput(
        [
            Diagnostic(
                "server-unreachable",
                f"the admin API cannot be reached: {reason}",
                "Look whether `crossgate run` runs there; name another with --server or CROSSGATE_SERVER",
                found=server,
            )
        ]
    )


def _no_api(server: str, found: str) -> Diagnostic:
    return Diagnostic(
        "server-no-admin-api",
        f"what answers at {server} is no admin API",
        "Name the address that `crossgate run` printed, with --server or CROSSGATE_SERVER",
        found=found,
    )


def _refused(code: str, message: str, remedy: str) -> InvalidInput:
    return InvalidInput([Diagnostic(code, message, remedy)])
