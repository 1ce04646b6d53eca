"""Lint events of a gateway that runs from a file: all findings, and again only if they change."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.catalogues import api, catalogue, policy

from crossgate.app.events import Event, LintReported
from crossgate.app.file_source import FileLinter
from crossgate.app.tasks import background_task
from crossgate.catalogue.document import Reading, load_document
from crossgate.cli.output.events import EventLog
from crossgate.lint.check import check_catalogue

API = """
  - name: api-{number}
    version: "1"
    type: rest
    native: http://127.0.0.1:9101
    cors: {{allowed_origins: [{origin}], allowed_methods: [GET], max_age: 600}}
"""
UNSAFE = "{regex: 'https://.*example\\.com'}"


def reading(folder: Path, *origins: str) -> Reading:
    file = folder / "gateway.yaml"
    apis = (API.format(number=number, origin=origin) for number, origin in enumerate(origins))
    file.write_text(f"apis:{''.join(apis)}")
    return load_document(file)


async def reports(*readings: Reading) -> list[LintReported]:
    """The event of each reading, which is submitted after the event of the one before."""
    emitted = asyncio.Queue[LintReported]()
    found: list[LintReported] = []

    def emit(event: Event) -> None:
        assert isinstance(event, LintReported)
        emitted.put_nowait(event)

    linter = FileLinter(emit)
    async with asyncio.timeout(20), background_task(linter.run()):
        for one in readings:
            linter.submit(one)
            found.append(await emitted.get())
    assert emitted.empty()
    return found


def test_errors_are_reported_with_their_places_and_so_is_their_end(tmp_path: Path) -> None:
    unsafe = reading(tmp_path, UNSAFE)
    first, second = asyncio.run(reports(unsafe, reading(tmp_path, "https://www.example.com")))

    (error,) = first.errors
    assert (error.code, error.place.line) == ("origin-unbounded", 6)
    assert "1 error" in str(first)
    assert second.errors == ()


def test_settings_and_public_origins_are_linted(tmp_path: Path) -> None:
    """The gateway serves the file with these errors."""
    file = tmp_path / "gateway.yaml"
    file.write_text(
        "gateway:\n  public_origins: [http://gateway.example.com]\n"
        "settings:\n  watt.server.cors.enabled: true\n  watt.server.cors.allowedOrigins: file:origins.txt\n"
    )
    (tmp_path / "origins.txt").write_text("r:https://.*\n")
    (first,) = asyncio.run(reports(load_document(file)))

    assert [(one.code, one.place.line) for one in first.errors] == [
        ("http-origin", 2),
        ("origin-unbounded", 5),
    ]


def test_a_finding_that_only_moved_is_not_reported_again() -> None:
    unsafe = api("unsafe", policy({"regex": "https://.*example\\.com"}))
    above, worse = api("above"), api("worse", unsafe.cors)

    first = check_catalogue(catalogue([unsafe])).by_object()

    assert check_catalogue(catalogue([above, unsafe])).by_object() == first
    assert check_catalogue(catalogue([unsafe, worse])).by_object() != first


def test_ten_errors_are_logged_and_the_rest_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (event,) = asyncio.run(reports(reading(tmp_path, *[UNSAFE] * 12)))

    with caplog.at_level("INFO"):
        EventLog("gateway.yaml").emit(event)

    first, *errors, rest = caplog.messages
    assert first == f"{event}"
    lines = range(6, 6 + 10 * 6, 6)
    assert all(f"gateway.yaml:{line}:" in error for line, error in zip(lines, errors, strict=True))
    assert (len(errors), rest) == (10, "and 2 more")
