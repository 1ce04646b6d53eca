"""Pages of a large collection: from a cursor on, in the order of keys, as many as fit and match."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Annotated, Final, TypeVar

from fastapi import Query

from crossgate.diagnostics import Diagnostic, InvalidInput, Place

MOST: Final = 500
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
Cursor = Annotated[
    str, Query(max_length=2000, description="`next` of the page before; empty for the first page.")
]

_Value = TypeVar("_Value")


class SortedKeys:
    """The keys of a mapping in their order, sorted anew only when it is another mapping."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._of: Mapping[str, object] | None = None
        self._keys: list[str] = []

    def of(self, mapping: Mapping[str, object]) -> list[str]:
        """The sorted keys; do not change the list."""
        with self._lock:
            if self._of is not mapping:
                # Most keys are those of before, in their order: sorting them again costs little.
                known = [key for key in self._keys if key in mapping]
                if len(known) < len(mapping):
                    had = set(known)
                    known += (key for key in mapping if key not in had)
                known.sort()
                self._of, self._keys = mapping, known
            return self._keys


def page_of(
    mapping: Mapping[str, _Value],
    keys: list[str],
    cursor: str,
    limit: int,
    wanted: Callable[[_Value], bool],
) -> tuple[list[tuple[str, _Value]], str | None]:
    """The next ``limit`` entries that are wanted, and the cursor of the page after; None at the end.

    Raises:
        InvalidInput: the cursor is none of ours.

    """
    begin = bisect_right(keys, last_key(cursor)) if cursor else 0
    found: list[tuple[str, _Value]] = []
    for position in range(begin, len(keys)):
        value = mapping[keys[position]]
        if wanted(value):
            if len(found) == limit:
                return found, cursor_after(found[-1][0])
            found.append((keys[position], value))
    return found, None


def cursor_after(key: str) -> str:
    """The cursor of the page that begins after the key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def last_key(cursor: str) -> str:
    """The key after which the cursor's page begins.

    Raises:
        InvalidInput: the cursor is none of ours.

    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise invalid_cursor(cursor) from None


def invalid_cursor(cursor: str) -> InvalidInput:
    """The complaint about a cursor that no page gave."""
    return InvalidInput(
        [
            Diagnostic(
                "cursor-invalid",
                "no page gave this cursor",
                "Send `next` of the page before as it came",
                Place(("query", "cursor")),
                found=cursor[:100],
            )
        ]
    )
