"""Where a gateway's catalogue comes from: a store that is written, or a file (:mod:`.file_source`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from crossgate.app.events import Emit
from crossgate.app.rollout import Rollout
from crossgate.app.tasks import run_until_stopped
from crossgate.catalogue.model import Catalogue, NativeService
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.service.errors import ServiceError
from crossgate.service.ports import CatalogueStore, ChangeCheck, TelemetryStore, WatchedStore
from crossgate.service.sessions import Sessions
from crossgate.service.tokens import Tokens
from crossgate.store import Store, StoreLocation, directory_lock, open_store
from crossgate.store.store import DatabaseStore


class CatalogueSource(Protocol):
    """The catalogue, the tokens, telemetry, and a way to follow changes of the catalogue."""

    @property
    def store(self) -> CatalogueStore:
        """The catalogue."""
        ...

    @property
    def tokens(self) -> Tokens:
        """The tokens of the admin API."""
        ...

    @property
    def sessions(self) -> Sessions:
        """The sessions of the console."""
        ...

    @property
    def telemetry(self) -> TelemetryStore:
        """Counts and refusals."""
        ...

    def native_services(self) -> list[tuple[Place, NativeService]]:
        """Every native service, and the place where it is declared."""
        ...

    def located(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The diagnostics with file, line and column, if the source has them."""
        ...

    def trouble(self) -> str | None:
        """Why the newest state may not be known; the last known one is served."""
        ...

    async def follow(self, rollout: Rollout, check: ChangeCheck, emit: Emit, stop: asyncio.Event) -> None:
        """Publish each change that the machine can serve, until ``stop`` is set."""


@dataclass(slots=True)
class StoreSource:
    """A store. Every revision that any control plane writes to it is published."""

    store: WatchedStore
    tokens: Tokens
    sessions: Sessions
    telemetry: TelemetryStore

    def native_services(self) -> list[tuple[Place, NativeService]]:
        """Every native service of the newest revision."""
        apis = self.store.head.catalogue.apis
        return [(Place(("apis", key, "native")), api.native) for key, api in apis.items()]

    def located(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The diagnostics unchanged: a store has no lines."""
        return list(diagnostics)

    def trouble(self) -> str | None:
        """Whether the database answers."""
        reachable = not isinstance(self.store, DatabaseStore) or self.store.reachable.is_set()
        return None if reachable else "the store's database does not answer"

    async def follow(self, rollout: Rollout, check: ChangeCheck, emit: Emit, stop: asyncio.Event) -> None:
        """Publish each new revision until ``stop`` is set; it was checked before it was stored."""
        del check, emit
        await run_until_stopped(rollout.follow_store(self.store), stop)


@asynccontextmanager
async def open_source(
    source: Path | StoreLocation, on_batch: Callable[[Catalogue], None] | None = None
) -> AsyncIterator[CatalogueSource]:
    """Open a file or a store for as long as the context lasts.

    A store's catalogue is loaded in batches. After each, ``on_batch`` is called from a thread with everything
    that was loaded so far.

    Raises:
        InvalidInput: the file has errors, or the store cannot be opened.

    """
    if isinstance(source, Path):
        # Loads the reader and the linter: half a second that the start of a gateway with a store would wait.
        from crossgate.app.file_source import FileSource

        yield FileSource.open(source)
        return
    with ExitStack() as stack:

        def enter() -> Store:
            stack.enter_context(directory_lock(source))
            return stack.enter_context(open_store(source, on_batch))

        try:
            store = await asyncio.to_thread(enter)
        except ServiceError as refused:
            raise InvalidInput(refused.diagnostics) from refused
        tokens = Tokens(store.tokens)
        sessions = Sessions(store.sessions, tokens)
        yield StoreSource(store.catalogue, tokens, sessions, store.telemetry)
