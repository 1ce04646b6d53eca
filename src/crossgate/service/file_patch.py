"""The patch of the file that a gateway runs, for a change that cannot be made over the API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from io import StringIO
from pathlib import Path
from typing import Any, Final

from crossgate.catalogue.document import read_document
from crossgate.catalogue.model import Catalogue
from crossgate.catalogue.yaml.edits import UneditableError
from crossgate.catalogue.yaml.patch import ObjectEdit, edit_document
from crossgate.service.objects import (
    GATEWAY_KEY,
    SETTINGS_KEY,
    CatalogueObject,
    ObjectKey,
    ObjectKind,
    object_to_dict,
)

_SECTIONS: Final = {
    "api": "apis",
    "application": "applications",
    "gateway": "gateway",
    "settings": "settings",
}
_HUNK: Final = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)")


def first_line(patch: str) -> int | None:
    """The line of the patched file at which the first change is; None if there is none."""
    number = 0
    for line in patch.splitlines():
        hunk = _HUNK.match(line)
        if hunk:
            number = int(hunk[1])
        elif number and line[:1] in "+-":
            return number
        elif number:
            number += 1
    return None


def make_patch(file: str, text: str, objects: Sequence[Mapping[str, Any]]) -> str | None:
    """The unified diff of the file; None if it cannot be made."""
    edits = [ObjectEdit(_SECTIONS[one["kind"]], one["before"] or {}, one["after"] or {}) for one in objects]
    try:
        edited = edit_document(text, edits)
    except UneditableError:
        return None
    folder = Path(file).absolute().parent
    before, after = (read_document(one, file=file, folder=folder).catalogue for one in (text, edited))
    if before is None or after is None or not _is_edited(before, after, objects):
        return None
    return "".join(map(_ended, unified_diff(_lines(text), _lines(edited), file, file)))


def _lines(text: str) -> list[str]:
    """The lines as `patch` counts them: only a line feed ends one."""
    return [*StringIO(text, newline="\n")]


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _is_edited(before: Catalogue, after: Catalogue, objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the objects, and nothing else, became what they should."""
    expected = _objects(before)
    for one in objects:
        key = one["kind"], one["key"]
        if expected.get(key) != one["before"]:
            return False
        expected[key] = one["after"]
    return expected == _objects(after)


def _objects(catalogue: Catalogue) -> dict[tuple[str, str], Any]:
    found: dict[ObjectKey, CatalogueObject] = {
        GATEWAY_KEY: catalogue.gateway,
        SETTINGS_KEY: catalogue.settings,
        **{(ObjectKind.API, key): one for key, one in catalogue.apis.items()},
        **{(ObjectKind.APPLICATION, name): one for name, one in catalogue.applications.items()},
    }
    # As in a response: lists in place of tuples.
    return {
        (kind.value, key): json.loads(json.dumps(object_to_dict(one))) for (kind, key), one in found.items()
    }
