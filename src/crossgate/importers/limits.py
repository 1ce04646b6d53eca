"""How much one import makes: beyond it, a document is refused before much is done with it."""

from __future__ import annotations

from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput, Place

MAX_APIS: Final = 10_000
"""Of one import; they take some half a minute."""


def refuse_excess(count: int, what: str, place: Place) -> None:
    """Raises InvalidInput if a document has more APIs, or what becomes APIs, than one import makes."""
    if count > MAX_APIS:
        message = f"there are more than {MAX_APIS:,} {what}"
        remedy = "Split the document, and import its parts one after the other"
        raise InvalidInput([Diagnostic("too-many-apis", message, remedy, place, f"{count:,}")])
