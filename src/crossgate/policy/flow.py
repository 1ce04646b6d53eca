"""The outcome of each request: the first table of the specification.

A request takes one flow (:func:`choose_flow`), a same-origin request that of one without ``Origin``. A flow
is a list of steps, in the order of ``docs/reference/policy.md``: the first that fails determines the outcome.
Each step looks at one value of the request. The responses to the outcomes are in
:mod:`crossgate.policy.responses`.

The engine and the middleware take these steps, :func:`~crossgate.policy.explain` reports them, and the
compiler turns them into routes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, NamedTuple, TypeVar, assert_never

from crossgate.policy.decision import Flow, Outcome, Reason
from crossgate.policy.effective import EffectivePolicy
from crossgate.policy.request import OPTIONS, Request, echoes_request, is_malformed_host, is_malformed_path
from crossgate.policy.responses import Policy
from crossgate.policy.same_origin import SameOrigin, says_same_origin
from crossgate.policy.server_cors import PREFIX as SETTING_PREFIX
from crossgate.policy.server_cors import ServerPolicy

_Policy = TypeVar("_Policy")


@dataclass(frozen=True, slots=True)
class FlowStep(Generic[_Policy]):
    """One question that a request must pass."""

    outcome: Outcome
    """Of the requests that fail here."""
    question: str
    looks_at: str
    """The attribute of :class:`~crossgate.policy.Request` that the question is about."""
    passes: Callable[[_Policy], Callable[[str], bool]]
    """The test that a policy makes of that attribute's value."""
    plain_outcome: Outcome | None = None
    """The outcome instead if the policy forwards OPTIONS requests that are not preflights."""
    configured: Callable[[_Policy], bool] | None = None
    """Whether the policy has this step; None if every policy has it."""
    rule: str = ""
    """The property of the policy, or the setting, that decides; empty if none does."""

    def outcome_under(self, policy: _Policy) -> Outcome:
        """The outcome of the requests that fail here."""
        if (
            self.plain_outcome is not None
            and isinstance(policy, EffectivePolicy)
            and policy.forwards_plain_options
        ):
            return self.plain_outcome
        return self.outcome


@dataclass(frozen=True, slots=True)
class FlowTable(Generic[_Policy]):
    """The steps of one flow, in order, and the outcome of the requests that pass them all."""

    steps: tuple[FlowStep[_Policy], ...]
    passed: Outcome


def _admits_origin(policy: EffectivePolicy | ServerPolicy) -> Callable[[str], bool]:
    return policy.origins.admits


def _admits_headers(policy: EffectivePolicy | ServerPolicy) -> Callable[[str], bool]:
    return policy.header_names.admit


METHOD_FORBIDDEN: Final = Outcome(Flow.MALFORMED, Reason.METHOD_FORBIDDEN)

MALFORMED: Final[tuple[FlowStep[object], ...]] = (
    FlowStep(
        Outcome(Flow.MALFORMED, Reason.PATH_MALFORMED),
        "Is the path free of dot segments, also when decoded again?",
        "path",
        lambda _: lambda path: path == "" or not is_malformed_path(path),
    ),
    FlowStep(
        METHOD_FORBIDDEN,
        "Is the method one that does not echo the request?",
        "method",
        lambda _: lambda method: not echoes_request(method),
    ),
    FlowStep(
        Outcome(Flow.MALFORMED, Reason.HOST_MALFORMED),
        "Is the Host one host, without a user?",
        "host",
        lambda _: lambda host: not is_malformed_host(host),
    ),
)
"""The steps of every request, whatever the policy; before those of its flow."""

PREFLIGHT: Final[FlowTable[EffectivePolicy]] = FlowTable(
    (
        FlowStep(
            Outcome(Flow.PREFLIGHT, Reason.ORIGIN_MISSING),
            "Is there an Origin?",
            "origin",
            lambda _: bool,
            plain_outcome=Outcome(Flow.NO_ORIGIN, Reason.PLAIN_OPTIONS),
        ),
        FlowStep(
            Outcome(Flow.PREFLIGHT, Reason.ORIGIN_REFUSED),
            "Is the origin allowed?",
            "origin",
            _admits_origin,
            rule="allowed_origins",
        ),
        FlowStep(
            Outcome(Flow.PREFLIGHT, Reason.METHOD_MISSING),
            "Is there an Access-Control-Request-Method?",
            "request_method",
            lambda _: bool,
            plain_outcome=Outcome(Flow.CORS_REQUEST, Reason.PLAIN_OPTIONS),
        ),
        FlowStep(
            Outcome(Flow.PREFLIGHT, Reason.METHOD_REFUSED),
            "Is the requested method allowed?",
            "request_method",
            lambda policy: policy.admits_method,
            rule="allowed_methods",
        ),
        FlowStep(
            Outcome(Flow.PREFLIGHT, Reason.HEADER_REFUSED),
            "Is every requested header allowed?",
            "request_headers",
            _admits_headers,
            rule="allow_headers",
        ),
    ),
    Outcome(Flow.PREFLIGHT, Reason.PREFLIGHT_ALLOWED),
)
"""An OPTIONS request, under the policy of an API."""

