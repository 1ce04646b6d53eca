"""Puts the policy's headers on an application's response, in place of the application's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import AnyStr

from crossgate.policy import names

Headers = Iterable[tuple[AnyStr, AnyStr]]
PutOn = Callable[[Headers[AnyStr]], list[tuple[AnyStr, AnyStr]]]
"""Takes a response's own headers, and gives those with which it goes out: a new list each time."""


def dresser(
    added: tuple[tuple[AnyStr, AnyStr], ...], write: Callable[[str], AnyStr], *, vary: bool
) -> PutOn[AnyStr]:
    """What puts ``added`` on responses, and ``Origin`` on their ``Vary`` if ``vary``."""
    cors, vary_name, origin = write(names.CORS_HEADER_PREFIX), write(names.VARY.lower()), write(names.ORIGIN)
    added_with_vary = list(added)
    if vary:
        added_with_vary.append((vary_name, origin))
    initials = write("aAvV")

    def put_on(own: Headers[AnyStr]) -> list[tuple[AnyStr, AnyStr]]:
        headers = list(own)
        # Most responses have neither a Vary nor anything of CORS, and this tells it soonest.
        for name, _ in headers:
            if name[0] in initials:
                return replace(headers)
        headers += added_with_vary
        return headers

    def replace(own: list[tuple[AnyStr, AnyStr]]) -> list[tuple[AnyStr, AnyStr]]:
        headers = [header for header in own if not header[0].lower().startswith(cors)]
        if vary and any(name.lower() == vary_name for name, _ in headers):
            _merge_vary(headers, vary_name, origin, write(", "))
            headers += added
        else:
            headers += added_with_vary
        return headers

    return put_on


def _merge_vary(headers: list[tuple[AnyStr, AnyStr]], vary: AnyStr, origin: AnyStr, comma: AnyStr) -> None:
    """Into a line that is there, since some caches look at one only; not if ``Origin`` is named in any."""
    lines = [index for index, header in enumerate(headers) if header[0].lower() == vary]
    named = {element.strip().lower() for line in lines for element in headers[line][1].split(comma[:1])}
    if origin.lower() not in named:
        name, value = headers[lines[-1]]
        headers[lines[-1]] = (name, value + comma + origin if value.strip() else origin)
