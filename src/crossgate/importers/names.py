"""Valid names of objects made of any strings."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from crossgate.catalogue.names import MAX_NAME, parse_application_name, parse_name

_OTHERS: Final = re.compile("[^A-Za-z0-9._~-]+")
_SPACES: Final = re.compile(r"[\s_-]+")
_LONGEST_READ: Final = 10 * MAX_NAME


def make_api_name(title: str, default: str) -> str:
    """A valid name: the title if it is valid, else in lower case, with hyphens for all other characters.

    Accents are left out. ``default`` stands for a title without any letter or digit of ASCII.
    """
    if isinstance(parse_name(title), str):
        return title
    decomposed = unicodedata.normalize("NFKD", title[:_LONGEST_READ].casefold())
    letters = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    name = re.sub("-{2,}", "-", _OTHERS.sub("-", letters))[:MAX_NAME].strip("-")
    return name if isinstance(parse_name(name), str) and re.search("[a-z0-9]", name) else default


def make_application_name(name: str) -> str:
    """A valid name of an application: printable characters, runs of others as one space."""
    if isinstance(parse_application_name(name), str):
        return name
    printable = "".join(sign if sign.isprintable() else " " for sign in name[:_LONGEST_READ])
    return " ".join(printable.split())[:MAX_NAME].strip() or "application"


class UniqueNames:
    """Names that are in use."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._numbers: dict[str, int] = {}

    def take(self, name: str) -> str:
        """The name, with a number after it if it is in use; it is in use from now on."""
        candidate = name
        while candidate in self._used:
            # Numbers are not tried again: thousands of objects may have one name.
            number = self._numbers[name] = self._numbers.get(name, 1) + 1
            suffix = f"-{number}"
            candidate = name[: MAX_NAME - len(suffix)] + suffix
        self._used.add(candidate)
        return candidate


def differs_in_words(name: str, title: str) -> bool:
    """Whether a name differs from the string that it was made of in more than case, spaces and hyphens."""
    return _SPACES.sub("", name).casefold() != _SPACES.sub("", title).casefold()
