"""Enforces a policy in the terms of a server protocol: ASGI's byte strings or WSGI's strings.

An enforcer turns the response templates of its policy into the protocol's headers once. Then it finds the
outcome of each request with the steps of :mod:`crossgate.policy.flow`, and fills in the reflected headers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import AnyStr, Final, Generic, NamedTuple

from crossgate.middleware.decision_event import DecisionEvent, OnDecision
from crossgate.middleware.live import EnforcedPolicy
from crossgate.middleware.refusal_log import LOG, RefusalLogger, describe
from crossgate.middleware.response_headers import ApplyHeaders, Header, WireNames, header_applier
from crossgate.policy import EffectivePolicy, Request, SameOrigin, ServerPolicy, names
from crossgate.policy.decision import Outcome
from crossgate.policy.flow import (
    CORS_REQUEST,
    METHOD_FORBIDDEN,
    NO_ORIGIN,
    PREFLIGHT,
    FlowTable,
    Trace,
    trace,
)
from crossgate.policy.header_list import MAX_LIST_LENGTH, skip_separators
from crossgate.policy.request import HEADERS
from crossgate.policy.responses import (
    FORWARDED_UNCHANGED,
    ResponseSettings,
    ResponseTemplate,
    response_template,
)

MAX_READ: Final = MAX_LIST_LENGTH + 1
"""Bytes of a value that are read. Longer values are too long for the engine, and so are their first bytes."""


@dataclass(frozen=True, slots=True)
class Wire(Generic[AnyStr]):
    """How a server protocol represents header names and values."""

    read: Callable[[AnyStr], str]
    write: Callable[[Iterable[tuple[str, str]]], list[Header[AnyStr]]]
    names: WireNames[AnyStr]


class PassThrough(NamedTuple):
    """The application is called, and its response returned unchanged."""


class AddHeaders(NamedTuple, Generic[AnyStr]):
    """The application is called, and its response gets the policy's headers."""

    apply: ApplyHeaders[AnyStr]


class Respond(NamedTuple):
    """The application is not called; this is the response."""

    status: int
    body: bytes
    refusal: str = ""
    """What the log says of a refusal; empty for the response to an allowed preflight."""


Action = PassThrough | AddHeaders[AnyStr] | Respond
Enforced = tuple[Action[AnyStr], list[Header[AnyStr]]]
"""What to do with a request, and the headers of its response. Never change that list."""


class _Response(NamedTuple, Generic[AnyStr]):
    """A response template in the terms of a server protocol."""

    enforced: Enforced[AnyStr]
    """With all headers except the reflected ones."""
    reflects: list[tuple[AnyStr, int]]
    """Names of response headers, each with the index of the value that it copies from the request."""


_Find = Callable[[Sequence[str]], _Response[AnyStr]]


def _reflect(response: _Response[AnyStr], values: Sequence[AnyStr]) -> Enforced[AnyStr]:
    """The response with its reflected headers."""
    (action, headers), reflects = response
    headers = headers.copy()
    for name, index in reflects:
        value = values[index]
        if value:
            headers.append((name, value))
    return action, headers


