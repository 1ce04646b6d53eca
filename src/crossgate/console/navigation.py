"""The pages of the navigation, in its order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Entry:
    """One link; ``icon`` names its icon, ``key`` the letter after `g` that goes to it."""

    label: str
    url: str
    icon: str
    key: str


SECTIONS: Final = (
    ("", (Entry("Overview", "/", "overview", "o"), Entry("Refusals", "/refusals", "refusals", "r"))),
    (
        "Access",
        (
            Entry("APIs", "/apis", "apis", "a"),
            Entry("Applications", "/applications", "applications", "p"),
            Entry("Import", "/import", "import", "i"),
        ),
    ),
    (
        "Check",
        (Entry("Simulator", "/simulator", "simulator", "s"), Entry("Prove", "/prove", "prove", "v")),
    ),
    (
        "Operate",
        (
            Entry("Changes", "/changes", "changes", "c"),
            Entry("Nodes", "/nodes", "nodes", "n"),
            Entry("Settings", "/settings", "settings", "t"),
        ),
    ),
)
"""The heading of each section, and its entries."""
