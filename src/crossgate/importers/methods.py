"""Methods that other gateways list, and a Crossgate policy does not need."""

from __future__ import annotations

from typing import Final

from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.record import as_found

UNNEEDED_METHODS: Final = {
    "OPTIONS": "Crossgate answers preflights itself, and no OPTIONS request reaches the native service",
    "TRACE": "scripts cannot send TRACE (Fetch, forbidden method)",
    "TRACK": "scripts cannot send TRACK (Fetch, forbidden method)",
    "CONNECT": "scripts cannot send CONNECT (Fetch, forbidden method)",
}
"""By method, why it is left out."""


def preflights_not_routed(place: Place, answer: str) -> Diagnostic:
    """The warning that a route is not for OPTIONS, so that no preflight finds it."""
    return Diagnostic(
        "preflights-not-routed",
        f"the route is not for OPTIONS, so that {answer} to preflights: no method is taken over",
        "Add the methods to allowed_methods if pages of the allowed origins may send them",
        place,
        severity=Severity.WARNING,
    )


def unneeded(method: str, place: Place) -> Diagnostic | None:
    """Why the method is left out; None if it is taken over."""
    reason = UNNEEDED_METHODS.get(method.upper())
    if reason is None:
        return None
    return Diagnostic(
        "method-not-needed",
        f"{reason}: the method is left out",
        "Leave it out of allowed_methods",
        place,
        as_found(method),
        Severity.INFO,
    )
