"""What the store remembers of each change: who, when, why, what, and what became of it on the nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crossgate.service.objects import Kind

Loose = Mapping[str, object]
"""An object in its written form, JSON-ready: history is shown as it was, readable today or not."""


class Outcome(StrEnum):
    """What a node made of a revision."""

    PENDING = "pending"
    APPLIED = "applied"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class NodeOutcome:
    """What one node made of one revision; ``detail`` is the node's message if it rejected it."""

    node: str
    outcome: Outcome
    at: datetime
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """One change, whole. Numbers begin at 1, without gaps; revision 0 is the empty catalogue."""

    number: int
    author: str
    at: datetime
    """UTC."""
    message: str
    objects: int
    """How many objects it changed."""
    rolls_back_to: int | None = None
    """The revision whose state it restored."""
    nodes: tuple[NodeOutcome, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """One object before and after a revision, in its written form; None where there was none."""

    kind: Kind
    key: str
    before: Loose | None
    after: Loose | None


@dataclass(frozen=True, slots=True)
class RecordedRevision:
    """A revision with its difference, sorted by kind and key."""

    revision: Revision
    difference: tuple[RecordedChange, ...]
