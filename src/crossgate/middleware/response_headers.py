"""Puts the policy's headers on an application's response, in place of the application's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import AnyStr, Generic

Header = tuple[AnyStr, AnyStr]
Dress = Callable[[Iterable[Header[AnyStr]], list[Header[AnyStr]]], list[Header[AnyStr]]]
"""Takes a response's own headers and those to put on it; gives a new list, to go out with."""


@dataclass(frozen=True, slots=True)
class Marks(Generic[AnyStr]):
    """What tells the headers to be replaced, as a server protocol writes them."""

    cors: AnyStr
    """How the names of CORS headers begin, in lower case."""
    vary: Header[AnyStr]
    """``Vary: Origin``, its name in lower case."""
    comma: AnyStr
    """With a blank behind it."""
    initials: AnyStr
    """Of the names that matter, in either case."""


def dresser(marks: Marks[AnyStr], *, vary: bool) -> Dress[AnyStr]:
    """Puts headers on responses; with ``vary``, the first of them is merged into a ``Vary`` that is there."""
    initials = marks.initials

    def dress(own: Iterable[Header[AnyStr]], added: list[Header[AnyStr]]) -> list[Header[AnyStr]]:
        headers = list(own)
        # Most responses have neither a Vary nor anything of CORS, and this tells it soonest.
        for name, _ in headers:
            if name[0] in initials:
                headers = [header for header in headers if not header[0].lower().startswith(marks.cors)]
                if vary and _merge_vary(headers, marks):
                    added = added[1:]
                break
        headers += added
        return headers

    return dress


def _merge_vary(headers: list[Header[AnyStr]], marks: Marks[AnyStr]) -> bool:
    """Into a line that is there, since some caches look at one only; False if there is none."""
    vary, origin = marks.vary
    lines = [index for index, header in enumerate(headers) if header[0].lower() == vary]
    named = {element.strip().lower() for line in lines for element in headers[line][1].split(marks.comma[:1])}
    if lines and origin.lower() not in named:
        name, value = headers[lines[-1]]
        headers[lines[-1]] = (name, value + marks.comma + origin if value.strip() else origin)
    return bool(lines)
