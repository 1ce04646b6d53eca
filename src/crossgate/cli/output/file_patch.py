"""The patch of the file that a gateway runs, for a change that would be made to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import unified_diff
from io import StringIO
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from crossgate.catalogue.document import read_document
from crossgate.catalogue.model import Catalogue
from crossgate.catalogue.yaml.files import read_text
from crossgate.catalogue.yaml.patch import ObjectEdit, UneditableError, edit_document
from crossgate.cli.admin_client import parse_diagnostic
from crossgate.cli.output.console import stderr
from crossgate.cli.output.refusals import print_patch
from crossgate.diagnostics import Diagnostic, InvalidInput
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


def find_file_patch(file: str, change: Mapping[str, Any]) -> str | None:
    """The unified diff of the file, which keeps comments; None if a program cannot edit the file.

    Raises:
        InvalidInput: the change would be refused, or the file cannot be read.

    """
    if change["refused"]:
        raise InvalidInput(parse_diagnostic(one) for one in change["refused"])
    text = read_text(Path(file))
    if isinstance(text, Diagnostic):
        raise InvalidInput([text])
    return make_patch(file, text, change["objects"])


def print_file_patch(console: Console, file: str, patch: str | None, change: Mapping[str, Any]) -> None:
    """Print the patch of the file; without one, that of the objects, and a line to standard error says so."""
    if patch is None:
        stderr().print(f"Edit {file} by hand: the file has other objects than the gateway, or another form")
        print_patch(console, change["patch"])
    elif console.is_terminal:
        print_patch(console, patch)
    else:
        # For a program: escapes would change lines of the file, such as those with a tab.
        console.file.write(patch)


def make_patch(file: str, text: str, objects: list[Mapping[str, Any]]) -> str | None:
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


def _is_edited(before: Catalogue, after: Catalogue, objects: list[Mapping[str, Any]]) -> bool:
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
