"""A request that is sent through the gateway, to compare what Envoy does with what was computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from crossgate.catalogue.model import Gateway
from crossgate.diagnostics import Diagnostic
from crossgate.policy import Answer, Decision, Header
from crossgate.policy.names import ALLOW, CORS_HEADER_PREFIX, VARY
from crossgate.service.errors import ServiceError

_SHOWN: Final = frozenset({VARY.lower(), ALLOW.lower()})


@dataclass(frozen=True, slots=True)
class SentRequest:
    """What is sent; it has no body."""

    method: str
    path: str
    host: str
    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class SentResponse:
    """What came back, without the body."""

    status: int
    headers: tuple[Header, ...]

    @property
    def shown(self) -> tuple[Header, ...]:
        """The headers that CORS is about."""
        return tuple(one for one in self.headers if _is_shown(one[0]))


class RequestSender(Protocol):
    """Sends requests to the gateway's own listener, and nowhere else."""

    def send(self, gateway: Gateway, request: SentRequest) -> SentResponse:
        """The response. It blocks for at most some seconds.

        Raises:
            NotSent: the listener cannot be reached, or does not answer.

        """
        ...


class NotSent(ServiceError):  # noqa: N818 - named as other refusals are
    """A request that could not be sent through the gateway."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__([Diagnostic("not-sent", reason, remedy)])


def find_disagreements(decision: Decision, response: SentResponse) -> list[str]:
    """How the response differs from the decision; none for what only the native service decides."""
    found: list[str] = []
    if isinstance(decision, Answer) and decision.status != response.status:
        found.append(f"computed status {decision.status}, got {response.status}")
    if not isinstance(decision, Answer) and not decision.strip:
        return found
    expected, got = _by_name(decision.headers), _by_name(response.headers)
    names = {*expected, *(one for one in got if one.startswith(CORS_HEADER_PREFIX))} - {"vary"}
    found += [
        f"{name}: computed {expected.get(name) or 'none'}, got {got.get(name) or 'none'}"
        for name in sorted(names)
        if expected.get(name, "") != got.get(name, "")
    ]
    varies = "origin" in expected.get("vary", "").lower() or getattr(decision, "vary", False)
    if varies and "origin" not in got.get("vary", "").lower():
        found.append("vary: computed Origin, got none")
    return found


def _by_name(headers: Iterable[Header]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        found[lower] = f"{found[lower]}, {value}" if lower in found else value
    return found


def _is_shown(name: str) -> bool:
    return name.lower() in _SHOWN or name.lower().startswith(CORS_HEADER_PREFIX)
