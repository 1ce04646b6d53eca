"""What pydantic finds wrong with a document's shape, as diagnostics that say what to write instead."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from crossgate.catalogue.document.field import DIAGNOSED
from crossgate.diagnostics import Diagnostic, Place, Step

SourceOf = Callable[[tuple[Step, ...]], str]
"""The text of the plain scalar at a path, as it is spelled."""

_WANTED: Final = {
    "string_type": ("a text", "Write a text"),
    "bool_type": ("true or false", "Write true or false"),
    "float_type": ("a number", "Write a number, without quotes"),
    "list_type": ("a list", "Write a list, with one entry for each: [] if there is none"),
    "model_type": ("a mapping", "Write keys and values, or leave it out"),
}
_FOUND_LENGTH: Final = 100
# Looking for similar keys takes longer than all the rest, and nobody reads the suggestions of thousands.
_MAX_SUGGESTIONS: Final = 100
_MAX_FAULTS: Final = 10_000


def unknown_key(path: tuple[Step, ...], known: Iterable[str], *, suggest: bool = True) -> Diagnostic:
    """The complaint about a key that nothing reads, with the known key that it resembles."""
    key, names = str(path[-1]), sorted(known)
    close = get_close_matches(key[:_FOUND_LENGTH], names, n=1) if suggest else []
    question = f"Did you mean {close[0]}? " if close else ""
    return Diagnostic(
        code="unknown-key",
        message="there is no such key here",
        found=key,
        remedy=f"{question}The keys are {', '.join(names)}",
        place=Place(path),
    )


def as_found(value: object) -> str:
    """The value as the document could have it, shortened."""
    if value is None:
        return "nothing"
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _FOUND_LENGTH else f"{text[:_FOUND_LENGTH]}…"


def explain_shape_errors(
    error: ValidationError, document: type[BaseModel], source_of: SourceOf
) -> Iterator[Diagnostic]:
    """Every complaint in ``error``, up to ten thousand; ``document`` is the model of the whole."""
    faults = error.errors(include_url=False)
    if len(faults) > _MAX_FAULTS:
        yield _and_more(len(faults) - _MAX_FAULTS)
    for number, details in enumerate(faults[:_MAX_FAULTS]):
        path = tuple(details["loc"])
        if details["type"] == DIAGNOSED:
            for diagnostic in details["ctx"][DIAGNOSED]:
                yield diagnostic.within(*path)
        elif details["type"] == "extra_forbidden":
            known = _model_at(document, path[:-1]).model_fields
            yield unknown_key(path, known, suggest=number < _MAX_SUGGESTIONS)
        elif details["type"] == "missing":
            yield _missing_key(path, _model_at(document, path[:-1]))
        else:
            yield _wrong_type(path, details, source_of)


def _and_more(count: int) -> Diagnostic:
    return Diagnostic(
        "more-errors", f"{count:,} more errors are not shown", "Mend those that are shown first"
    )


def _model_at(document: type[BaseModel], path: tuple[Step, ...]) -> type[BaseModel]:
    model = document
    for step in path:
        if isinstance(step, str):
            model = _model_in(model.model_fields[step].annotation)
    return model


def _model_in(annotation: object) -> type[BaseModel]:
    """The one model inside ``list[Model]``, ``Model | None`` or the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = getattr(annotation, "__args__", ())
    return next(_model_in(part) for part in inner if part is not type(None))


def _missing_key(path: tuple[Step, ...], model: type[BaseModel]) -> Diagnostic:
    key = str(path[-1])
    return Diagnostic(
        code="missing-key",
        message=f"the key {key} is missing",
        remedy=f"Add {key}: {model.model_fields[key].description}",
        place=Place(path[:-1]),
    )


def _wrong_type(path: tuple[Step, ...], details: ErrorDetails, source_of: SourceOf) -> Diagnostic:
    value = details["input"]
    wanted, remedy = _wanted(details)
    found = as_found(value)
    if details["type"] == "string_type" and isinstance(value, bool | int | float):
        found = source_of(path)
        remedy = f'Quote it: "{found}"'
    name = path[-1] if path and isinstance(path[-1], str) else "the entry" if path else "the document"
    return Diagnostic("wrong-type", f"{name} must be {wanted}", remedy, Place(path), found)


def _wanted(details: ErrorDetails) -> tuple[str, str]:
    if details["type"] in _WANTED:
        return _WANTED[details["type"]]
    context: Mapping[str, object] = details.get("ctx", {})
    if "expected" in context:
        choices = str(context["expected"]).replace("'", "")
        return choices, f"Write {choices}"
    bounds = {"ge": "at least", "le": "at most"}
    for sign, words in bounds.items():
        if sign in context:
            return f"{words} {context[sign]}", f"Write a number that is {words} {context[sign]}"
    return "different", details["msg"]
