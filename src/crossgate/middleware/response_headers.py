"""Puts the policy's headers on an application's response, in place of the application's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import AnyStr, Generic

Header = tuple[AnyStr, AnyStr]
ApplyHeaders = Callable[[Iterable[Header[AnyStr]], list[Header[AnyStr]]], list[Header[AnyStr]]]
"""From a response's own headers and the policy's to a new list: the headers to send."""


@dataclass(frozen=True, slots=True)
class WireNames(Generic[AnyStr]):
    """The names and values that identify headers to be replaced, as a server protocol represents them."""

    cors: AnyStr
    """The prefix of all CORS headers, in lower case."""
    vary: Header[AnyStr]
    """``Vary: Origin``, its name in lower case."""
    comma: AnyStr
    """With a space after it."""
    initials: AnyStr
    """The first letters of the names above, in either case."""


def header_applier(names: WireNames[AnyStr], *, vary: bool) -> ApplyHeaders[AnyStr]:
    """Applies headers to responses; with ``vary``, the first one is merged into an existing ``Vary``."""
    initials = names.initials

    def apply_headers(own: Iterable[Header[AnyStr]], added: list[Header[AnyStr]]) -> list[Header[AnyStr]]:
        headers = list(own)
        # Most responses have neither a Vary nor CORS headers; the first letters are the quickest way to see.
        # A careless application may send an empty name: what becomes of it is the server's business.
        for name, _ in headers:
            if name and name[0] in initials:
                headers = [header for header in headers if not header[0].lower().startswith(names.cors)]
                if vary and _merge_vary(headers, names):
                    added = added[1:]
                break
        headers += added
        return headers

    return apply_headers


def _merge_vary(headers: list[Header[AnyStr]], names: WireNames[AnyStr]) -> bool:
    """Add ``Origin`` to the last ``Vary``, because some caches read one line only; False if there is none."""
    vary, origin = names.vary
    lines = [index for index, header in enumerate(headers) if header[0].lower() == vary]
    named = {element.strip().lower() for line in lines for element in headers[line][1].split(names.comma[:1])}
    if lines and origin.lower() not in named:
        name, value = headers[lines[-1]]
        headers[lines[-1]] = (name, value + names.comma + origin if value.strip() else origin)
    return bool(lines)
