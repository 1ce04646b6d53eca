"""The one case table: what every enforcement point must do, read from ``tests/cases/*.json``.

Each file tells what it is ``about``, names ``policies`` and lists ``cases``; a runner puts the case's
request before its enforcement point, with a native service that answers as ``native`` says, and compares the
:class:`~tests.visible_result.VisibleResult` with ``expect``. In a file:

    policies   name → what ``build_policy`` takes, null for an API without policy, or {"server": settings}
    request    method, header lines in order, "http": "2" where only HTTP/2 can carry it
    native     the native service's answer; by default 200 with CORS headers of its own, to be removed
    expect     reaches_native, status (default: native's), reason, body, the complete map of
               Access-Control-* response headers, Allow, and whether Vary names Origin (default: yes)
    only       the runners that a case is for, where others can't carry it
    gateway    what differs from ``expect`` at the live gateway, because its parser answers earlier

A header value is text that stands for bytes (Latin-1), or {before, repeat, times, after} for a long one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.visible_result import HeaderLines, NativeResponse, VisibleResult

from crossgate.policy import EffectivePolicy, Request, ServerPolicy, build_policy, read_server_policy

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
    """A request as it goes over the wire; every value encodes to Latin-1 without CR, LF and NUL."""

    method: str
    headers: HeaderLines
    http: str | None
    """``"1.1"`` or ``"2"`` where only that version can carry it."""

    def parsed(self) -> Request:
        """The request as the policy engine sees it."""
        return Request.of(self.method, self.headers)


@dataclass(frozen=True, slots=True)
class Case:
    """One idea about one policy and one request."""

    file: str
    name: str
    policy_name: str
    policy: Mapping[str, Any] | None
    """What :func:`build_policy` takes; None for pass-through; not of use for server-level cases."""
    server: Mapping[str, Any] | None
    """The settings of server-level CORS, if the case is about that."""
    application_origins: tuple[str, ...]
    public_origins: tuple[str, ...]
    request: CaseRequest
    native: NativeResponse
    expect: VisibleResult
    gateway: VisibleResult
    """What the live gateway does: ``expect``, unless the file says otherwise."""
    only: frozenset[str]

    @property
    def id(self) -> str:
        """Names the case in a test report."""
        return f"{self.file}: {self.name}"

    @property
    def policy_key(self) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
        """Equal for cases that one published API can serve."""
        return self.file, self.policy_name, self.application_origins, self.public_origins

    def runs_on(self, runner: str) -> bool:
        """Whether the case is for ``runner``: engine, asgi, wsgi or gateway."""
        return runner in self.only

    def prepared(self) -> EffectivePolicy | ServerPolicy | None:
        """The policy as :func:`crossgate.policy.decide` takes it."""
        if self.server is not None:
            return _server_policy(self.server, self.public_origins)
        if self.policy is None:
            return None
        return EffectivePolicy.of(build_policy(**self.policy), self.application_origins, self.public_origins)


@cache
def load_cases(runner: str | None = None) -> tuple[Case, ...]:
    """Every case, or those for one runner; in the order of the files."""
    cases = tuple(case for path in sorted(CASES.glob("*.json")) for case in _read(path))
    return cases if runner is None else tuple(case for case in cases if case.runs_on(runner))


def _read(path: Path) -> list[Case]:
    document = json.loads(path.read_text("utf-8"))
    _refuse_unknown(document, {"about", "policies", "cases"}, path.name)
    return [_case(path.stem, document["policies"], loose) for loose in document["cases"]]


_KEYS: Final = {
    "name",
    "policy",
    "application_origins",
    "public_origins",
    "request",
    "native",
    "expect",
    "gateway",
    "only",
}


def _case(file: str, policies: Mapping[str, Any], loose: Mapping[str, Any]) -> Case:
    _refuse_unknown(loose, _KEYS, loose["name"])
    policy = policies[loose["policy"]]
    server = policy["server"] if policy is not None and "server" in policy else None
    native = HOSTILE_NATIVE
    if "native" in loose:
        _refuse_unknown(loose["native"], {"status", "headers"}, loose["name"])
        lines = loose["native"].get("headers")
        headers = HOSTILE_NATIVE.headers if lines is None else _lines(lines)
        native = NativeResponse(loose["native"].get("status", 200), headers)
    only = frozenset(loose.get("only", RUNNERS))
    assert only <= RUNNERS, loose["name"]
    return Case(
        file,
        loose["name"],
        loose["policy"],
        None if server is not None else policy,
        server,
        tuple(loose.get("application_origins", ())),
        tuple(loose.get("public_origins", ())),
        _request(loose["request"]),
        native,
        _outcome(loose["expect"], native),
        _outcome({**loose["expect"], **loose.get("gateway", {})}, native),
        only,
    )


def _request(loose: Mapping[str, Any]) -> CaseRequest:
    _refuse_unknown(loose, {"method", "headers", "http"}, "request")
    return CaseRequest(loose["method"], _lines(loose["headers"]), loose.get("http"))


def _outcome(loose: Mapping[str, Any], native: NativeResponse) -> VisibleResult:
    known = {"reaches_native", "status", "reason", "body", "cors", "allow", "vary"}
    _refuse_unknown(loose, known, "expect")
    reaches_native: bool = loose["reaches_native"]
    return VisibleResult(
        reaches_native,
        native.status if reaches_native and "status" not in loose else loose["status"],
        loose["reason"],
        loose.get("body"),
        {name.lower(): _value(value) for name, value in loose.get("cors", {}).items()},
        loose.get("allow"),
        loose.get("vary", True),
    )


def _lines(loose: list[list[Any]]) -> HeaderLines:
    return tuple((name, _value(value)) for name, value in loose)


def _value(loose: str | Mapping[str, Any]) -> str:
    if isinstance(loose, str):
        return loose
    _refuse_unknown(loose, {"before", "repeat", "times", "after"}, "value")
    repeated: str = loose["repeat"] * loose["times"]
    return f"{loose.get('before', '')}{repeated}{loose.get('after', '')}"


def _refuse_unknown(loose: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = set(loose) - known
    if unknown:
        raise ValueError(f"{where}: unknown {', '.join(sorted(unknown))}")


def _server_policy(settings: Mapping[str, Any], public_origins: tuple[str, ...]) -> ServerPolicy:
    policy, diagnostics = read_server_policy(settings, _no_file)
    if policy is None or diagnostics:
        raise ValueError(f"not a server policy: {diagnostics}")
    return replace(policy, public_origins=frozenset(public_origins))


def _no_file(path: str) -> list[str]:
    raise ValueError(f"the case table reads no file: {path}")