class Enforcer(Generic[AnyStr]):
    """Enforces one policy."""

    __slots__ = (
        "_debug",
        "_on_decision",
        "_responses",
        "_settings",
        "_templates",
        "_wire",
        "policy",
        "refusal_log",
    )

    def __init__(
        self,
        policy: EnforcedPolicy,
        wire: Wire[AnyStr],
        *,
        debug: bool,
        on_decision: OnDecision | None = None,
    ) -> None:
        self.policy = policy
        self.refusal_log = RefusalLogger(limited=not debug)
        self._on_decision = on_decision
        self._settings = ResponseSettings.of(policy)
        self._wire: Wire[AnyStr] = wire
        self._debug = debug
        self._templates = {
            outcome: response_template(self._settings, outcome) for outcome in self._settings.outcomes()
        }
        self._responses: dict[Outcome, _Response[AnyStr]] = {
            outcome: self._prepare(
                template if self._settings.enforces(outcome) else FORWARDED_UNCHANGED, outcome
            )
            for outcome, template in self._templates.items()
        }

    def enforce(self, method: str, path: str, values: Sequence[AnyStr]) -> Enforced[AnyStr]:
        """What to do with a request; ``values`` are those of :data:`~crossgate.policy.request.HEADERS`.

        The path is only reported.
        """
        origin, request_method, request_headers, fetch_site, *others = values
        # Only server-level CORS has steps about the others. A malformed Host is the server's business.
        others = others if isinstance(self.policy, ServerPolicy) else []
        values = (origin, request_method, shorten_list(request_headers), fetch_site, *others)
        read = (self._wire.read(value[:MAX_READ]) for value in values)
        request = Request(method, **dict(zip(HEADERS.values(), read, strict=False)))
        found = trace(self.policy, request)
        template = self._templates[found.outcome]
        refused = template.status is not None and template.status >= 400
        if self._on_decision is not None:
            self._report(self._on_decision, request, path, found.outcome, refused=refused)
        if refused:
            if not self._settings.enforces(found.outcome):
                refusal = _refusal(template, found.outcome.reason)
                LOG.info("observed: %s: %s", describe(request, path), refusal)
            elif self._debug:
                return self._refuse_in_detail(template, found)
        return _reflect(self._responses[found.outcome], values)

    def _report(
        self, on_decision: OnDecision, request: Request, path: str, outcome: Outcome, *, refused: bool
    ) -> None:
        observed = not self._settings.enforces(outcome)
        event = DecisionEvent(request, path, outcome.flow, outcome.reason, refused, observed)
        try:
            on_decision(event)
        except Exception:  # noqa: BLE001 - it may be any, and requests must not depend on it
            LOG.exception("on_decision raised an exception; the request is not affected")

    def _prepare(self, template: ResponseTemplate, outcome: Outcome) -> _Response[AnyStr]:
        names = self._wire.write((name, "") for name, _ in template.reflects)
        order = [*HEADERS]
        reflects = [
            (name, order.index(header))
            for (name, _), (_, header) in zip(names, template.reflects, strict=True)
        ]
        return _Response(self._apply(template, template.body, outcome.reason), reflects)

    def _apply(self, template: ResponseTemplate, text: str, reason: str) -> Enforced[AnyStr]:
        """The template without its reflected headers."""
        body = text.encode()
        headers = self._wire.write(_own_headers(template, len(body)))
        if template.status is not None:
            return Respond(template.status, body, _refusal(template, reason)), headers
        if not template.strip:
            return PassThrough(), []
        return AddHeaders(header_applier(self._wire.names, vary=template.vary)), headers

    def _refuse_in_detail(self, template: ResponseTemplate, found: Trace) -> Enforced[AnyStr]:
        """The refusal with the reason and the failed step; it repeats nothing of the request."""
        question = found.failed.question if found.failed is not None else ""
        details = f"{found.outcome.reason}: {question} No."
        return self._apply(template, f"{template.body}\n{details}\n", details)


