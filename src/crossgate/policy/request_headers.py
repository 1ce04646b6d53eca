"""``Access-Control-Request-Headers``: a list of names, in bounded work whatever it holds."""

from __future__ import annotations

import re
from typing import Final

from crossgate.policy.names import ANY, TOKEN_PATTERN, is_token

AUTHORIZATION: Final = "authorization"
"""The one name that ``*`` does not cover (Fetch, CORS-unsafe request-header names)."""

LIST_PATTERN: Final = rf"[ \t,]*(?:{TOKEN_PATTERN}[ \t]*(?:,[ \t,]*|$))*"
"""A whole value that is a list of tokens, in RE2's syntax: what ``*`` admits, ``Authorization`` aside."""

_BETWEEN: Final = " \t,"
# An element without the blanks around it. Searching for the next one skips empty elements without making
# them: a megabyte of commas is read once, and the first name that is not allowed ends the search.
_ELEMENT: Final = re.compile(r"[^ \t,](?:[^,]*[^ \t,])?")


class HeaderNames:
    """The header names that a policy allows, asked about whole header values."""

    __slots__ = ("_any", "_names")

    def __init__(self, names: tuple[str, ...]) -> None:
        self._any = ANY in names
        self._names = frozenset(name.lower() for name in names)

    def admit(self, value: str) -> bool:
        """Whether every element of the value is an allowed name; empty elements are none."""
        # Beyond ASCII there are no tokens, but there are letters whose lower case is ASCII: the Kelvin sign.
        return value.isascii() and all(
            self._admit_name(found[0]) for found in _ELEMENT.finditer(value.strip(_BETWEEN))
        )

    def _admit_name(self, name: str) -> bool:
        lower = name.lower()
        return lower in self._names or (self._any and lower != AUTHORIZATION and is_token(name))
