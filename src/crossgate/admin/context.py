"""What every route works with: the use cases, the tokens, and what is known of the nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends, Query, Request

from crossgate.admin.paging import SortedKeys
from crossgate.service.catalogue_service import MAX_MESSAGE, CatalogueService
from crossgate.service.ports import NodeReport
from crossgate.service.snapshot import Snapshot
from crossgate.service.tokens import Tokens


class Nodes(Protocol):
    """What is known of the nodes of this control plane."""

    def reports(self) -> Sequence[NodeReport]:
        """Every connection; to be called on the control plane's event loop."""
        ...

    def revisions(self) -> Mapping[str, int | None]:
        """By node, the revision that it runs; from any thread."""
        ...


class NoNodes:
    """There are none."""

    def reports(self) -> Sequence[NodeReport]:
        """None."""
        return ()

    def revisions(self) -> Mapping[str, int | None]:
        """None."""
        return {}


@dataclass(frozen=True, slots=True)
class AdminContext:
    """The parts that routes put to work."""

    service: CatalogueService
    tokens: Tokens
    nodes: Nodes = field(default_factory=NoNodes)
    api_keys: SortedKeys = field(default_factory=SortedKeys)
    application_names: SortedKeys = field(default_factory=SortedKeys)

    @property
    def head(self) -> Snapshot:
        """The newest revision, from memory."""
        return self.service.store.head


async def _context_of(request: Request) -> AdminContext:
    found: AdminContext = request.app.state.context
    return found


Context = Annotated[AdminContext, Depends(_context_of)]
Message = Annotated[
    str, Query(max_length=MAX_MESSAGE, description="What the change is for; kept with its revision.")
]
