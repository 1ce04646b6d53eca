"""What the last act of the caller did, from its revision: shown once, with its undoing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_LISTS: Final = ("allowed_origins", "allowed_methods", "allow_headers", "javascript_origins")


@dataclass(frozen=True, slots=True)
class Toast:
    """A sentence in three parts: ``Allowed`` *value* ``as revision 149``."""

    revision: int
    words: str
    value: str
    """Hostile: something that a request carried may be in it."""
    enforced: str
    """Such as ``enforced by 3 of 4 nodes``; empty without nodes."""


def toast_of(revision: Mapping[str, Any], frame: Mapping[str, Any]) -> Toast:
    """The toast for a revision; ``frame`` is the gateway's status."""
    number = revision["number"]
    added = [*_added(revision.get("changes", ()))]
    words, value = "Saved", ""
    if revision.get("rolls_back_to") is not None:
        words = f"Restored revision {revision['rolls_back_to']}"
    elif len(added) == 1:
        words, value = "Allowed", added[0]
    return Toast(number, words, value, _enforced(number, frame))


def _enforced(number: int, frame: Mapping[str, Any]) -> str:
    total = len(frame["nodes"])
    if not total or frame["revision"] != number:
        return ""
    done = total - frame["nodes_behind"]
    return f"enforced by {done} of {total} node{'' if total == 1 else 's'}"


def _added(changes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The entries that the changes added to lists of what is allowed."""
    for change in changes:
        before, after = (_lists(change.get(side)) for side in ("before", "after"))
        for name in _LISTS:
            old = before.get(name) or ()
            for entry in after.get(name) or ():
                if entry not in old:
                    yield str(entry.get("regex", "")) if isinstance(entry, dict) else str(entry)


def _lists(found: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return {} if found is None else {**found, **(found.get("cors") or {})}
