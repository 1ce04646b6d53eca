"""The watch over a document and every file that it names."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crossgate.app import file_watch
from crossgate.app.file_watch import WatchedFiles
from crossgate.catalogue.document import load_document

DOCUMENT = """\
settings:
  watt.server.cors.enabled: true
  watt.server.cors.allowedOrigins: file:{file}
"""


def written(folder: Path) -> tuple[Path, Path]:
    """A document, and the list of origins that it names, in a folder below it."""
    origins = folder / "document" / "lists" / "origins.txt"
    origins.parent.mkdir(parents=True)
    origins.write_text("https://shop.example\n")
    document = folder / "document" / "gateway.yaml"
    document.write_text(DOCUMENT.format(file=origins))
    return document, origins


async def next_change(watched: WatchedFiles) -> bool:
    """Whether a change is reported within 30 seconds."""
    stop = asyncio.Event()
    try:
        async with asyncio.timeout(30):
            async for _ in watched.changes(stop):
                return True
    except TimeoutError:
        return False
    return False


def test_a_change_of_a_named_file_is_reported(tmp_path: Path) -> None:
    document, origins = written(tmp_path)

    async def follow() -> None:
        watched = WatchedFiles(load_document(document).files)
        waiting = asyncio.create_task(next_change(watched))
        await asyncio.sleep(0)
        origins.write_text("https://other.example.com\n")
        assert await waiting
        policy = load_document(document).catalogue
        assert policy is not None
        assert policy.server_policy is not None
        assert "https://other.example.com" in policy.server_policy.origins

    asyncio.run(follow())


def test_a_change_before_the_watch_is_reported(tmp_path: Path) -> None:
    document, origins = written(tmp_path)
    watched = WatchedFiles(load_document(document).files)
    origins.unlink()
    assert asyncio.run(next_change(watched))
    assert [file.changed_ns is None for file in watched.files] == [False, True]


@pytest.mark.parametrize(
    ("contents", "reported"),
    [(["", DOCUMENT], [len(DOCUMENT)]), (["", ""], [0]), (["", "", DOCUMENT], [0, len(DOCUMENT)])],
    ids=["then written", "stays empty", "written late"],
)
def test_an_emptied_file_may_be_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: list[str], reported: list[int]
) -> None:
    """``cp`` empties a file before it writes it."""
    document, origins = written(tmp_path)
    os.utime(origins, (0, 0))

    async def examinations(*_: object) -> AsyncIterator[None]:
        for second, content in enumerate(contents):
            document.write_text(content)
            os.utime(document, (second, second))
            yield

    async def follow() -> list[int]:
        watched = WatchedFiles(load_document(document).files)
        return [watched.files[0].size async for _ in watched.changes(asyncio.Event())]

    monkeypatch.setattr(file_watch, "examinations", examinations)
    assert asyncio.run(follow()) == reported
