"""The one case table: what every enforcement point must do, read from ``tests/cases/*.json``.

Each file has a description ``about``, named ``policies`` and a list of ``cases``. A runner sends a case's
request to its enforcement point, with a native service that responds as ``native`` says, and compares the
:class:`~tests.visible_result.VisibleResult` with ``expect``. In a file:

    policies   name → what ``build_policy`` takes, null for an API without policy, or {"server": settings}
    request    method, header lines in order, "http": "2" where only HTTP/2 can carry it
               "path": what follows the endpoint, as sent
    same_origin  how the gateway recognises its own pages: "detect" (the default) or "listed"
    underscore_headers  what the gateway does with header names that have an underscore: "reject" or "allow"
    native     the native service's response; by default 200 with CORS headers, which are to be removed.
               "fails": at the gateway there is none, "late" or "never"; the gateway responds with ``status``
    expect     reaches_native, status (default: native's), reason, body, the complete map of
               Access-Control-* response headers, Allow, and whether Vary names Origin (default: yes)
    only       the runners of a case, if others cannot send its request
    gateway    how the live gateway differs from ``expect``, because Envoy's parser responds earlier

A header value is a Latin-1 string that stands for bytes, or {before, repeat, times, after} for a long one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.visible_result import HeaderLines, NativeResponse, VisibleResult

from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.policy import (
    EffectivePolicy,
    Request,
    SameOrigin,
    ServerPolicy,
    build_policy,
    read_server_policy,
)

CASES: Final = Path(__file__).parent / "cases"
RUNNERS: Final = frozenset({"engine", "asgi", "wsgi", "gateway"})

HOSTILE_NATIVE: Final = NativeResponse(
    200,
    (
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Private-Network", "true"),
        ("Access-Control-Expose-Headers", "X-Native"),
        ("Vary", "Accept-Encoding"),
    ),
)


@dataclass(frozen=True, slots=True)
class CaseRequest:
    """A request as sent; every value encodes to Latin-1, without CR, LF and NUL."""

    method: str
    headers: HeaderLines
    http: str | None
    """``"1.1"`` or ``"2"`` if only that version can carry it."""
    path: str = ""
    """What follows the endpoint, as sent; empty if the case is not about paths."""

    def parsed(self) -> Request:
        """The request as the policy engine sees it."""
        path = f"/gateway/api/1{self.path}" if self.path else ""
        return replace(Request.of(self.method, self.headers), path=path)


@dataclass(frozen=True, slots=True)
class Case:
    """A policy, a request, and the expected result."""

    file: str
    name: str
    policy_name: str
    policy: Mapping[str, Any] | None
    """What :func:`build_policy` takes; None for pass-through and server-level cases."""
    server: Mapping[str, Any] | None
    """The settings of server-level CORS, if the case uses it."""
    application_origins: tuple[str, ...]
    public_origins: tuple[str, ...]
    same_origin: SameOrigin
    underscore_headers: UnderscoreHeaders
    request: CaseRequest
    native: NativeResponse
    native_fails: str
    """``"late"`` or ``"never"`` if the native service does not respond at the live gateway."""
    expect: VisibleResult
    gateway: VisibleResult
    """The result at the live gateway: ``expect``, unless the case has its own."""
    only: frozenset[str]

    @property
    def id(self) -> str:
        """The case's name in test reports."""
        return f"{self.file}: {self.name}"

    @property
    def policy_key(self) -> tuple[str, str, tuple[str, ...], tuple[str, ...], SameOrigin]:
        """Equal for cases that can share one published API."""
        return self.file, self.policy_name, self.application_origins, self.public_origins, self.same_origin

    def runs_on(self, runner: str) -> bool:
        """Whether the case is for ``runner``: engine, asgi, wsgi or gateway."""
        return runner in self.only

    def prepared(self) -> EffectivePolicy | ServerPolicy | None:
        """The policy as :func:`crossgate.policy.decide` takes it."""
        if self.server is not None:
            return _server_policy(self.server, self.public_origins, self.same_origin)
        if self.policy is None:
            return None
        return EffectivePolicy.of(
            build_policy(**self.policy), self.application_origins, self.public_origins, self.same_origin
        )


