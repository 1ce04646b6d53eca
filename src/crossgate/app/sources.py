"""Where a gateway's catalogue comes from: a file that is followed, or a store that is written."""

from __future__ import annotations

import asyncio
import os
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
from crossgate.service.ports import CatalogueStore, WatchedStore
from crossgate.service.tokens import Tokens
from crossgate.store import SqliteDirectory, Store, StoreLocation, directory_lock, open_store


class Source(Protocol):
    """The catalogue, the tokens, and what brings news of the catalogue."""

    @property
    def store(self) -> CatalogueStore:
        """The catalogue."""
        ...

    @property
    def tokens(self) -> Tokens:
        """Who may use the admin API."""
        ...

    def native_services(self) -> list[tuple[Place, NativeService]]:
        """Every native service, and where it is declared."""
        ...

    def located(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Findings about them, with file, line and column if there are any."""
        ...

    async def follow(self, rollout: Rollout, emit: Emit, stop: asyncio.Event) -> None:
        """Publish what is new, until ``stop``."""


@dataclass(slots=True)
class StoreSource:
    """A store; whatever any control plane writes there is enforced."""

    store: WatchedStore
    tokens: Tokens

    def native_services(self) -> list[tuple[Place, NativeService]]:
        """Every native service that there is."""
        apis = self.store.head.catalogue.apis
        return [(Place(("apis", key, "native")), api.native) for key, api in apis.items()]

    def located(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Findings as they are: a store has no lines."""
        return list(diagnostics)

    async def follow(self, rollout: Rollout, emit: Emit, stop: asyncio.Event) -> None:
        """Publish each new head, until ``stop``."""
        del emit
        await run_until_stopped(rollout.follow_store(self.store), stop)


@asynccontextmanager
async def opened(
    source: Path | StoreLocation, on_batch: Callable[[Catalogue], None] | None = None
) -> AsyncIterator[Source]:
    """The source, for as long as the context lasts.

    While a store's catalogue is read, ``on_batch`` is called with what there is of it so far, from a thread.

    Raises:
        InvalidInput: the file has errors, or the store cannot be opened.

    """
    if isinstance(source, Path):
        # Loads all that reads documents, which a store has no use for.
        from crossgate.app.file_source import FileSource

        yield FileSource.of(source)
        return
    with ExitStack() as stack:

        def enter() -> Store:
            stack.enter_context(directory_lock(source))
            return stack.enter_context(open_store(source, on_batch))

        try:
            store = await asyncio.to_thread(enter)
        except ServiceError as refused:
            raise InvalidInput(refused.diagnostics) from refused
        yield StoreSource(store.catalogue, Tokens(store.tokens))


def default_data_directory() -> SqliteDirectory:
    """Where a store is kept unless told otherwise (XDG base directories)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    home = Path(base) if base.startswith("/") else Path.home() / ".local" / "share"
    return SqliteDirectory(home / "crossgate")
