"""What a gateway that follows a file says of it: all there is, and again only if that changes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.catalogues import api, catalogue, policy

from crossgate.app.events import LintReported
from crossgate.app.linting import linting, spoken
from crossgate.catalogue.document import Reading, load_document
from crossgate.cli.output.events import EventPrinter
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


async def said_of(*readings: Reading) -> list[LintReported]:
    """What is announced of the readings, each after the event of the one before."""
    announced = asyncio.Queue[LintReported]()
    found: list[LintReported] = []

    def emit(event: object) -> None:
        assert isinstance(event, LintReported)
        announced.put_nowait(event)

    async with asyncio.timeout(20), linting(emit) as linter:
        for one in readings:
            linter.look_at(one)
            found.append(await announced.get())
    assert announced.empty()
    return found


def test_errors_are_said_with_their_places_and_the_end_of_them_too(tmp_path: Path) -> None:
    unsafe = reading(tmp_path, UNSAFE)
    first, second = asyncio.run(said_of(unsafe, reading(tmp_path, "https://www.example.com")))

    (error,) = first.errors
    assert (error.code, error.place.line) == ("origin-unbounded", 6)
    assert "1 of severity error" in str(first)
    assert second.errors == ()


def test_a_finding_that_has_only_moved_is_no_news() -> None:
    unsafe = api("unsafe", policy({"regex": "https://.*example\\.com"}))
    above, worse = api("above"), api("worse", unsafe.cors)

    first = spoken(check_catalogue(catalogue([unsafe])))

    assert spoken(check_catalogue(catalogue([above, unsafe]))) == first
    assert spoken(check_catalogue(catalogue([unsafe, worse]))) != first


def test_ten_errors_are_shown_and_the_rest_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (linted,) = asyncio.run(said_of(reading(tmp_path, *[UNSAFE] * 12)))

    EventPrinter("gateway.yaml").emit(linted)

    first, *errors, rest = capsys.readouterr().out.splitlines()
    assert first == f"{linted}"
    lines = range(6, 6 + 10 * 6, 6)
    assert all(f"gateway.yaml:{line}:" in error for line, error in zip(lines, errors, strict=True))
    assert (len(errors), rest) == (10, "  and 2 more errors")