@cache
def load_cases(runner: str | None = None) -> tuple[Case, ...]:
    """Every case, or those for one runner; in the order of the files."""
    cases = tuple(case for path in sorted(CASES.glob("*.json")) for case in _read(path))
    return cases if runner is None else tuple(case for case in cases if case.runs_on(runner))


def _read(path: Path) -> list[Case]:
    document = json.loads(path.read_text("utf-8"))
    _refuse_unknown(document, {"about", "policies", "cases"}, path.name)
    return [_case(path.stem, document["policies"], raw) for raw in document["cases"]]


_KEYS: Final = {
    "name",
    "policy",
    "application_origins",
    "public_origins",
    "same_origin",
    "underscore_headers",
    "request",
    "native",
    "expect",
    "gateway",
    "only",
}


def _case(file: str, policies: Mapping[str, Any], raw: Mapping[str, Any]) -> Case:
    _refuse_unknown(raw, _KEYS, raw["name"])
    policy = policies[raw["policy"]]
    server = policy["server"] if policy is not None and "server" in policy else None
    native = HOSTILE_NATIVE
    if "native" in raw:
        _refuse_unknown(raw["native"], {"status", "headers", "fails"}, raw["name"])
        lines = raw["native"].get("headers")
        headers = HOSTILE_NATIVE.headers if lines is None else _lines(lines)
        native = NativeResponse(raw["native"].get("status", 200), headers)
    only = frozenset(raw.get("only", RUNNERS))
    assert only <= RUNNERS, raw["name"]
    return Case(
        file,
        raw["name"],
        raw["policy"],
        None if server is not None else policy,
        server,
        tuple(raw.get("application_origins", ())),
        tuple(raw.get("public_origins", ())),
        SameOrigin(raw.get("same_origin", SameOrigin.DETECT)),
        UnderscoreHeaders(raw.get("underscore_headers", UnderscoreHeaders.REJECT)),
        _request(raw["request"]),
        native,
        raw.get("native", {}).get("fails", ""),
        _result(raw["expect"], native),
        _result({**raw["expect"], **raw.get("gateway", {})}, native),
        only,
    )


def _request(raw: Mapping[str, Any]) -> CaseRequest:
    _refuse_unknown(raw, {"method", "headers", "http", "path"}, "request")
    return CaseRequest(raw["method"], _lines(raw["headers"]), raw.get("http"), raw.get("path", ""))


def _result(raw: Mapping[str, Any], native: NativeResponse) -> VisibleResult:
    known = {"reaches_native", "status", "reason", "body", "cors", "allow", "vary"}
    _refuse_unknown(raw, known, "expect")
    reaches_native: bool = raw["reaches_native"]
    return VisibleResult(
        reaches_native,
        native.status if reaches_native and "status" not in raw else raw["status"],
        raw["reason"],
        raw.get("body"),
        {name.lower(): _value(value) for name, value in raw.get("cors", {}).items()},
        raw.get("allow"),
        raw.get("vary", True),
    )


def _lines(raw: list[list[Any]]) -> HeaderLines:
    return tuple((name, _value(value)) for name, value in raw)


def _value(raw: str | Mapping[str, Any]) -> str:
    if isinstance(raw, str):
        return raw
    _refuse_unknown(raw, {"before", "repeat", "times", "after"}, "value")
    repeated: str = raw["repeat"] * raw["times"]
    return f"{raw.get('before', '')}{repeated}{raw.get('after', '')}"


def _refuse_unknown(raw: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = set(raw) - known
    if unknown:
        raise ValueError(f"{where}: unknown {', '.join(sorted(unknown))}")


def _server_policy(
    settings: Mapping[str, Any], public_origins: tuple[str, ...], same_origin: SameOrigin
) -> ServerPolicy:
    policy, diagnostics = read_server_policy(settings, _no_file)
    if policy is None or diagnostics:
        raise ValueError(f"not a server policy: {diagnostics}")
    return replace(policy, public_origins=frozenset(public_origins), same_origin=same_origin)


def _no_file(path: str) -> list[str]:
    raise ValueError(f"unexpected file: {path}")
