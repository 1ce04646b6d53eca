"""A gateway whose catalogue comes from a file: it is followed, and linted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from crossgate.app.events import ChangeRefused, Emit
from crossgate.app.file_watch import Followed, changes
from crossgate.app.linting import linting
from crossgate.app.rollout import Rollout
from crossgate.catalogue.document import Reading, load_document
from crossgate.catalogue.model import NativeService
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.service.file_store import FileStore
from crossgate.service.tokens import InMemoryTokenStore, Tokens


@dataclass(slots=True)
class FileSource:
    """A file, with those that it names, is the only source; a saved change is enforced, a bad one refused."""

    file: Path
    reading: Reading
    store: FileStore
    tokens: Tokens

    @classmethod
    def of(cls, file: Path) -> FileSource:
        """The file as it is now; raises InvalidInput with every error in it."""
        reading = load_document(file)
        if reading.catalogue is None:
            raise InvalidInput(reading.diagnostics)
        return cls(file, reading, FileStore(str(file), reading.catalogue), Tokens(InMemoryTokenStore()))

    def native_services(self) -> list[tuple[Place, NativeService]]:
        """Every native service of the file as it was first read."""
        apis = self.reading.catalogue.apis.values() if self.reading.catalogue is not None else ()
        return [(Place(("apis", index, "native")), api.native) for index, api in enumerate(apis)]

    def located(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Findings at their lines and columns."""
        return self.reading.located(diagnostics)

    async def follow(self, rollout: Rollout, emit: Emit, stop: asyncio.Event) -> None:
        """Publish each saved change, and say what the linter finds, until ``stop``."""
        followed = Followed(self.reading.files)
        async with linting(emit) as linter:
            linter.look_at(self.reading)
            async for _ in changes(followed, stop):
                began = time.perf_counter()
                reading = await asyncio.to_thread(load_document, self.file)
                followed.files = reading.files
                if reading.catalogue is None:
                    emit(ChangeRefused(reading.diagnostics))
                else:
                    rollout.publish(self.store.replace(reading.catalogue), began)
                    linter.look_at(reading)
