"""Helpers for tests of readers: what one finds in a file, in short, and documents of any shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from crossgate.diagnostics import InvalidInput
from crossgate.importers.found import Contents, FoundApi, FoundPolicy
from crossgate.importers.kind import Kind
from crossgate.importers.source import Source

DATA: Final = Path(__file__).parents[2] / "data" / "imports"

_SCALARS: Final = st.none() | st.booleans() | st.integers(-3, 10**12) | st.floats() | st.text(max_size=8)
ANY_VALUE: Final = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
"""Any JSON value."""


def read_file(kind: Kind, *path: str) -> Contents:
    """What the kind's reader finds in a file below the folder of imported documents."""
    file = DATA.joinpath(*path)
    source = Source(file.name, file.read_bytes())
    assert kind.recognises(source)
    return kind.read(source)


def in_short(api: FoundApi) -> dict[str, object]:
    """An API without places and reasons; what is empty is left out."""
    found = {
        "native": api.natives[0].value if api.natives else None,
        "endpoints": [one.value for one in api.endpoints],
        "cors": None if api.cors is None else policy_in_short(api.cors),
    }
    return {key: value for key, value in found.items() if value not in ([], None)}


def policy_in_short(policy: FoundPolicy) -> dict[str, object]:
    """A policy without places and reasons; what is empty is left out."""
    found: dict[str, object] = {
        "origins": [one.value for one in policy.origins],
        "methods": " ".join(one.value for one in policy.methods),
        "allow": " ".join(one.value for one in policy.allow_headers),
        "expose": " ".join(one.value for one in policy.expose_headers),
        "credentials": policy.credentials and policy.credentials.value,
        "max_age": policy.max_age and policy.max_age.value,
    }
    return {key: value for key, value in found.items() if value not in ([], "", None, False)}


def apis_in_short(contents: Contents) -> dict[str, dict[str, object]]:
    """The APIs by name."""
    return {api.name.value: in_short(api) for api in contents.apis}


def codes(contents: Contents) -> list[tuple[str, int | None]]:
    """The codes and lines of the diagnostics, in their order."""
    return [(one.code, one.place.line) for one in contents.diagnostics]


def replaced(root: Any, path: list[int], value: object) -> Any:
    """The document with another value at a place, which is found by positions in mappings and lists."""
    if not path or not isinstance(root, dict | list) or not root:
        return value
    keys: list[Any] = list(root) if isinstance(root, dict) else list(range(len(root)))
    key = keys[path[0] % len(keys)]
    changed = root.copy()
    changed[key] = replaced(root[key], path[1:], value)
    return changed


def read_any(kind: Kind, root: object) -> Contents | None:
    """What the reader finds in a document; None if it refuses it with diagnostics."""
    source = Source("any.json", json.dumps(root).encode())
    kind.recognises(source)
    try:
        return kind.read(source)
    except InvalidInput as error:
        assert error.diagnostics
        return None
