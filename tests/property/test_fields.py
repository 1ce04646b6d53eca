"""Tables of fields: an object that was read fits the schema, and reads back after it is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Final, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from crossgate.catalogue.fields import API, APPLICATION, DOCUMENT, GATEWAY
from crossgate.catalogue.reader import read_api, read_application, read_gateway
from crossgate.catalogue.schema import document_schema, nested_records
from crossgate.diagnostics import InvalidInput
from crossgate.policy.server_cors import NAMES, PREFIX, SETTINGS
from crossgate.record import Record

_Found = TypeVar("_Found")

_DEFINITIONS: Final = document_schema()["$defs"]
_VALIDATORS: Final = {
    record.name: Draft202012Validator({"$defs": _DEFINITIONS, "$ref": f"#/$defs/{record.name}"})
    for record in (API, APPLICATION, GATEWAY)
}
_WRONG: tuple[object, ...] = (None, True, 0, 1.5, "", "x", [], ["x"], [None], {}, {"x": 1}, [["x"]])

_ORIGINS = st.lists(
    st.sampled_from(["https://a.example", "http://[::1]", "http://[0::1]", "null", "*", "https://A", 7]),
    max_size=2,
)
_TOKENS = st.lists(st.sampled_from(["GET", "x-y", "*", "TRACE", "a b", 7]), max_size=2)
_REGEX = st.sampled_from([{"regex": "https://[a-z]+"}, {"regex": "("}, {"regex": 7}, {}])
_CORS = st.fixed_dictionaries(
    {},
    optional={
        "allowed_origins": st.lists(
            st.sampled_from(["https://a.example", "https://*.b.example", "*", "null", "https://*", 7])
            | _REGEX,
            max_size=3,
        ),
        "allowed_methods": _TOKENS,
        "allow_headers": _TOKENS,
        "expose_headers": _TOKENS,
        "allow_credentials": st.sampled_from([True, False, 1, None]),
        "max_age": st.sampled_from([None, 0, 100, True, -1, 1.0, 2**31]),
        "plain_options": st.sampled_from(["refuse", "forward", "Refuse", None]),
        "mode": st.sampled_from(["enforce", "observe", [], "x"]),
        "unknown": st.just(1),
    },
)
_LINT = st.fixed_dictionaries(
    {},
    optional={
        "allow": st.lists(
            st.fixed_dictionaries(
                {"code": st.sampled_from(["localhost", "UPPER", "a\n", 7])},
                optional={
                    "entry": st.sampled_from([None, "*", 7]),
                    "reason": st.sampled_from(["why", "", 7]),
                    "x": st.just(1),
                },
            ),
            max_size=2,
        ),
        "deny": st.just([]),
    },
)
_GATEWAY_LINT = st.fixed_dictionaries(
    {},
    optional={
        "shared_domains": st.lists(st.sampled_from(["a.example", "*.b.example", "A", 7]), max_size=2),
        "single_owner_domains": st.lists(st.sampled_from(["a.example", "*.b.example", 7]), max_size=2),
    },
)
_OWNERSHIP: Final[dict[str, st.SearchStrategy[object]]] = {
    "owner": st.sampled_from(["Team A", "a@b.example", "", " a", "x" * 201, 7, None]),
    "labels": st.dictionaries(
        st.sampled_from(["team", "example.com/tier", "-a", "a/b/c", "A.example/x", ""]),
        st.sampled_from(["checkout", "", "a b", "x" * 64, "1.0", 7, None]),
        max_size=2,
    )
    | st.sampled_from([[], "team=a", None]),
}
_APIS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["pets", "a/b", "..", 7]) | st.just("pets"),
        "version": st.sampled_from(["1.0", 1.0, ""]) | st.just("1.0"),
        "type": st.sampled_from(["rest", "soap", "odata", "REST", None, []]) | st.just("rest"),
        "native": st.sampled_from(["http://a.example", "https://[::1]:8443/v2/", "ftp://a", 7])
        | st.just("http://127.0.0.1:9101/v2"),
    },
    optional={
        "native_timeout": st.sampled_from([1, 30.0, 0.001, 86400, 86401, 0, True, float("nan"), "1"]),
        "websocket_idle_timeout": st.sampled_from([0, 0.0, False, -1, 1e-4, 3600]),
        "endpoints": st.lists(st.sampled_from(["/shop", "/shop/v1", "/ws", "/a/", 7]), max_size=2),
        "cors": _CORS,
        "trusted_domains": st.lists(st.sampled_from(["a.example", "localhost", "*.a", 7]), max_size=2),
        **_OWNERSHIP,
        "lint": _LINT,
        "unknown": st.just(1),
    },
)
_APPLICATIONS = st.fixed_dictionaries(
    {"name": st.sampled_from(["web", " web", "", 7, "x" * 201]) | st.just("web")},
    optional={
        "javascript_origins": _ORIGINS,
        "apis": st.lists(st.sampled_from(["pets/1.0", 7]), max_size=2),
        "suspended": st.sampled_from([True, False, 1, "true"]),
        **_OWNERSHIP,
        "lint": _LINT,
        "unknown": st.just(1),
    },
)
_PAIRS = st.fixed_dictionaries(
    {"certificate": st.sampled_from(["a.pem", 7])},
    optional={"key": st.just("b.pem"), "unknown": st.just(1)},
)
_GATEWAYS = st.fixed_dictionaries(
    {},
    optional={
        "listen": st.sampled_from(["127.0.0.1:8080", "[::1]:1", "localhost:1", "127.0.0.1:0", 7]),
        "tls": st.none() | _PAIRS | st.lists(_PAIRS, max_size=2),
        "native_client_certificates": st.lists(
            st.fixed_dictionaries(
                {
                    "hosts": st.lists(
                        st.sampled_from(["a.example", "*.a.example", "10.0.0.1", "[::1]", "*", "a:1", 7]),
                        max_size=2,
                    ),
                    "certificate": st.just("c.pem"),
                    "key": st.just("c.key"),
                }
            ),
            max_size=2,
        ),
        "native_ca": st.sampled_from([None, "ca.pem", 7]),
        "trusted_proxies": st.lists(
            st.sampled_from(["10.0.0.0/8", "::1", "10.0.0.1/8", "localhost", 10, None]), max_size=2
        ),
        "denied_native_networks": st.lists(st.sampled_from(["169.254.0.0/16", "10.0.0.1/8", 10]), max_size=2),
        "limits": st.fixed_dictionaries(
            {},
            optional={
                "native_timeout": st.sampled_from([0, 0.5, 30, -1, None]),
                "max_head_kib": st.sampled_from([4, 64, 1024, 1025, 64.0]),
                "head_timeout": st.sampled_from([0, 1, 10.5]),
            },
        ),
        "public_origins": _ORIGINS,
        "same_origin": st.sampled_from(["detect", "listed", "Detect", True]),
        "underscore_headers": st.sampled_from(["reject", "allow", "drop", None, True]),
        "telemetry": st.fixed_dictionaries(
            {},
            optional={
                "enabled": st.sampled_from([True, False, 1, "true"]),
                "refusals_per_second": st.sampled_from([0, 10, 10_000, 10_001, -1, 1.0, True]),
                "allowed_per_second": st.sampled_from([0, 1000, 1001, None]),
            },
        ),
        "access_log": st.none()
        | st.fixed_dictionaries(
            {"file": st.sampled_from(["a.log", "/var/log/a.jsonl", ".log", "a.txt", "a\nb.log", "", 7])},
            optional={"requests": st.sampled_from(["refusals", "all", "off", False])},
        ),
        "ready_path": st.sampled_from([True, False, "/ready", None]),
        "lint": _LINT | _GATEWAY_LINT,
        "unknown": st.just(1),
    },
)


@st.composite
def _entries(draw: st.DrawFn, right: st.SearchStrategy[dict[str, object]]) -> object:
    """A mapping in which most values have their type, and any may have another."""
    entry = draw(right)
    match draw(st.integers(0, 9)):
        case 0:
            return draw(st.sampled_from(_WRONG))
        case 1 | 2 if entry:
            entry[draw(st.sampled_from(sorted(entry)))] = draw(st.sampled_from(_WRONG))
        case 3 if entry:
            del entry[draw(st.sampled_from(sorted(entry)))]
        case _:
            pass
    return entry


def _holds(record: Record[_Found], read: Callable[[object], _Found], entry: object) -> None:
    """An accepted entry fits the schema and reads back after it is written; a refused one has errors."""
    try:
        found = read(entry)
    except InvalidInput as refused:
        assert refused.diagnostics
        assert all(one.message and one.remedy for one in refused.diagnostics)
        return
    written = record.write(found)
    assert read(json.loads(json.dumps(written))) == found
    assert record.write(read(written)) == written
    for raw in (entry, written):
        assert not list(_VALIDATORS[record.name].iter_errors(raw))


@settings(deadline=None, max_examples=400)
@given(_entries(_APIS))
def test_an_api(entry: object) -> None:
    _holds(API, read_api, entry)


@settings(deadline=None)
@given(_entries(_APPLICATIONS))
def test_an_application(entry: object) -> None:
    _holds(APPLICATION, read_application, entry)


@settings(deadline=None)
@given(_entries(_GATEWAYS))
def test_the_gateway(entry: object) -> None:
    _holds(GATEWAY, read_gateway, entry)


@pytest.mark.parametrize(
    "record",
    [one for one in (DOCUMENT, *nested_records()) if is_dataclass(one.make)],
    ids=lambda one: one.name,
)
def test_the_table_has_the_attributes_of_the_class_and_their_defaults(record: Record[Any]) -> None:
    attributes = {one.name: one for one in fields(record.make)}  # type: ignore[arg-type]  # a dataclass
    assert set(attributes) == {one.name for one in record.fields}
    for one in record.fields:
        attribute = attributes[one.name]
        if one.required:
            assert attribute.default is MISSING
            assert attribute.default_factory is MISSING
        elif attribute.default_factory is not MISSING:
            assert attribute.default_factory() == one.default
        else:
            assert attribute.default == one.default


def test_the_table_has_every_setting() -> None:
    assert [one.name for one in SETTINGS.fields] == [f"{PREFIX}{name}" for name in NAMES]
