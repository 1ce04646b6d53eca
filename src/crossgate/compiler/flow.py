"""An API's policy as a tree of conditions over its routes: its flows, question by question."""

from __future__ import annotations

from dataclasses import dataclass

from crossgate.compiler.matching import Branch, all_of, branch, equals, is_not, leaf
from crossgate.compiler.origin_matcher import OriginBranches, branch_on_origin
from crossgate.compiler.private_headers import JUDGED, JUDGED_HEADER
from crossgate.compiler.requested import headers_admitted, headers_named, method_admitted, method_named
from crossgate.compiler.responses import reflected, verbatim
from crossgate.compiler.routes import Leaves
from crossgate.policy import EffectivePolicy, Reason, names
from crossgate.policy.decision import (
    HEADER_NOT_SUPPORTED,
    METHOD_NOT_ALLOWED,
    ORIGIN_NOT_ALLOWED,
    Header,
)


def compile_flow(policy: EffectivePolicy | None, leaves: Leaves, *, judged_before: bool = False) -> Branch:
    """What becomes of a request that has been found to be for this API.

    With ``judged_before`` the policy still judges what does not come from server-level CORS: requests on
    connections that were accepted before it was turned on. Envoy leaves those on the listener that it
    replaces until they are drained, and nobody would judge them otherwise.
    """
    if policy is None:
        return leaf(leaves.passed(Reason.NO_POLICY))
    judged = _Flow(policy, leaves).tree()
    if not judged_before:
        return judged
    return branch([(equals(JUDGED_HEADER, JUDGED), leaf(leaves.passed(Reason.NO_POLICY)))], judged)


@dataclass(frozen=True, slots=True)
class _Flow:
    """The origin is asked about first, as no answer to it depends on the method: so its set is there once."""

    policy: EffectivePolicy
    leaves: Leaves

    def tree(self) -> Branch:
        allowed = self._forwarded(Reason.ORIGIN_ALLOWED, self._answer_headers())
        admitted = _options(self._requested_method(), allowed)
        absent = _options(
            self._plain_options(Reason.ORIGIN_MISSING, ()), self._forwarded(Reason.NO_ORIGIN, ())
        )
        to = OriginBranches(admitted, self._refused(Reason.ORIGIN_REFUSED), absent)
        return branch_on_origin(self.policy.origins, self.policy.public_origins, to)

    def _requested_method(self) -> Branch:
        cases = []
        admitted = method_admitted(self.policy.policy.allowed_methods)
        if admitted is not None:
            cases.append((admitted, self._requested_headers()))
        cases.append((method_named(), self._refused(Reason.METHOD_REFUSED)))
        return branch(cases, self._plain_options(Reason.METHOD_MISSING, self._answer_headers()))

    def _requested_headers(self) -> Branch:
        # In this order, and so that each outcome is there once: most preflights are asked the first only.
        admitted = headers_admitted(self.policy.policy.allow_headers)
        others_named = all_of([is_not(admitted), headers_named()])
        return branch([(others_named, self._refused(Reason.HEADER_REFUSED))], self._allowed())

    def _plain_options(self, refusal: Reason, headers: tuple[Header, ...]) -> Branch:
        if self.policy.forwards_plain_options:
            return self._forwarded(Reason.PLAIN_OPTIONS, headers)
        return self._refused(refusal)

    def _forwarded(self, reason: Reason, headers: tuple[Header, ...]) -> Branch:
        if self.policy.observes:
            return leaf(self.leaves.observed(reason))
        return leaf(self.leaves.forwarded(reason, headers, vary=self._varies))

    def _refused(self, reason: Reason) -> Branch:
        if self.policy.observes:
            return leaf(self.leaves.observed(reason))
        allow = tuple((name, verbatim(value)) for name, value in self.policy.allow)
        match reason:
            case Reason.ORIGIN_MISSING | Reason.METHOD_MISSING | Reason.METHOD_REFUSED:
                status, body, headers = 405, METHOD_NOT_ALLOWED, allow
            case Reason.HEADER_REFUSED:
                status, body, headers = 403, HEADER_NOT_SUPPORTED, ()
            case _:
                status, body, headers = 403, ORIGIN_NOT_ALLOWED, ()
        return leaf(self.leaves.answered(reason, status, body, headers, vary=self._varies))

    def _allowed(self) -> Branch:
        reason = Reason.PREFLIGHT_ALLOWED
        if self.policy.observes:
            return leaf(self.leaves.observed(reason))
        headers = (*self._origin_headers(), *self._preflight_headers())
        return leaf(self.leaves.answered(reason, 200, "", headers, vary=self._varies))

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


def _options(answered: Branch, otherwise: Branch) -> Branch:
    return branch([(equals(":method", "OPTIONS"), answered)], otherwise)