CORS_REQUEST: Final[FlowTable[EffectivePolicy]] = FlowTable(
    (
        FlowStep(
            Outcome(Flow.CORS_REQUEST, Reason.ORIGIN_REFUSED),
            "Is the origin allowed?",
            "origin",
            _admits_origin,
            rule="allowed_origins",
        ),
    ),
    Outcome(Flow.CORS_REQUEST, Reason.ORIGIN_ALLOWED),
)
"""Any other request with an ``Origin``, under the policy of an API."""

NO_ORIGIN: Final[FlowTable[Any]] = FlowTable((), Outcome(Flow.NO_ORIGIN, Reason.NO_ORIGIN))
NO_POLICY: Final[FlowTable[None]] = FlowTable((), Outcome(Flow.PASS_THROUGH, Reason.NO_POLICY))

HAS_ORIGIN: Final[FlowStep[object]] = FlowStep(
    NO_ORIGIN.passed, "Is there an Origin?", "origin", lambda _: bool
)
"""What leads to a flow of requests with an Origin; :func:`choose_flow` asks it."""
HAS_POLICY: Final[FlowStep[Policy]] = FlowStep(
    NO_POLICY.passed,
    "Does the API have a policy?",
    "method",
    lambda policy: lambda _: policy is not None,
)
"""What leads to any other flow; :func:`choose_flow` asks it."""


def _server_steps(flow: Flow, method: str) -> tuple[FlowStep[ServerPolicy], ...]:
    """The steps that both flows of server-level CORS have; ``method`` is the attribute with the method."""
    return (
        FlowStep(
            Outcome(flow, Reason.HOST_REFUSED),
            "Is the Host the configured one?",
            "host",
            lambda policy: lambda host: host == policy.host,
            configured=lambda policy: policy.host != "",
            rule=SETTING_PREFIX + "host",
        ),
        FlowStep(
            Outcome(flow, Reason.ORIGIN_REFUSED),
            "Is the origin allowed?",
            "origin",
            _admits_origin,
            rule=SETTING_PREFIX + "allowedOrigins",
        ),
        FlowStep(
            Outcome(flow, Reason.METHOD_REFUSED),
            "Is the requested method allowed?" if method == "request_method" else "Is the method allowed?",
            method,
            lambda policy: lambda value: value in policy.supported_methods,
            rule=SETTING_PREFIX + "supportedMethods",
        ),
    )


SERVER_PREFLIGHT: Final[FlowTable[ServerPolicy]] = FlowTable(
    (
        *_server_steps(Flow.PREFLIGHT, "request_method"),
        FlowStep(
            Outcome(Flow.PREFLIGHT, Reason.HEADER_REFUSED),
            "Is every requested header allowed?",
            "request_headers",
            _admits_headers,
            rule=SETTING_PREFIX + "supportedHeaders",
        ),
    ),
    Outcome(Flow.PREFLIGHT, Reason.PREFLIGHT_ALLOWED),
)
"""An OPTIONS request with an ``Origin`` and an ``Access-Control-Request-Method``, under server-level CORS."""

SERVER_REQUEST: Final[FlowTable[ServerPolicy]] = FlowTable(
    (
        *_server_steps(Flow.CORS_REQUEST, "method"),
        FlowStep(
            Outcome(Flow.CORS_REQUEST, Reason.HEADER_REFUSED),
            "Is the Content-Type allowed?",
            "content_type",
            lambda policy: policy.admits_content_type,
            rule=SETTING_PREFIX + "supportedHeaders",
        ),
    ),
    Outcome(Flow.CORS_REQUEST, Reason.ORIGIN_ALLOWED),
)
"""Any other request with an ``Origin``, under server-level CORS."""


def is_same_origin(policy: EffectivePolicy | ServerPolicy, request: Request) -> bool:
    """Whether the gateway's own pages send the request: it passes as if it had no ``Origin``."""
    detected = policy.same_origin is SameOrigin.DETECT and says_same_origin(request.sec_fetch_site)
    return detected or request.origin in policy.public_origins


def choose_flow(policy: Policy, request: Request) -> FlowTable[Any]:
    """The flow of a request that is neither malformed nor same-origin."""
    match policy:
        case None:
            return NO_POLICY
        case EffectivePolicy() if request.method == OPTIONS:
            return PREFLIGHT
        case _ if not request.origin:
            return NO_ORIGIN
        case EffectivePolicy():
            return CORS_REQUEST
        case ServerPolicy():
            return (
                SERVER_PREFLIGHT if request.method == OPTIONS and request.request_method else SERVER_REQUEST
            )
        case _ as never:
            assert_never(never)


class Trace(NamedTuple):
    """The way of a request through its flow: the steps taken, and the outcome."""

    request: Request
    """As the steps see it: without the ``Origin`` of a same-origin request."""
    passed: tuple[FlowStep[Any], ...]
    failed: FlowStep[Any] | None
    outcome: Outcome


def trace(policy: Policy, request: Request) -> Trace:
    """The steps of the request up to the first that fails, and its outcome."""
    passed: list[FlowStep[Any]] = []
    if request.origin and policy is not None and is_same_origin(policy, request):
        request = replace(request, origin="")
    flow: FlowTable[Any] = choose_flow(policy, request)
    for step in (*MALFORMED, *flow.steps):
        if step.configured is not None and not step.configured(policy):
            continue
        if not step.passes(policy)(getattr(request, step.looks_at)):
            return Trace(request, tuple(passed), step, step.outcome_under(policy))
        passed.append(step)
    return Trace(request, tuple(passed), None, flow.passed)
