"""What a group of refusals looks like: an own page, an extension, an app, a scanner, a look-alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SignKind(StrEnum):
    """What refused requests look like."""

    OWN_PAGE = "own-page"
    EXTENSION = "extension"
    APP = "app"
    LOCAL_PAGE = "local-page"
    SCANNER = "scanner"
    LOOK_ALIKE = "look-alike"
    RETIRED = "retired"


HOSTILE = frozenset({SignKind.SCANNER, SignKind.LOOK_ALIKE})
"""Signs of an attack, or of somebody who looks for one."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that a group looks like, and what shows it; a fact, not a verdict."""

    kind: SignKind
    sentence: str
    """Printable, whatever the requests sent."""

    @property
    def hostile(self) -> bool:
        """Whether it speaks against allowing the group."""
        return self.kind in HOSTILE