class ApiEnforcer(Enforcer[AnyStr]):
    """Enforces an API's policy where nothing is logged or reported, from the few header values that it needs.

    A plain Enforcer takes several times as long (``bench/middleware``). Here no :class:`Request` is made: the
    steps of the flows are bound to the policy, and the answers of the slow ones are cached.
    """

    __slots__ = (
        "_find_preflight",
        "_find_request",
        "_public_origins",
        "detects_same_origin",
        "method_forbidden",
        "no_origin",
    )

    def __init__(self, policy: EffectivePolicy, wire: Wire[AnyStr]) -> None:
        super().__init__(policy, wire, debug=False)  # type: ignore[arg-type]  # mypy takes them for two types
        self._public_origins = policy.public_origins
        self.detects_same_origin = policy.same_origin is SameOrigin.DETECT
        """Whether ``Sec-Fetch-Site`` is looked at. If it says so, pass an empty origin to the methods."""
        bound = _bind_steps(policy)
        self._find_request: _Find[AnyStr] = self._bind(policy, CORS_REQUEST, bound)
        self._find_preflight: _Find[AnyStr] = self._bind(policy, PREFLIGHT, bound)
        self.no_origin: Enforced[AnyStr] = self._responses[NO_ORIGIN.passed].enforced
        """For requests without an origin, OPTIONS requests excepted."""
        self.method_forbidden: Enforced[AnyStr] = self._responses[METHOD_FORBIDDEN].enforced

    def enforce_request(self, origin: str, value: AnyStr) -> Enforced[AnyStr]:
        """What to do with a request that is not an OPTIONS request; ``value`` is its ``Origin``."""
        if origin in self._public_origins:
            return self.no_origin
        response = self._find_request((origin,))
        return _reflect(response, (value,)) if response.reflects else response.enforced

    def enforce_options(self, read: tuple[str, str, str], values: tuple[AnyStr, ...]) -> Enforced[AnyStr]:
        """What to do with an OPTIONS request, by the first three of its ``HEADERS``."""
        if read[0] in self._public_origins:
            read = ("", *read[1:])
        response = self._find_preflight(read)
        return _reflect(response, values) if response.reflects else response.enforced

    def _bind(
        self, policy: EffectivePolicy, flow: FlowTable[EffectivePolicy], bound: _BoundSteps
    ) -> _Find[AnyStr]:
        """The function that takes a request's values through the flow, to the response."""
        attributes = [*HEADERS.values()]
        steps = [
            (attributes.index(step.looks_at), bound[step.passes], self._responses[step.outcome_under(policy)])
            for step in flow.steps
        ]
        passed = self._responses[flow.passed]

        def find(values: Sequence[str]) -> _Response[AnyStr]:
            for index, passes, refusal in steps:
                if not passes(values[index]):
                    return refusal
            return passed

        return find


_BoundSteps = dict[Callable[[EffectivePolicy], Callable[[str], bool]], Callable[[str], bool]]


def _bind_steps(policy: EffectivePolicy) -> _BoundSteps:
    """The tests of all steps under the policy; the answers of slow ones are cached."""
    bound: _BoundSteps = {}
    for step in (*CORS_REQUEST.steps, *PREFLIGHT.steps):
        passes = step.passes(policy)
        is_slow = step.looks_at in _CACHED and (step.looks_at != "origin" or policy.origins.by_pattern)
        bound[step.passes] = bounded_cache(passes, _CACHED[step.looks_at]) if is_slow else passes
    return bound


_CACHED: Final = {"origin": 255, "request_headers": 2048}
"""The values whose answers are cached, with their longest length. No origin of a real host is longer (RFC
1035, section 2.3.4). Exact origins need no cache."""

CACHE_SIZE: Final = 512
"""Answers in each cache; the least recently used is dropped first."""


def bounded_cache(function: Callable[[str], bool], longest: int) -> Callable[[str], bool]:
    """The function with its last answers cached, for strings of up to ``longest`` characters.

    A hit takes a tenth of a microsecond, a call of RE2 more than one. Both bounds limit the memory that
    hostile requests can fill.
    """
    cached = lru_cache(CACHE_SIZE)(function)
    return lambda value: cached(value) if len(value) <= longest else function(value)


def _own_headers(template: ResponseTemplate, length: int) -> list[tuple[str, str]]:
    """The headers of all responses from the template; ``Vary`` first on those of the application."""
    vary = [(names.VARY, names.ORIGIN)] if template.vary else []
    constant = [(name, value) for name, value in template.headers if isinstance(value, str)]
    if template.forwarded:
        return [*vary, *constant]
    return [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(length)),
        *constant,
        *vary,
    ]


def shorten_list(request_headers: AnyStr) -> AnyStr:
    """As much of a long list as is read, without the separators at its beginning."""
    if len(request_headers) <= MAX_READ:
        return request_headers
    return skip_separators(request_headers)[:MAX_READ]


def _refusal(template: ResponseTemplate, reason: str) -> str:
    if template.status is None or template.status < 400:
        return ""
    return f"{template.status} {template.body} ({reason})"
