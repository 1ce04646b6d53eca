"""Asks the engine, and puts each of its rulings into the server protocol's words once.

No request is remembered here: to decide costs little more than to look up what was decided.
"""

from __future__ import annotations

import logging
from typing import AnyStr, Final, Generic, NamedTuple

from crossgate.middleware.outcome import LOOKED_AT, Judged, Wire, judged
from crossgate.policy import Answer, EffectivePolicy, Request, ServerPolicy, decide, explain
from crossgate.policy.decide import NO_ORIGIN, exit_of_options, exit_of_request, find_exit, ruling_at
from crossgate.policy.malformed import METHOD_FORBIDDEN
from crossgate.policy.request import OPTIONS
from crossgate.policy.request_headers import skip_separators
from crossgate.policy.ruling import REPEATED, Exit

_LOG: Final = logging.getLogger("crossgate.middleware")
"""At INFO: what observe mode would have refused and, with ``debug``, what was refused."""


class Prepared(NamedTuple, Generic[AnyStr]):
    """A ruling in a server protocol's words."""

    judged: Judged[AnyStr]
    """Without what it repeats."""
    repeats: list[tuple[AnyStr, int]]
    """Names of headers, and which part of the request each of them repeats."""


class Judge(Generic[AnyStr]):
    """Judges requests under one policy."""

    __slots__ = ("_debug", "_prepared", "_tells", "_wire", "policy")

    def __init__(
        self, policy: EffectivePolicy | ServerPolicy | None, wire: Wire[AnyStr], *, debug: bool
    ) -> None:
        self.policy = policy
        self._wire: Wire[AnyStr] = wire
        self._debug = debug
        self._tells = debug or (isinstance(policy, EffectivePolicy) and policy.observes)
        self._prepared: dict[Exit, Prepared[AnyStr]] = {}

    def ask(self, method: str, *said: AnyStr) -> Judged[AnyStr]:
        """What becomes of a request that said this, in the order of :class:`~crossgate.policy.Request`."""
        origin, request_method, request_headers, *others = said
        said = (origin, request_method, shortened(request_headers), *others)
        if not isinstance(self.policy, ServerPolicy):
            # An API's policy has no question about the Host. A malformed one is left to the server.
            said = said[:3]
        request = Request(method, *(self._wire.read(value[:LOOKED_AT]) for value in said))
        return self._told(request) if self._tells else self._at(find_exit(self.policy, request), said)

    def _at(self, place: Exit, said: tuple[AnyStr, ...]) -> Judged[AnyStr]:
        """What becomes of the requests that leave their flow there; ``said`` is what this one said."""
        prepared: Prepared[AnyStr] = self._prepared.get(place) or self._prepare(place)
        if not prepared.repeats:
            return prepared.judged
        outcome, headers = prepared.judged
        lines = headers.copy()
        for name, index in prepared.repeats:
            if said[index]:
                lines.append((name, said[index]))
        return outcome, lines

    def _prepare(self, place: Exit) -> Prepared[AnyStr]:
        ruling = ruling_at(self.policy, place)
        lines = self._wire.write((name, "") for name in ruling.repeats)
        repeats = [
            (name, REPEATED.index(each)) for (name, _), each in zip(lines, ruling.repeats, strict=True)
        ]
        prepared = self._prepared[place] = Prepared(judged(ruling.decision, self._wire), repeats)
        return prepared

    def _told(self, request: Request) -> Judged[AnyStr]:
        """With what is to be told of the request: to the log always, to the client in a refusal."""
        decision = decide(self.policy, request)
        reason = ""
        if isinstance(decision, Answer):
            if self._debug and decision.status >= 400:
                reason = _failing_step(self.policy, request)
                _LOG.info("refused: %s: %s (%s)", _said_of(request), decision.body, reason)
        elif decision.would is not None and decision.would.status >= 400:
            would = decision.would
            _LOG.info("observed: %s: %s %s (%s)", _said_of(request), would.status, would.body, would.reason)
        return judged(decision, self._wire, reason)


class ApiJudge(Judge[AnyStr]):
    """An API's policy, enforced in silence: it has to be told but little of a request."""

    __slots__ = ("_api", "method_forbidden", "without_origin")

    def __init__(self, policy: EffectivePolicy, wire: Wire[AnyStr]) -> None:
        super().__init__(policy, wire, debug=False)  # type: ignore[arg-type]  # mypy takes the two for others
        self._api = policy
        self.without_origin: Judged[AnyStr] = self._at(NO_ORIGIN, ())
        """What becomes of requests that have no origin and are no OPTIONS."""
        self.method_forbidden: Judged[AnyStr] = self._at(METHOD_FORBIDDEN, ())
        """What becomes of requests whose method echoes them."""

    def request(self, origin: str, sent: AnyStr) -> Judged[AnyStr]:
        """What becomes of a request that is no OPTIONS, of this origin, which was sent like that."""
        place = exit_of_request(self._api, origin)
        prepared: Prepared[AnyStr] = self._prepared.get(place) or self._prepare(place)
        if not prepared.repeats:
            return prepared.judged
        lines = prepared.judged[1].copy()
        lines.append((prepared.repeats[0][0], sent))
        return prepared.judged[0], lines

    def options(
        self, origin: str, request_method: str, request_headers: str, sent: tuple[AnyStr, AnyStr, AnyStr]
    ) -> Judged[AnyStr]:
        """What becomes of an OPTIONS request."""
        return self._at(exit_of_options(self._api, origin, request_method, request_headers), sent)


def shortened(request_headers: AnyStr) -> AnyStr:
    """As much of a long list as is looked at, without the separators in front."""
    if len(request_headers) <= LOOKED_AT:
        return request_headers
    return skip_separators(request_headers)[:LOOKED_AT]


def _failing_step(policy: EffectivePolicy | ServerPolicy | None, request: Request) -> str:
    """The reason and the failed step in our own words; nothing that the request said is repeated."""
    explanation = explain(policy, request)
    return f"{explanation.decision.reason}: {explanation.steps[-1].question} No."


def _said_of(request: Request) -> str:
    """In quotes and escaped: a log line stays one line, whatever the request holds."""
    kind = "OPTIONS request" if request.method == OPTIONS else "request"
    return f"{kind} from {request.origin[:200]!a}"
