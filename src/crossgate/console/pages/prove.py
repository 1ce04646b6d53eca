"""The proof of patterns as they are typed, and the rules of the linter."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.allow_form import KINDS
from crossgate.console.api import encode_query
from crossgate.console.page import Page, page

KIND_NAMES: Final = frozenset(kind for kind, _ in KINDS)


_MOST_LINES: Final = 200
_LONGEST: Final = 4096
_EXPRESSION_CHARACTERS: Final = frozenset("\\()[]{}|+?^$")


def read_lines(kind: str, value: str) -> list[dict[str, str]]:
    """The entries that were typed, one a line. Of several lines, each says by its form what it is."""
    lines = [one.strip()[:_LONGEST] for one in value.splitlines() if one.strip()][:_MOST_LINES]
    if len(lines) <= 1:
        return [_entry(kind, line) for line in lines]
    return [_entry(_kind_of(line), line) for line in lines]


def _entry(kind: str, line: str) -> dict[str, str]:
    if kind == "exact" and line in ("*", "null"):
        kind = {"*": "any", "null": "null"}[line]
    return {"kind": kind, "value": line}


def _kind_of(line: str) -> str:
    if not _EXPRESSION_CHARACTERS.isdisjoint(line) or ".*" in line:
        return "regex"
    return "wildcard" if "*" in line and line != "*" else "exact"


async def show_prove(found: Page) -> Response:
    """Whom a pattern lets in, or a table for several, one a line."""
    kind, value = found.query.get("kind", "regex"), found.query.get("value", "")
    kind = kind if kind in KIND_NAMES else "regex"
    credentials = found.query.get("credentials") == "on"
    entries = read_lines(kind, value)
    items: list[Any] = []
    if entries:
        body = {"patterns": entries, "credentials": credentials}
        items = (await found.api.read("POST", "/v1/prove", body=body)).json["items"]
    values: dict[str, Any] = {
        "kinds": KINDS,
        "kind": kind,
        "value": value,
        "credentials": credentials,
        "items": items,
        "fix_url": "/prove?" + encode_query({"kind": "regex", "credentials": "on" if credentials else ""}),
    }
    if found.wants_part:
        return found.fragment("prove/result.html", **values)
    return await found.show("prove.html", title="Prove", call="POST /v1/prove", **values)


async def show_rule(found: Page) -> Response:
    """One rule: why it matters, what to do."""
    code = found.name("code")
    rule = await found.api.get(f"/v1/rules/{code}")
    return await found.show("rule.html", title=f"Rule {code}", call=f"GET /v1/rules/{code}", rule=rule)


routes: Final[list[BaseRoute]] = [page("/prove", show_prove), page("/rules/{code}", show_rule)]
