"""The verbs with their options, as completion scripts need them: read from a file, without loading a verb.

``make reference`` writes the file from the verbs themselves.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Final

TABLE: Final = "completion.json"


class Completes(StrEnum):
    """What completes the value of an option or argument."""

    NOTHING = "nothing"
    FLAG = "flag"
    """An option without a value."""
    CHOICE = "choice"
    FILE = "file"
    DIRECTORY = "directory"


@dataclass(frozen=True, slots=True)
class CompletedValue:
    """An option with its names; or an argument, which has none."""

    names: tuple[str, ...]
    help: str
    completes: Completes
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompletedVerb:
    """A verb by its words, ``token create``, with its options and what its arguments are."""

    words: str
    help: str
    options: tuple[CompletedValue, ...]
    arguments: tuple[CompletedValue, ...]


def read_completion_table() -> list[CompletedVerb]:
    """Every verb, and every group of verbs before those in it."""
    raw = json.loads(files("crossgate.cli").joinpath(TABLE).read_text(encoding="utf-8"))
    return [
        CompletedVerb(one["words"], one["help"], _values(one["options"]), _values(one["arguments"]))
        for one in raw
    ]


def write_completion_table(verbs: list[CompletedVerb]) -> str:
    """The content of the file."""
    return json.dumps([asdict(verb) for verb in verbs], indent=1) + "\n"


def _values(raw: list[dict[str, list[str]]]) -> tuple[CompletedValue, ...]:
    return tuple(
        CompletedValue(
            tuple(one["names"]), str(one["help"]), Completes(str(one["completes"])), tuple(one["choices"])
        )
        for one in raw
    )
