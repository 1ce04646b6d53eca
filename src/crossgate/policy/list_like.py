"""Types of arguments that are lists, and never a string: a ``str`` is a ``Sequence[str]`` of its letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypeVar

_Entry_co = TypeVar("_Entry_co", covariant=True)


class CollectionLike(Protocol[_Entry_co]):
    """Any collection but a string or bytes, whose ``in`` does not take any object."""

    def __contains__(self, value: object, /) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[_Entry_co]: ...


class ListLike(Protocol[_Entry_co]):
    """Any sequence but a string or bytes; neither a set, which has no order, nor a mapping."""

    # mypy 2.4 accepts any list literal without __getitem__, and where the others are inherited.
    def __contains__(self, value: object, /) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[_Entry_co]: ...
    def __reversed__(self) -> Iterator[_Entry_co]: ...
    def __getitem__(self, index: int, /) -> _Entry_co: ...
