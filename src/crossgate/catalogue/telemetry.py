"""What a gateway reports about the requests that it handles: counters, samples, an access log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from crossgate.diagnostics import Diagnostic
from crossgate.record import Boolean, Choice, Field, Parsed, Record, WholeNumber

_SUFFIXES: Final = (".log", ".jsonl")


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What nodes report to their control plane."""

    enabled: bool = True
    """Whether decisions are counted and requests sampled."""
    refusals_per_second: int = 1000
    """Refused requests that a node reports one by one, for scripts and for browsers each; 0 for none."""
    allowed_per_second: int = 50
    """Allowed requests with an ``Origin`` that a node reports; 0 for none."""


class LoggedRequests(StrEnum):
    """The requests in the access log."""

    REFUSALS = "refusals"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class AccessLog:
    """A file to which Envoy appends a line of JSON for each request."""

    file: str
    requests: LoggedRequests = LoggedRequests.REFUSALS


_DEFAULTS: Final = Telemetry()

TELEMETRY: Final = Record(
    "TelemetryEntry",
    "What nodes report about requests.",
    Telemetry,
    (
        Field(
            "enabled",
            Boolean(),
            "Whether decisions are counted, and requests reported as below. A change replaces the listener, "
            "which closes connections.",
            default=_DEFAULTS.enabled,
        ),
        Field(
            "refusals_per_second",
            WholeNumber(0, 10_000),
            "How many refused requests each node reports one by one and second, up to 10000: so many of "
            "browsers, and as many others. 0 for none. The counters count all.",
            default=_DEFAULTS.refusals_per_second,
        ),
        Field(
            "allowed_per_second",
            WholeNumber(0, 1000),
            "The same for allowed requests with an `Origin`, up to 1000: from them Crossgate knows which "
            "origins use an API.",
            default=_DEFAULTS.allowed_per_second,
        ),
    ),
)


def _parse_log_file(raw: object) -> str | Diagnostic:
    # Envoy appends to any file that it may write, and lines contain what requests contain: in a start-up
    # file of a shell, they would be commands.
    if isinstance(raw, str) and raw.isprintable() and raw.endswith(_SUFFIXES) and raw not in _SUFFIXES:
        return raw
    return Diagnostic(
        code="access-log-name",
        message=f"an access log must be a file whose name ends in {' or '.join(_SUFFIXES)}",
        found=repr(raw),
        remedy="Write for example /var/log/crossgate/access.log",
    )


ACCESS_LOG: Final = Record(
    "AccessLogEntry",
    "The gateway's access log.",
    AccessLog,
    (
        Field(
            "file",
            Parsed(
                _parse_log_file,
                {"type": "string", "pattern": r"^.+\.(log|jsonl)$"},
                string_only=True,
            ),
            "The file, on the machine of each node; its name ends in `.log` or `.jsonl`. A regular file, or "
            "none yet: a pipe whose reader stalls would stall Envoy.",
        ),
        Field(
            "requests",
            Choice(LoggedRequests),
            "Which requests: `refusals`, those that `mode: observe` only counts included, or `all`.",
            default=LoggedRequests.REFUSALS,
        ),
    ),
)
