"""The errors of raw values that do not fit their record, and the bounds of their number."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Final

from crossgate.diagnostics import Diagnostic, Place, Step

MAX_ERRORS: Final = 10_000
"""Of one list or mapping: reading it ends there."""
# Searching for similar keys costs more than all the rest, and hostile input can have any number of keys.
_MAX_SUGGESTIONS: Final = 5
_FOUND_LENGTH: Final = 100

MORE_ERRORS: Final = Diagnostic(
    "more-errors",
    f"more than {MAX_ERRORS:,} errors; the others are not listed",
    "Fix these, then check again",
)


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why a raw value was refused: every error, its place relative to the value."""

    diagnostics: tuple[Diagnostic, ...]

    def within(self, step: Step) -> Iterable[Diagnostic]:
        """The errors as seen from the mapping or list around the value."""
        return (found.within(step) for found in self.diagnostics)


def wrong_type(expected: str, raw: object, remedy: str = "") -> Invalid:
    """The refusal of a value of another type, or of a value that is not among those allowed."""
    message, found = f"expected {expected}", as_found(raw)
    return Invalid((Diagnostic("wrong-type", message, remedy or f"Write {expected}", found=found),))


def unknown_keys(
    raw: Iterable[str], known: Iterable[str], others: Mapping[str, str] | None = None
) -> list[Diagnostic]:
    """One error for each key that is not among the known ones, naming the one that may be meant.

    ``others`` are names that other products have for the keys, with what to write instead.
    """
    names = sorted(known)
    meant = {_bare(name): name for name in names}
    meant = {**{_bare(other): ours for other, ours in (others or {}).items()}, **meant}
    listed = ", ".join(names)
    unknown = list(islice((key for key in raw if key not in names), MAX_ERRORS + 1))
    found = [
        Diagnostic(
            code="unknown-key",
            message="unknown key",
            found=key,
            remedy=f"{_suggestion(key, names, meant, search=number < _MAX_SUGGESTIONS)}The keys are {listed}",
            place=Place((key,)),
        )
        for number, key in enumerate(unknown[:MAX_ERRORS])
    ]
    return [*found, MORE_ERRORS] if len(unknown) > MAX_ERRORS else found


def not_a_string(raw: object) -> Invalid:
    """The refusal of a value that should be a string, showing how to quote it if it is a number."""
    remedy = quote_remedy(as_found(raw)) if isinstance(raw, bool | int | float) else "Write a string"
    return wrong_type("a string", raw, remedy)


def quote_remedy(found: str) -> str:
    """The remedy for a number or boolean where a string is expected."""
    return f'Quote it: "{found}"'


def as_found(raw: object) -> str:
    """The raw value as a document could have it, shortened."""
    if raw is None:
        return "nothing"
    try:
        text = json.dumps(raw, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(raw)
    return text if len(text) <= _FOUND_LENGTH else f"{text[:_FOUND_LENGTH]}…"


def _suggestion(key: str, names: list[str], meant: Mapping[str, str], *, search: bool) -> str:
    shown = str(key)[:_FOUND_LENGTH]
    found = meant.get(_bare(shown))
    if found is None and search:
        found = next(iter(get_close_matches(shown, names, n=1)), None)
    return "" if found is None else f"Did you mean {found}? "


def _bare(name: str) -> str:
    """The name without its spelling, and without the prefix of a Kubernetes annotation."""
    return name.rpartition("/")[2].replace("_", "").replace("-", "").lower()
