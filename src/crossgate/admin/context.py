"""What all routes share: the admin context, the router, and the parameter ``message``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Final, Protocol

from fastapi import APIRouter, Depends, Query, Request
from fastapi.dependencies.models import Dependant

from crossgate.admin.event_streams import EventStreams
from crossgate.admin.views import View, Views
from crossgate.admin.workers import NeedsWorkerError, Recorded, Workers
from crossgate.diagnostics import InvalidInput
from crossgate.lint.quota import QuotaSpentError, limited_proofs
from crossgate.record import unknown_keys
from crossgate.service.catalogue_service import MAX_MESSAGE, CatalogueService
from crossgate.service.ports import NodeReport, NodeStanding
from crossgate.service.refusal_service import RefusalService
from crossgate.service.sent_request import RequestSender
from crossgate.service.sessions import Sessions
from crossgate.service.snapshot import Snapshot
from crossgate.service.tokens import Token, Tokens

_MANY_OBJECTS: Final = 1000
"""Reading so many takes as long as handing the request to a worker: 10 ms."""


_QUICK_STEPS: Final = 120_000
"""Of proofs that a write may take in this process: 0.15 s. The proof of a usual expression takes 4,000."""


class Nodes(Protocol):
    """The nodes that are connected to this control plane."""

    def reports(self) -> Sequence[NodeReport]:
        """One report a connection; call it on the control plane's event loop."""
        ...

    @property
    def address(self) -> str:
        """Where nodes of other machines connect; empty if they cannot."""
        ...

    def retry(self, node: str, resources: Collection[tuple[str, str]]) -> int | None:
        """Send a node once more what it rejected; on the event loop.

        ``resources`` are kinds and names, as in a report. Returns how many are sent; None: no such node.
        """
        ...

    def standings(self) -> Sequence[NodeStanding]:
        """The same in short, for however many resources; from any thread."""
        ...

    def watch(self, observer: Callable[[], None]) -> Callable[[], None]:
        """Call ``observer`` when a node or the newest revision changed, until the result is called."""
        ...

    def revisions(self) -> Mapping[str, int | None]:
        """The revision that each node runs, by node; from any thread."""
        ...


@dataclass(frozen=True, slots=True)
class AdminContext:
    """The services that the routes call."""

    service: CatalogueService
    tokens: Tokens
    nodes: Nodes
    refusals: RefusalService
    sessions: Sessions
    views: Views = field(default_factory=Views)
    streams: EventStreams | None = None
    """None in a worker."""
    sender: RequestSender | None = None
    """None if this control plane runs no Envoy of its own, and in a worker."""
    workers: Workers | None = None
    """None in a worker, which leaves nothing to others."""

    @property
    def head(self) -> Snapshot:
        """The newest revision, from memory."""
        return self.service.store.head

    def view(self, caller: Token) -> View:
        """What the caller can read of the newest revision."""
        return self.views.of(self.head.catalogue, caller.permission)

    def leave_to_worker(self, read: Callable[[], Recorded] | None = None) -> None:
        """Leave the request to a worker, unless this is one; ``read`` is called for what it lacks.

        Raises:
            NeedsWorkerError: to end the route here.

        """
        if self.workers is not None:
            raise NeedsWorkerError(read)

    @contextmanager
    def quick_proofs(self, read: Callable[[], Recorded] | None = None) -> Iterator[None]:
        """Leave the request to a worker if its proofs take longer than a few regular expressions usually do.

        ``read`` is called for what the worker lacks.

        Raises:
            NeedsWorkerError: they do, and this is not a worker.

        """
        if self.workers is None:
            yield
            return
        try:
            with limited_proofs(_QUICK_STEPS):
                yield
        except QuotaSpentError:
            raise NeedsWorkerError(read) from None

    def leave_long_read_to_worker(self) -> None:
        """Leave a request that examines or writes all objects to a worker, if they are many."""
        catalogue = self.head.catalogue
        if len(catalogue.apis) + len(catalogue.applications) > _MANY_OBJECTS:
            self.leave_to_worker()


async def _context(request: Request) -> AdminContext:
    context: AdminContext = request.app.state.context
    return context


Context = Annotated[AdminContext, Depends(_context)]
Message = Annotated[
    str, Query(max_length=MAX_MESSAGE, description="Why the change is made; stored with its revision.")
]


async def reject_unknown_parameters(request: Request) -> None:
    """Reject query parameters that the route does not define, such as misspelled ones.

    Raises:
        InvalidInput: with every such parameter.

    """
    known = _query_parameters(request.scope["route"].dependant)
    unknown = [found.within("query") for found in unknown_keys(request.query_params, known)]
    if unknown:
        raise InvalidInput(unknown)


def resource_router(tag: str) -> APIRouter:
    """A router for one kind of resource; its routes reject unknown query parameters."""
    return APIRouter(
        tags=[tag],
        dependencies=[Depends(reject_unknown_parameters)],
        generate_unique_id_function=lambda route: route.name,
    )


def _query_parameters(dependant: Dependant) -> set[str]:
    inner = (name for one in dependant.dependencies for name in _query_parameters(one))
    return {one.alias for one in dependant.query_params}.union(inner)
