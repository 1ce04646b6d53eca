"""What a change of the whole catalogue does that is rarely meant: the caller must confirm it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crossgate.catalogue.model import Api, Application, Catalogue, Gateway
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.service.objects import Difference
from crossgate.service.scope import Scope

FEW: Final = 5
"""So many objects can be removed without confirmation, whatever part that is."""
PART: Final = 10
"""One of so many can be, too: a team that removes six of its sixty."""
_REMEDY: Final = "Look at the plan, then confirm it"


def find_confirmations(base: Catalogue, difference: Difference, scope: Scope) -> Iterator[Diagnostic]:
    """Every reason for which the difference on ``base`` needs confirmation.

    ``scope`` has what the change could have removed. A part of all objects would let a small team lose all
    that it has without a question.
    """
    removed = [one for one in difference if isinstance(one.before, Api | Application) and one.after is None]
    if len(removed) > FEW and len(removed) * PART > (in_scope := scope.count(base)):
        yield Diagnostic(
            code="many-removed",
            message=f"it removes {len(removed)} of the {in_scope} APIs and applications in its scope",
            remedy=_REMEDY,
            found=f"{len(removed)} of {in_scope}",
            severity=Severity.WARNING,
        )
    # Without an API nobody is served, and the first document names the listener.
    for one in difference if base.apis else ():
        if isinstance(one.before, Gateway) and isinstance(one.after, Gateway):
            yield from _listener_changes(one.before, one.after)


def _listener_changes(before: Gateway, after: Gateway) -> Iterator[Diagnostic]:
    if before.listen != after.listen:
        yield Diagnostic(
            code="listener-changed",
            message=f"it moves the listener from {before.listen} to {after.listen}",
            remedy=_REMEDY,
            found=str(after.listen),
            place=Place(("gateway", "listen")),
            severity=Severity.WARNING,
        )
    if before.tls != after.tls:
        served = "https instead of http" if not before.tls else "http instead of https"
        replaced = before.tls and after.tls
        yield Diagnostic(
            code="listener-changed",
            message="it changes the listener's certificate"
            if replaced
            else f"the listener serves {served} then",
            remedy=_REMEDY,
            place=Place(("gateway", "tls")),
            severity=Severity.WARNING,
        )
