"""An API's policy as an ordered list of routes: its flows, question by question."""

from __future__ import annotations

from dataclasses import dataclass

from crossgate.compiler.conditions import Step, differs, each, equals
from crossgate.compiler.origins import ByOrigin, route_by_origin
from crossgate.compiler.private_headers import JUDGED, JUDGED_HEADER
from crossgate.compiler.requested import header_refusals, method_refusals, no_method_named
from crossgate.compiler.responses import reflected, verbatim
from crossgate.compiler.routes import Outcomes
from crossgate.compiler.routing import Routing
from crossgate.policy import EffectivePolicy, Reason, names
from crossgate.policy.decision import (
    HEADER_NOT_SUPPORTED,
    METHOD_NOT_ALLOWED,
    ORIGIN_NOT_ALLOWED,
    Header,
)

_IS_OPTIONS = equals(":method", "OPTIONS")
_IS_REQUEST = differs(":method", "OPTIONS")


def compile_flow(
    policy: EffectivePolicy | None, outcomes: Outcomes, *, judged_before: bool = False
) -> Routing:
    """What becomes of a request that has been found to be for this API.

    With ``judged_before`` the policy still judges what does not come from server-level CORS: requests on
    connections that were accepted before it was turned on. Envoy leaves those on the listener that it
    replaces until they are drained, and nobody would judge them otherwise.
    """
    passed = outcomes.passed(Reason.NO_POLICY)
    if policy is None:
        return Routing(outcomes.routes([Step((), passed)]))
    judged = _Flow(policy, outcomes).routing()
    if not judged_before:
        return judged
    return judged.preceded_by(*outcomes.routes([Step((equals(JUDGED_HEADER, JUDGED),), passed)]))


@dataclass(frozen=True, slots=True)
class _Flow:
    """The origin is asked about first, as no answer to it depends on the method: so its set is there once."""

    policy: EffectivePolicy
    outcomes: Outcomes

    def routing(self) -> Routing:
        absent = [
            Step((_IS_OPTIONS,), self._plain_options(Reason.ORIGIN_MISSING, ())),
            Step((), self._forwarded(Reason.NO_ORIGIN, ())),
        ]
        to = ByOrigin(absent, self._refused(Reason.ORIGIN_REFUSED), self._admitted())
        return route_by_origin(self.policy.origins, self.policy.public_origins, to, self.outcomes)

    def _admitted(self) -> list[Step]:
        asked = self.policy.policy
        answered = self._answer_headers()
        return [
            Step((_IS_REQUEST,), self._forwarded(Reason.ORIGIN_ALLOWED, answered)),
            Step((no_method_named(),), self._plain_options(Reason.METHOD_MISSING, answered)),
            *each(method_refusals(asked.allowed_methods), self._refused(Reason.METHOD_REFUSED)),
            *each(header_refusals(asked.allow_headers), self._refused(Reason.HEADER_REFUSED)),
            Step((), self._allowed()),
        ]

    def _plain_options(self, refusal: Reason, headers: tuple[Header, ...]) -> bytes:
        if self.policy.forwards_plain_options:
            return self._forwarded(Reason.PLAIN_OPTIONS, headers)
        return self._refused(refusal)

    def _forwarded(self, reason: Reason, headers: tuple[Header, ...]) -> bytes:
        if self.policy.observes:
            return self.outcomes.observed(reason)
        return self.outcomes.forwarded(reason, headers, vary=self._varies)

    def _refused(self, reason: Reason) -> bytes:
        if self.policy.observes:
            return self.outcomes.observed(reason)
        allow = tuple((name, verbatim(value)) for name, value in self.policy.allow)
        match reason:
            case Reason.ORIGIN_MISSING | Reason.METHOD_MISSING | Reason.METHOD_REFUSED:
                status, body, headers = 405, METHOD_NOT_ALLOWED, allow
            case Reason.HEADER_REFUSED:
                status, body, headers = 403, HEADER_NOT_SUPPORTED, ()
            case _:
                status, body, headers = 403, ORIGIN_NOT_ALLOWED, ()
        return self.outcomes.answered(reason, status, body, headers, vary=self._varies)

    def _allowed(self) -> bytes:
        reason = Reason.PREFLIGHT_ALLOWED
        if self.policy.observes:
            return self.outcomes.observed(reason)
        headers = (*self._origin_headers(), *self._preflight_headers())
        return self.outcomes.answered(reason, 200, "", headers, vary=self._varies)

    @property
    def _varies(self) -> bool:
        return bool(self.policy.vary)

    def _origin_headers(self) -> tuple[Header, ...]:
        origin = names.ANY if self.policy.origins.any_origin else reflected(names.ORIGIN)
        if self.policy.policy.allow_credentials:
            return (names.ALLOW_ORIGIN, origin), (names.ALLOW_CREDENTIALS, "true")
        return ((names.ALLOW_ORIGIN, origin),)

    def _answer_headers(self) -> tuple[Header, ...]:
        exposed = verbatim(", ".join(self.policy.policy.expose_headers))
        return (*self._origin_headers(), *(((names.EXPOSE_HEADERS, exposed),) if exposed else ()))

    def _preflight_headers(self) -> tuple[Header, ...]:
        policy = self.policy.policy
        listed_methods = verbatim(", ".join(policy.allowed_methods))
        listed_headers = verbatim(", ".join(policy.allow_headers))
        methods = reflected(names.REQUEST_METHOD) if self.policy.any_method else listed_methods
        headers = reflected(names.REQUEST_HEADERS) if self.policy.any_header else listed_headers
        max_age = "" if policy.max_age is None else str(policy.max_age)
        values = ((names.ALLOW_METHODS, methods), (names.ALLOW_HEADERS, headers), (names.MAX_AGE, max_age))
        return tuple((name, value) for name, value in values if value)
