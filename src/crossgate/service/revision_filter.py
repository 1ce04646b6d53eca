"""A filter of revisions as people type it: `author:web-team api:petstore previews`."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.service.ports import RevisionQuery

_FIELDS: Final = ("author", "api", "application")


def parse_revision_filter(text: str) -> RevisionQuery:
    """The query; other words, URLs included, are sought in the message, together.

    Raises:
        InvalidInput: with every unknown field.

    """
    query, words, errors = RevisionQuery(), list[str](), list[Diagnostic]()
    for word in text.split():
        name, colon, value = word.partition(":")
        if colon and name in _FIELDS:
            query = replace(query, **{name: value})
        elif colon and name.isidentifier() and not value.startswith("//"):
            errors.append(_unknown(name))
        else:
            words.append(word)
    if errors:
        raise InvalidInput(errors)
    return replace(query, text=" ".join(words))


def _unknown(name: str) -> Diagnostic:
    near = get_close_matches(name, _FIELDS, n=1)
    return Diagnostic(
        "filter-field-unknown",
        "unknown field in the filter",
        f"Did you mean {near[0]}:?" if near else f"Use one of {', '.join(_FIELDS)}, or words of the message",
        Place(("query", "filter")),
        found=f"{name}:",
    )
