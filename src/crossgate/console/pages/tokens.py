"""The tokens of the API: list, create, revoke. A new secret is shown once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.api import ApiProblem
from crossgate.console.page import Page, page
from crossgate.console.render import as_time
from crossgate.service.permission import Role

_URL: Final = "/settings/tokens"
LIFETIMES: Final = ((30, "30 days"), (90, "90 days"), (365, "1 year"), (None, "No end"))
"""What the form offers, in days; None for a token that does not expire."""
_FIELDS: Final = ("name", "role", "days", "apis")


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token of the list."""

    token: Mapping[str, Any]
    state: str
    """`valid`, `expired` or `revoked`."""

    @classmethod
    def of(cls, token: Mapping[str, Any], now: datetime) -> TokenRow:
        """The row of a token of the API's list."""
        if token["revoked"] is not None:
            return cls(token, "revoked")
        expired = token["expires"] is not None and as_time(token["expires"]) <= now
        return cls(token, "expired" if expired else "valid")


async def show_tokens(found: Page) -> Response:
    """All tokens, and the form for a new one."""
    return await _show(found)


async def create_token(found: Page) -> Response:
    """Create a token, and show its secret: this response is the only one that has it."""
    filled = await found.form()
    answer = await found.api.call("POST", "/v1/tokens", body=token_request(filled))
    if answer.ok:
        return await _show(found, created=answer.json)
    problem = ApiProblem(answer)
    if not problem.diagnostics or answer.status == HTTPStatus.FORBIDDEN:
        raise problem
    return await _show(found, filled=filled, problem=problem)


async def ask_to_revoke(found: Page) -> Response:
    """The question before a token is revoked: its name is typed."""
    return await _ask(found, HTTPStatus.OK, typed=None)


async def revoke_token(found: Page) -> Response:
    """Revoke the token whose name was typed."""
    name, typed = found.name("name"), (await found.form()).get("typed", "").strip()
    if typed != name:
        return await _ask(found, HTTPStatus.UNPROCESSABLE_ENTITY, typed=typed)
    await found.api.read("DELETE", f"/v1/tokens/{name}")
    return found.redirect(f"{_URL}?revoked={quote(name, safe='')}")


def token_request(filled: Mapping[str, str]) -> dict[str, Any]:
    """The body of `POST /v1/tokens` for a filled form."""
    days = filled.get("days", "")
    return {
        "name": filled.get("name", "").strip(),
        "role": filled.get("role", Role.VIEWER.value),
        "days": int(days) if days.isdecimal() and len(days) <= len("3650") else None,
        "apis": filled.get("apis", "").replace(",", " ").split(),
    }


async def _show(
    found: Page,
    *,
    filled: Mapping[str, str] | None = None,
    problem: ApiProblem | None = None,
    created: Mapping[str, Any] | None = None,
) -> Response:
    tokens = (await found.api.get("/v1/tokens"))["items"]
    now = datetime.now(UTC)
    rows = [TokenRow.of(one, now) for one in tokens]
    errors: dict[str, list[Mapping[str, Any]]] = {name: [] for name in _FIELDS}
    for one in problem.diagnostics if problem else ():
        name = next((name for name in _FIELDS if one["path"].startswith(f"$.{name}")), "name")
        errors[name].append(one)
    return await found.show(
        "settings/tokens.html",
        title="Tokens",
        call="GET /v1/tokens",
        status=problem.status if problem else HTTPStatus.OK,
        valid=[one for one in rows if one.state == "valid"],
        ended=[one for one in rows if one.state != "valid"],
        roles=list(Role),
        lifetimes=LIFETIMES,
        filled={"name": "", "role": "viewer", "days": "90", "apis": "", **(filled or {})},
        errors=errors,
        created=created,
        revoked=found.query.get("revoked", ""),
    )


async def _ask(found: Page, status: HTTPStatus, *, typed: str | None) -> Response:
    name = found.name("name")
    tokens = (await found.api.get("/v1/tokens"))["items"]
    token = next((one for one in tokens if one["name"] == name and one["revoked"] is None), None)
    return await found.show(
        "settings/revoke_token.html",
        title=f"Revoke {name}",
        call=f"DELETE /v1/tokens/{name}",
        status=HTTPStatus.NOT_FOUND if token is None else status,
        name=name,
        token=token,
        typed=typed,
    )


routes: Final[list[BaseRoute]] = [
    page(_URL, show_tokens),
    page(_URL, create_token, methods=("POST",)),
    page(f"{_URL}/{{name}}/revoke", ask_to_revoke),
    page(f"{_URL}/{{name}}/revoke", revoke_token, methods=("POST",)),
]
