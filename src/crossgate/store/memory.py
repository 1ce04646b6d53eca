"""The head in memory: moved on by what is read from the tables."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from crossgate.catalogue.model import Catalogue
from crossgate.service.loading import read_in_batches, read_objects
from crossgate.service.snapshot import Snapshot
from crossgate.store.history import head_number
from crossgate.store.recollection import current_objects, objects_since

OnBatch = Callable[[Catalogue], None]
"""Is told of a catalogue what has been read of it so far."""


def load(connection: Connection, on_batch: OnBatch | None = None) -> Snapshot:
    """The newest revision, read whole; ``on_batch`` is called with what has been read of it so far.

    Raises:
        InvalidChange: an object in the database cannot be read by this version.

    """
    number = head_number(connection)
    catalogue = Catalogue()
    others, apis = (current_objects(connection, apis=one) for one in (False, True))
    for catalogue in read_in_batches(others, apis):
        if on_batch is not None:
            on_batch(catalogue)
    return Snapshot.of(number, catalogue)


def catch_up(connection: Connection, known: Snapshot, number: int) -> Snapshot:
    """The snapshot at ``number``, the database's newest revision, from one that is known here.

    Costs what was changed in between. A database that is behind what is known was restored from a backup: its
    history is another, and nothing of ours can be relied on.
    """
    if number == known.revision:
        return known
    if number < known.revision:
        return load(connection)
    return known.advance(number, read_objects(objects_since(connection, known.revision)))
