"""A document as a gateway's source: it is watched, each valid change is published, and it is linted.

Imported only by gateways that run from a file: a store needs neither the reader nor the linter for a start.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from crossgate.app.events import ChangeRefused, Emit, LintReported
from crossgate.app.file_watch import WatchedFiles
from crossgate.app.rollout import Rollout
from crossgate.app.tasks import background_task
from crossgate.catalogue.document import Reading, load_document
from crossgate.catalogue.model import Catalogue, NativeService
from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Severity
from crossgate.lint.check import CatalogueFindings, check_catalogue
from crossgate.service.changes import Draft, ReplaceAll
from crossgate.service.file_store import FileStore
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.ports import ChangeCheck
from crossgate.service.sessions import InMemorySessionStore, Sessions
from crossgate.service.tokens import InMemoryTokenStore, Tokens


@dataclass(slots=True)
class FileSource:
    """A document and the files that it names. Implements :class:`crossgate.app.sources.Source`."""

    file: Path
    reading: Reading
    store: FileStore
    tokens: Tokens
    sessions: Sessions
    telemetry: InMemoryTelemetryStore
    refused: bool = False
    """Whether the document as it was last saved is not served."""

    @classmethod
    def open(cls, file: Path) -> FileSource:
        """Load the document; raises InvalidInput with every error in it."""
        reading = load_document(file)
        if reading.catalogue is None:
            raise InvalidInput(reading.diagnostics)
        store, tokens = FileStore(str(file), reading.catalogue, reading.locate), Tokens(InMemoryTokenStore())
        sessions = Sessions(InMemorySessionStore(), tokens)
        return cls(file, reading, store, tokens, sessions, InMemoryTelemetryStore())

    def native_services(self) -> list[tuple[Place, NativeService]]:
        """Every native service of the document as it was first loaded, with its place in it."""
        apis = self.reading.catalogue.apis.values() if self.reading.catalogue is not None else ()
        return [(Place(("apis", index, "native")), api.native) for index, api in enumerate(apis)]

    def located(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The diagnostics with file, line and column."""
        return self.reading.located(diagnostics)

    def trouble(self) -> str | None:
        """Whether the saved document has errors."""
        return "the saved document has errors: see the log" if self.refused else None

    async def follow(self, rollout: Rollout, check: ChangeCheck, emit: Emit, stop: asyncio.Event) -> None:
        """Publish each valid change, and emit what the linter finds, until ``stop`` is set."""
        watched = WatchedFiles(self.reading.files)
        linter = FileLinter(emit)
        async with background_task(linter.run()):
            linter.submit(self.reading)
            async for _ in watched.changes(stop):
                began = time.perf_counter()
                reading = await asyncio.to_thread(load_document, self.file)
                watched.files = reading.files
                errors = reading.diagnostics
                if reading.catalogue is not None:
                    errors = await asyncio.to_thread(_find_errors, check, self.store, reading)
                self.refused = reading.catalogue is None or bool(errors)
                if reading.catalogue is None or errors:
                    emit(ChangeRefused(errors))
                else:
                    rollout.publish(self.store.replace(reading.catalogue, reading.locate), began)
                    linter.submit(reading)


class FileLinter:
    """Lints readings in a thread, one after another, and emits findings that differ from those before.

    Only what changed since the previous reading is linted. A reading that is submitted while the linter works
    replaces one that still waits.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._submitted: Reading | None = None
        self._wake = asyncio.Event()

    def submit(self, reading: Reading) -> None:
        """Lint this reading, which must be valid, as soon as possible."""
        self._submitted = reading
        self._wake.set()

    async def run(self) -> None:
        """Lint what is submitted until cancelled."""
        found = CatalogueFindings()
        emitted = found.by_object()
        while True:
            await self._wake.wait()
            self._wake.clear()
            reading = self._submitted
            if reading is not None and reading.catalogue is not None:
                found = await asyncio.to_thread(_lint, reading.catalogue, found)
                if found.by_object() != emitted:
                    emitted = found.by_object()
                    self._emit(await asyncio.to_thread(_as_event, reading, found))


def _find_errors(check: ChangeCheck, store: FileStore, reading: Reading) -> tuple[Diagnostic, ...]:
    """Why the machine could not serve the change from the last served document."""
    if reading.catalogue is None:
        return ()
    before, after = store.head.catalogue, reading.catalogue
    draft = Draft(before)
    draft.apply(ReplaceAll(after, prune=True))
    found = check.find(before, draft.difference)
    positions = {key: index for index, key in enumerate(after.apis)}
    errors = (_by_position(one, positions) for one in found if one.severity is Severity.ERROR)
    return tuple(reading.located(errors))


def _by_position(found: Diagnostic, positions: Mapping[str, int]) -> Diagnostic:
    """The diagnostic at the API's position in the document, instead of its key."""
    match found.place.path:
        case ("apis", str(key), *rest):
            return replace(found, place=Place(("apis", positions[key], *rest)))
        case _:
            return found


def _lint(catalogue: Catalogue, before: CatalogueFindings) -> CatalogueFindings:
    return check_catalogue(catalogue, before, datetime.now(UTC).date())


def _as_event(reading: Reading, found: CatalogueFindings) -> LintReported:
    return LintReported(tuple(reading.located(finding.diagnostic for finding in found.findings())))
