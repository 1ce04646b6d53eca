"""How long the supervisor waits, and for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the supervisor waits for what, in seconds."""

    drain: float = 30.0
    """For requests to end, before Envoy is told to."""
    terminate: float = 5.0
    """For Envoy to end, before it is killed."""
    ready: float = 10.0
    """For Envoy to be ready, before that is reported."""
    stable: float = 10.0
    """Of serving, after which earlier failures are forgotten."""
    first_restart: float = 0.1
    longest_restart: float = 30.0

    def before_restart(self, failures: int) -> float:
        """The pause after so many failures in a row: doubling, up to the longest."""
        # The exponent is bounded: 2.0 ** 2000 is an error, and a gateway may fail for weeks.
        return min(self.longest_restart, self.first_restart * 2.0 ** min(failures - 1, 40))
