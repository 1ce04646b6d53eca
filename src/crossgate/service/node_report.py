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
    apis: tuple[str, ...]
    """Keys of the APIs that the resource is made for; none if it is the whole gateway's."""


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
