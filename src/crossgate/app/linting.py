"""Has the linter look at a followed file: beside serving it, and each time only at what changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from crossgate.app.events import Emit, LintReported
from crossgate.app.tasks import running
from crossgate.catalogue.document import Reading
from crossgate.catalogue.model import Catalogue
from crossgate.lint.check import CatalogueFindings, check_catalogue


class Linting:
    """Looks at one reading after another; of those that come while it looks, only the last."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._reading: Reading | None = None
        self._news = asyncio.Event()

    def look_at(self, reading: Reading) -> None:
        """Have this reading, which has no errors, looked at soon."""
        self._reading = reading
        self._news.set()

    async def run(self) -> None:
        """Look, and emit what there is to say whenever that has changed, until cancelled."""
        report, said = CatalogueFindings(), spoken(CatalogueFindings())
        while True:
            await self._news.wait()
            self._news.clear()
            reading = self._reading
            if reading is not None and reading.catalogue is not None:
                report = await asyncio.to_thread(_look, reading.catalogue, report)
                if spoken(report) != said:
                    said = spoken(report)
                    self._emit(await asyncio.to_thread(_stated, reading, report))


@asynccontextmanager
async def linting(emit: Emit) -> AsyncIterator[Linting]:
    """The linter at work, for as long as the context lasts."""
    found = Linting(emit)
    async with running(found.run()):
        yield found


def _look(catalogue: Catalogue, before: CatalogueFindings) -> CatalogueFindings:
    return check_catalogue(catalogue, before, datetime.now(UTC).date())


def _stated(reading: Reading, report: CatalogueFindings) -> LintReported:
    return LintReported(tuple(reading.located(finding.diagnostic for finding in report.findings())))


def spoken(report: CatalogueFindings) -> object:
    """The findings by object: a line put in above them all changes none."""
    apis = {key: findings for key in report.apis if (findings := report.of_api(key))}
    applications = {name: findings for name, (_, findings) in report.applications.items() if findings}
    return apis, applications, report.general
