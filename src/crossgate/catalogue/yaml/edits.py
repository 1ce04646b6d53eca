"""Edits of the text of a document, and what the places that make them know of YAML's layout."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crossgate.catalogue.yaml.writer import write_yaml


class UneditableError(ValueError):
    """The document has a form that is not edited by a program."""


@dataclass(frozen=True, slots=True, order=True)
class TextEdit:
    """A part of a document, and what replaces it."""

    begin: int
    end: int
    text: str
    """With line feeds, whatever ends the lines of the document."""


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """The document after these edits, with its own line ends.

    They are made from its end, so that positions before them stay valid.
    """
    line_end = "\r\n" if "\r\n" in text else "\n"
    parts: list[str] = []
    end = len(text)
    for one in sorted(edits, reverse=True):
        if one.end > end:
            # A key was added behind this one, whose line is removed.
            parts = ["".join(reversed(parts))[one.end - end :]]
        else:
            parts.append(text[one.end : end])
        parts.append(one.text.replace("\n", line_end))
        end = one.begin
    return "".join(reversed([*parts, text[:end]]))


def end_of_line(text: str, at: int) -> int:
    """Where the line ends in which this position is, before its line break."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if text[end - 1 : end] == "\r" else end


def write_inline(value: object) -> str:
    """The value on one line, in a style that is valid inside brackets, too."""
    written = write_yaml({"flow": [value]}, flow=True)
    return written[written.index("[") + 1 : written.rindex("]")]
