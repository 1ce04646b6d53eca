"""Escapes what could control a terminal. Loads nothing: the log of a start uses it."""

from __future__ import annotations


def printable(text: str) -> str:
    """The string with every character escaped that could control a terminal."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text
    )
