"""What a connected node says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NodeRejection:
    """What a node refused, and goes on without."""

    kind: str
    resource: str
    version: str | None
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What one connected node runs, by its own word."""

    node: str
    connected_at: datetime
    acknowledged_at: datetime | None
    revision: int | None
    """The newest revision of which it runs, or refused, every part."""
    resources: int
    pending: int
    rejections: tuple[NodeRejection, ...]
