"""Origins by wildcard: one look-up per label, however many wildcards there are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from crossgate.policy.origin import LABEL_PATTERN, MAX_LENGTH, PORT_PATTERN, names_default_port
from crossgate.policy.pattern import WildcardOrigin

# What stands for the star. The rest of the origin is the wildcard's own, and well-formed like that.
_LABELS: Final = re.compile(rf"{LABEL_PATTERN}(?:\.{LABEL_PATTERN})*")
_PORT: Final = re.compile(PORT_PATTERN)


class OriginWildcards:
    """The origins that any of the wildcards admits."""

    def __init__(self, wildcards: Iterable[WildcardOrigin]) -> None:
        self._below = _Suffixes()
        self._below_any_port = _Suffixes()
        self._any_port: set[str] = set()
        for wildcard in wildcards:
            port = "" if wildcard.port is None else f":{wildcard.port}"
            if wildcard.any_subdomain:
                suffixes = self._below_any_port if wildcard.any_port else self._below
                suffixes.add(f"{wildcard.scheme}://", f".{wildcard.host}{port}")
            else:
                self._any_port.add(f"{wildcard.scheme}://{wildcard.host}")

    def admit(self, value: str) -> bool:
        """Whether the value is a well-formed origin that a wildcard admits."""
        if len(value) > MAX_LENGTH:
            return False
        if self._below.admit(value):
            return True
        if not (self._any_port or self._below_any_port):
            return False
        without_port = _without_port(value)
        return without_port in self._any_port or self._below_any_port.admit(without_port)


class _Suffixes(dict[str, tuple[str, ...]]):
    """What may stand behind the star, and before it: ``.example.com`` and ``https://``."""

    _longest = 0

    def add(self, prefix: str, suffix: str) -> None:
        self[suffix] = (*self.get(suffix, ()), prefix)
        self._longest = max(self._longest, len(suffix))

    def admit(self, value: str) -> bool:
        """Of a long value no more is looked at than the longest suffix could match."""
        dot = value.find(".", max(0, len(value) - self._longest))
        while dot >= 0:
            for prefix in self.get(value[dot:], ()):
                if value.startswith(prefix):
                    return _LABELS.fullmatch(value, len(prefix), dot) is not None
            dot = value.find(".", dot + 1)
        return False


def _without_port(value: str) -> str:
    """The origin on its scheme's default port; empty for one that names the default port."""
    before, _, port = value.rpartition(":")
    if not _PORT.fullmatch(port):
        return value
    return "" if names_default_port(value) else before
