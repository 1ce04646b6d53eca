"""Pages of a collection in the order of its keys, with a cursor to the next one."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Annotated, Final, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

from crossgate.diagnostics import Diagnostic, InvalidInput, Place

MAX_LIMIT: Final = 500
SHORT_PAGE: Final = 100
"""So many objects in the order of their names are written within 5 ms."""

_Value = TypeVar("_Value")
_Item = TypeVar("_Item")


class PageBody(BaseModel, Generic[_Item]):
    """One page of a collection."""

    items: list[_Item]
    next: str | None
    """The cursor of the next page; null on the last."""


class SortedKeys:
    """The sorted keys of a mapping, cached until another mapping is given."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._mapping: Mapping[str, object] | None = None
        self._keys: list[str] = []

    def of(self, mapping: Mapping[str, object]) -> list[str]:
        """The sorted keys; do not change the list."""
        with self._lock:
            if self._mapping is not mapping:
                # Two revisions differ by few keys, and sorting a list that is nearly sorted is cheap.
                known = [key for key in self._keys if key in mapping]
                if len(known) < len(mapping):
                    had = set(known)
                    known += (key for key in mapping if key not in had)
                known.sort()
                self._mapping, self._keys = mapping, known
            return self._keys


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The page that a request selects."""

    limit: int
    cursor: str

    @property
    def after(self) -> str | None:
        """The key that precedes the page; None for the first page.

        Raises:
            InvalidInput: the cursor is not one of :func:`cursor_after`.

        """
        if not self.cursor:
            return None
        try:
            padded = self.cursor + "=" * (-len(self.cursor) % 4)
            return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
        except (binascii.Error, ValueError):
            raise self.invalid_cursor() from None

    def invalid_cursor(self) -> InvalidInput:
        """The error for a cursor that did not come from a page."""
        return InvalidInput(
            [
                Diagnostic(
                    "cursor-invalid",
                    "invalid cursor",
                    "Send `next` of the previous page unchanged",
                    Place(("query", "cursor")),
                    found=self.cursor[:100],
                )
            ]
        )

    def select(
        self, mapping: Mapping[str, _Value], keys: list[str], matches: Callable[[_Value], bool]
    ) -> tuple[list[tuple[str, _Value]], str | None]:
        """The matching entries of this page, and the cursor of the next one; None at the end.

        ``keys`` are the sorted keys of the mapping.

        Raises:
            InvalidInput: the cursor is invalid.

        """
        after = self.after
        begin = 0 if after is None else bisect_right(keys, after)
        found: list[tuple[str, _Value]] = []
        for position in range(begin, len(keys)):
            value = mapping[keys[position]]
            if matches(value):
                if len(found) == self.limit:
                    return found, cursor_after(found[-1][0])
                found.append((keys[position], value))
        return found, None

    def slice(self, keys: list[str]) -> tuple[list[str], str | None]:
        """The keys of this page among those of all pages, which are sorted, and the cursor of the next page.

        Raises:
            InvalidInput: the cursor is invalid.

        """
        after = self.after
        begin = 0 if after is None else bisect_right(keys, after)
        page = keys[begin : begin + self.limit]
        return page, cursor_after(page[-1]) if begin + self.limit < len(keys) else None


async def _page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="The largest number of items.")] = 50,
    cursor: Annotated[
        str, Query(max_length=2000, description="`next` of the previous page; empty for the first page.")
    ] = "",
) -> PageRequest:
    return PageRequest(limit, cursor)


Page = Annotated[PageRequest, Depends(_page_request)]


def cursor_after(key: str) -> str:
    """The cursor of the page that begins after the key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
