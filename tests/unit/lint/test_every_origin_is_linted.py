"""Every field of a document that takes origins is linted, and a write of it is refused for a lint error.

The tables of fields are walked. A field takes origins if it accepts an origin, and refuses the same with a
path: no name, URL or file does both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

import pytest

from crossgate.catalogue.document import Reading, read_document
from crossgate.catalogue.fields import DOCUMENT
from crossgate.catalogue.model import Catalogue
from crossgate.lint.check import check_catalogue
from crossgate.record import Delegated, Field, ListOf, Named, Nullable, Record
from crossgate.service.changes import ReplaceAll
from crossgate.service.plan import make_plan
from crossgate.service.snapshot import Snapshot

ORIGIN: Final = "https://app.example.com"
NO_TLS: Final = "http://app.example.com"
REQUIRED: Final[dict[str, dict[str, object]]] = {
    "ApiEntry": {"name": "pets", "version": "1", "type": "rest", "native": "http://127.0.0.1:9101"},
    "ApplicationEntry": {"name": "shop"},
    "TlsEntry": {"certificate": "a.pem", "key": "a.key"},
    "SuppressionEntry": {"code": "localhost", "reason": "a test"},
    "AccessLogEntry": {"file": "access.log"},
}
"""An entry of each record that has required keys."""
CREDENTIALS: Final[dict[str, dict[str, object]]] = {
    "CorsEntry": {"allow_credentials": True},
    "SettingsEntry": {
        "watt.server.cors.enabled": True,
        "watt.server.cors.supportsCredentials": True,
        "watt.server.cors.allowedOrigins": [ORIGIN],
    },
    "ApplicationEntry": {"apis": ["pets/1"]},
}
"""What makes an http origin an error there."""
WITH_CREDENTIALS: Final = {
    **REQUIRED["ApiEntry"],
    "cors": {"allowed_origins": [ORIGIN], "allow_credentials": True},
}


def fields(record: Record[Any], path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every field below the record without records; a list has one entry."""
    for one in record.fields:
        inner, index = _inner(one)
        if inner is None:
            yield (*path, one.name)
        else:
            yield from fields(inner, (*path, one.name, *index))


def _inner(one: Field) -> tuple[Record[Any] | None, tuple[int, ...]]:
    kind, index = one.kind, tuple[int, ...]()
    while isinstance(kind, ListOf | Nullable | Named):
        index = (*index, 0) if isinstance(kind, ListOf) else index
        kind = kind.kind
    if isinstance(kind, Delegated):
        kind = kind.record
    return (kind, index) if isinstance(kind, Record) else (None, ())


def document(path: tuple[str | int, ...], value: object) -> Reading:
    """What is read from :func:`raw_document`."""
    return read_document(json.dumps(raw_document(path, value)))


def raw_document(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """A document with the value at that path, and with what else its records require."""
    root: dict[str, Any] = {"apis": [deepcopy(WITH_CREDENTIALS)]}
    record: Record[Any] = DOCUMENT
    at: Any = root
    for step, following in zip(path, (*path[1:], None), strict=True):
        if isinstance(step, int):
            continue
        inner, index = _inner(next(one for one in record.fields if one.name == step))
        if inner is None:
            assert following is None
            at[step] = value
            break
        entry = {**REQUIRED.get(inner.name, {}), **CREDENTIALS.get(inner.name, {})}
        if index:
            at[step] = at.get(step) or [entry]
            at = at[step][0]
        else:
            at = at.setdefault(step, entry)
            at.update(entry)
        record = inner
    return root


def takes_origins(path: tuple[str | int, ...]) -> bool:
    """Whether the field takes origins, one or a list."""
    return any(
        document(path, as_value(ORIGIN)).catalogue is not None
        and document(path, as_value(f"{ORIGIN}/path")).catalogue is None
        for as_value in (lambda one: one, lambda one: [one])
    )


ALL: Final = list(fields(DOCUMENT))
WITH_ORIGINS: Final = [path for path in ALL if takes_origins(path)]


def test_the_walk_finds_every_field_that_is_known_to_take_origins() -> None:
    assert set(WITH_ORIGINS) >= {
        ("gateway", "public_origins"),
        ("settings", "watt.server.cors.allowedOrigins"),
        ("apis", 0, "cors", "allowed_origins"),
        ("applications", 0, "javascript_origins"),
    }


def test_the_walk_reaches_every_field() -> None:
    """A value that no field accepts is an error of the field that it is written to, and of no other."""
    for path in ALL:
        places = [one.place.path for one in document(path, [[]]).diagnostics]
        assert [place[: len(path)] for place in places] == [path]


@pytest.mark.parametrize("path", WITH_ORIGINS, ids=lambda path: str(path[-1]))
@pytest.mark.parametrize("enough", [True, False], ids=["after another", "alone"])
def test_a_field_with_origins_is_linted_and_gated(path: tuple[str | int, ...], *, enough: bool) -> None:
    origins = [ORIGIN, NO_TLS] if enough else [NO_TLS]
    catalogue = document(path, origins).catalogue
    assert catalogue is not None
    found = {one.diagnostic.code: one.diagnostic for one in check_catalogue(catalogue).findings()}
    assert found["http-origin"].place.path == (*path, len(origins) - 1)
    assert found["http-origin"].severity == "error"

    before = document(path, [ORIGIN]).catalogue
    for base in (Catalogue(), before):
        assert base is not None
        refusing = make_plan(Snapshot.of(1, base), [ReplaceAll(catalogue)]).refusing
        assert [one.diagnostic.code for one in refusing] == ["http-origin"]
        (remedy,) = (one.diagnostic.remedy for one in refusing)
        item = remedy[remedy.index("{") : remedy.index("}") + 1]
        assert json.loads(item) == {"code": "http-origin", "entry": NO_TLS, "reason": "…"}

        accepted = _accepted(path, origins, json.loads(item))
        assert make_plan(Snapshot.of(1, base), [ReplaceAll(accepted)]).refusing == ()
        codes = [one.diagnostic.code for one in check_catalogue(accepted).findings()]
        assert "http-origin" not in codes


def _accepted(path: tuple[str | int, ...], origins: list[str], item: object) -> Catalogue:
    """The catalogue with ``lint.allow`` in the object that contains the field."""
    raw = raw_document(path, origins)
    owner = raw[str(path[0])]
    (owner[0] if isinstance(owner, list) else owner)["lint"] = {"allow": [item]}
    catalogue = read_document(json.dumps(raw)).catalogue
    assert catalogue is not None
    return catalogue
