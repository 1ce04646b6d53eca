"""The watch over a document and every file that it names."""

from __future__ import annotations

import asyncio
from pathlib import Path

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
