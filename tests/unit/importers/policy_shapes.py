"""Short forms of what readers of gateways' configurations find, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from crossgate.importers.found import Contents, FoundApi, FoundPolicy
from crossgate.importers.kind import Kind
from crossgate.importers.source import Source

DATA = Path(__file__).parents[2] / "data" / "imports"


def read_text(kind: Kind, text: str) -> Contents:
    """What the reader finds in the document, which it recognises."""
    source = Source("document.yaml", text.encode())
    assert kind.recognises(source)
    return kind.read(source)


def read_file(kind: Kind, name: str) -> Contents:
    """What the reader finds in one of its documents."""
    return read_text(kind, (DATA / kind.name / name).read_text(encoding="utf-8"))


def shape_of(policy: FoundPolicy | None) -> Mapping[str, object] | None:
    """The policy's values without their places; empty ones are left out."""
    if policy is None:
        return None
    lists = {
        "origins": policy.origins,
        "methods": policy.methods,
        "allow": policy.allow_headers,
        "expose": policy.expose_headers,
    }
    shape: dict[str, object] = {
        name: [one.value for one in values] for name, values in lists.items() if values
    }
    if policy.credentials is not None:
        shape["credentials"] = policy.credentials.value
    if policy.max_age is not None:
        shape["max_age"] = policy.max_age.value
    return shape


def policies_of(contents: Contents) -> dict[str, Mapping[str, object] | None]:
    """The policies by the names of their APIs."""
    return {api.name.value: shape_of(api.cors) for api in contents.apis}


def api_named(contents: Contents, name: str) -> FoundApi:
    """The API with that name."""
    return next(api for api in contents.apis if api.name.value == name)


def codes_of(contents: Contents) -> set[str]:
    """The codes of the diagnostics."""
    return {one.code for one in contents.diagnostics}
