"""The result of one request as its client and the native service see it, for every enforcement point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from crossgate.policy import Answer, Decision, Forward

HeaderLines = tuple[tuple[str, str], ...]
CORS_PREFIX: Final = "access-control-"


@dataclass(frozen=True, slots=True)
class NativeResponse:
    """The response of the native service."""

    status: int = 200
    headers: HeaderLines = ()


@dataclass(frozen=True, slots=True)
class VisibleResult:
    """The result of a request. For ``reason`` and ``body`` None means that they are not compared."""

    reaches_native: bool
    status: int
    reason: str | None
    body: str | None
    cors: Mapping[str, str]
    """All ``Access-Control-*`` headers of the response, names in lower case; lines joined by commas."""
    allow: str | None
    """The ``Allow`` header; compared only if the gateway answers."""
    vary: bool
    """Whether ``Vary`` names ``Origin``."""

    def differences(self, seen: VisibleResult) -> list[str]:
        """How ``seen`` differs from this expected result, in words; empty if it does not."""
        pairs: list[tuple[str, object, object]] = [
            ("reaches the native service", self.reaches_native, seen.reaches_native),
            ("status", self.status, seen.status),
            ("Access-Control-* headers", dict(self.cors), dict(seen.cors)),
            ("Vary names Origin", self.vary, seen.vary),
        ]
        if self.reason is not None and seen.reason is not None:
            pairs.append(("reason", self.reason, seen.reason))
        if self.body is not None and seen.body is not None:
            pairs.append(("body", self.body, seen.body))
        if not self.reaches_native:
            pairs.append(("Allow", self.allow, seen.allow))
        return [
            f"{what}: expected {wanted!r}, seen {found!r}" for what, wanted, found in pairs if wanted != found
        ]


def visible_result(
    *,
    reaches_native: bool,
    status: int,
    headers: Iterable[tuple[str, str]],
    body: str | None,
    reason: str | None = None,
) -> VisibleResult:
    """The result of a response, from its header lines."""
    lines = [(name.lower(), value) for name, value in headers]
    return VisibleResult(
        reaches_native,
        status,
        reason,
        body,
        _joined(line for line in lines if line[0].startswith(CORS_PREFIX)),
        _joined(lines).get("allow"),
        _names_origin(value for name, value in lines if name == "vary"),
    )


def expected_result(decision: Decision, native: NativeResponse) -> VisibleResult:
    """The result of the engine's decision if the native service responds with ``native``."""
    match decision:
        case Answer():
            return visible_result(
                reaches_native=False,
                status=decision.status,
                headers=decision.headers,
                body=decision.body,
                reason=decision.reason.value,
            )
        case Forward():
            kept = (
                (name, value)
                for name, value in native.headers
                if not (decision.strip and name.lower().startswith(CORS_PREFIX))
            )
            vary = (("Vary", "Origin"),) if decision.vary else ()
            return visible_result(
                reaches_native=True,
                status=native.status,
                headers=(*kept, *decision.headers, *vary),
                body=None,
                reason=decision.reason.value,
            )
        case _ as never:
            assert_never(never)


def _joined(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in lines:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _names_origin(values: Iterable[str]) -> bool:
    return "origin" in {name.strip().lower() for value in values for name in value.split(",")}
