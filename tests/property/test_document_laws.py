"""Laws of documents: written ones read back; broken ones are refused quickly and without an exception."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from crossgate.catalogue.document import read_document, write_document
from crossgate.catalogue.endpoint_index import EndpointIndex, claims_of
from crossgate.catalogue.limits import Limits
from crossgate.catalogue.model import (
    Api,
    ApiType,
    Application,
    Catalogue,
    Gateway,
    GatewayLint,
    LintSettings,
    NativeClientCertificate,
    NativeService,
    Suppression,
    Tls,
    default_endpoint,
)
from crossgate.catalogue.names import parse_application_name, parse_endpoint, parse_name
from crossgate.catalogue.reader import read_settings
from crossgate.catalogue.schema import document_schema
from crossgate.catalogue.telemetry import AccessLog, LoggedRequests, Telemetry
from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.catalogue.yaml.events import parse_yaml
from crossgate.catalogue.yaml.writer import write_yaml
from crossgate.net.address import HostPort
from crossgate.policy import CorsPolicy, SameOrigin, read_policy

_EXAMPLE = (Path(__file__).parents[2] / "examples" / "gateway.yaml").read_text()
_laws = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
_SCHEMA = Draft202012Validator(document_schema())
_ACCEPTED = LintSettings((Suppression("http-origin", "a test: no TLS", "http://'\"`{}.d"),))
_SETTINGS: tuple[dict[str, object], ...] = (
    {},
    {"watt.server.cors.enabled": False},
    {
        "watt.server.cors.enabled": True,
        "watt.server.cors.allowedOrigins": ["*", "https://a.example"],
        "lint": {"allow": [{"code": "star-mixed", "entry": "*", "reason": "a test: it's only # local"}]},
    },
)

_origins = st.sampled_from(
    ["https://a.example", "http://b.example:8080", "http://[::1]", "app+x://c", "http://'\"`{}.d"]
)
_names = st.text("aZ09._~-", min_size=1, max_size=5).filter(lambda name: isinstance(parse_name(name), str))
_texts = st.text(min_size=1, max_size=8).filter(lambda text: isinstance(parse_application_name(text), str))
_paths = st.text("az./ -#'\"", max_size=6).map(lambda path: f"/{path}")
_endpoints = st.lists(st.text("aZ09.~@:+=,!$-", min_size=1, max_size=3), min_size=1, max_size=3).map(
    lambda segments: "".join(f"/{segment}" for segment in segments)
)


@st.composite
def _policies(draw: st.DrawFn) -> CorsPolicy:
    regex = st.builds(
        lambda pattern: {"regex": pattern}, st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    )
    wildcards = st.sampled_from(["https://*.a.example", "https://b.example:*", "*", "null"])
    tokens = st.lists(st.sampled_from(["GET", "no", "1e3", "null", "~", "x-y", "*", "`'|!#"]), max_size=3)
    policy, diagnostics = read_policy(
        {
            "allowed_origins": draw(st.lists(_origins | wildcards | regex, max_size=4)),
            "allowed_methods": draw(tokens),
            "allow_headers": draw(tokens),
            "expose_headers": draw(tokens),
            "allow_credentials": draw(st.booleans()),
            "max_age": draw(st.none() | st.integers(0, 2**31 - 1)),
            "plain_options": draw(st.sampled_from(["refuse", "forward"])),
            "mode": draw(st.sampled_from(["enforce", "observe"])),
        }
    )
    assume(not diagnostics)
    return policy


@st.composite
def _apis(draw: st.DrawFn) -> Api:
    name, version, kind = draw(_names), draw(_names), draw(st.sampled_from(ApiType))
    endpoints = st.lists(_endpoints, min_size=1, max_size=2)
    native = NativeService(
        draw(st.sampled_from(["http", "https"])),
        draw(st.sampled_from(["a.example", "127.0.0.1", "::1", "no"])),
        draw(st.integers(1, 65535)),
        draw(st.sampled_from(["", "/v2", "/a%20b/c"])),
    )
    return Api(
        name=name,
        version=version,
        type=kind,
        native=native,
        trusted_domains=draw(st.sampled_from([(), ("a.example",), ("b.example", "localhost")])),
        owner=draw(st.sampled_from(["", "no", "Team: A # b"])),
        labels=draw(st.sampled_from([(), (("1.0", "no"), ("example.com/tier", ""), ("team", "1e3"))])),
        lint=draw(
            st.sampled_from(
                [
                    LintSettings(),
                    _ACCEPTED,
                    LintSettings((Suppression("localhost", "a test: it's only # local"),)),
                ]
            )
        ),
        endpoints=draw(st.just((default_endpoint(kind, name, version),)) | endpoints.map(tuple)),
        cors=draw(st.none() | _policies()),
        native_timeout=draw(st.sampled_from([None, 0.0, 30.0]) | st.floats(0.001, 86400)),
        websocket_idle_timeout=draw(st.none() | st.just(0.0)),
    )


@st.composite
def _catalogues(draw: st.DrawFn) -> Catalogue:
    apis = {api.key: api for api in draw(st.lists(_apis(), max_size=3))}
    claims = [claim for api in apis.values() for claim in claims_of(api)]
    assume(all(isinstance(parse_endpoint(claim.endpoint), str) for claim in claims))
    assume(not EndpointIndex().replace((), claims)[1])
    applications = st.builds(
        Application,
        name=_texts,
        javascript_origins=st.lists(_origins, max_size=2).map(tuple),
        apis=st.lists(st.sampled_from(sorted(apis)), max_size=2).map(tuple) if apis else st.just(()),
        suspended=st.booleans(),
        lint=st.sampled_from([LintSettings(), _ACCEPTED]),
    )
    gateway = st.builds(
        Gateway,
        listen=st.builds(HostPort, st.sampled_from(["127.0.0.1", "::1"]), st.integers(1, 65535)),
        tls=st.lists(st.builds(Tls, _paths, _paths), max_size=2).map(tuple),
        native_client_certificates=st.sampled_from(
            [(), (NativeClientCertificate(("*.a.example",), "a", "b"),)]
        ),
        native_ca=st.none() | _paths,
        public_origins=st.lists(_origins, max_size=2).map(tuple),
        same_origin=st.sampled_from(SameOrigin),
        trusted_proxies=st.sampled_from([(), ("10.0.0.0/8", "2001:db8::/32")]),
        denied_native_networks=st.sampled_from([(), ("169.254.0.0/16", "::1/128")]),
        limits=st.sampled_from(
            [Limits(), Limits(native_timeout=0.0, websocket_idle_timeout=0.5, max_streams=1)]
        ),
        underscore_headers=st.sampled_from(UnderscoreHeaders),
        telemetry=st.sampled_from([Telemetry(), Telemetry(enabled=False, allowed_per_second=0)]),
        access_log=st.sampled_from(
            [None, AccessLog("/var/log/é.log"), AccessLog("/a.jsonl", LoggedRequests.ALL)]
        ),
        ready_path=st.booleans(),
        lint=st.sampled_from(
            [GatewayLint(), GatewayLint(_ACCEPTED.allow, ("*.apps.example",), ("atlassian.net",))]
        ),
    )
    return Catalogue(
        gateway=draw(gateway),
        settings=read_settings(draw(st.sampled_from(_SETTINGS))),
        apis=apis,
        applications={entry.name: entry for entry in draw(st.lists(applications, max_size=3))},
    )


@_laws
@given(_catalogues())
def test_a_written_document_reads_back(catalogue: Catalogue) -> None:
    text = write_document(catalogue)
    reading = read_document(text)
    assert reading.diagnostics == ()
    assert reading.catalogue == catalogue
    assert write_document(reading.catalogue) == text


@_laws
@given(_catalogues())
def test_a_written_document_means_the_same_in_yaml_1_1_and_fits_the_schema(catalogue: Catalogue) -> None:
    text = write_document(catalogue)
    raw = yaml.safe_load(text)
    tree, _ = parse_yaml(text)
    assert tree is not None
    assert raw == tree.root
    assert not list(_SCHEMA.iter_errors(raw))


@_laws
@given(_catalogues())
def test_equal_catalogues_are_written_alike(catalogue: Catalogue) -> None:
    shuffled = replace(
        catalogue,
        apis={key: catalogue.apis[key] for key in reversed(list(catalogue.apis))},
        applications={name: catalogue.applications[name] for name in reversed(list(catalogue.applications))},
    )
    assert write_document(shuffled) == write_document(catalogue)


_AMBIGUOUS = st.sampled_from(
    ["1e3", "0o17", "0x1F", "1_000", "190:20", "yes", "nULL", "~", "=", "<<", "- a", "%A"]
)
_STRINGS = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.text(" \n\t'\"#:-[]{}&*!|>%@`~?,\\\r\x85\u2028\ufeff\0\aeox1.+", max_size=10)
    | _AMBIGUOUS
)
_RAW = st.recursive(
    _STRINGS | st.booleans() | st.none() | st.integers() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_STRINGS, inner, max_size=3),
    max_leaves=8,
)


@_laws
@given(st.dictionaries(_STRINGS, _RAW, max_size=3))
def test_written_yaml_reads_back_in_both_versions(raw: dict[str, object]) -> None:
    text = write_yaml(raw)
    source, errors = parse_yaml(text)
    assert not errors
    assert source is not None
    assert repr(source.root) == repr(raw)
    assert yaml.safe_load(text) == raw


_SIGNS = [
    "[",
    "]",
    "{",
    "}",
    "'",
    '"',
    "&a",
    "*a",
    "!!x",
    "-",
    ":",
    "?",
    "#",
    "|",
    ">",
    "---",
    "...",
    "null",
    "1.0",
    "<<:",
    "0x",
    "@",
    "`",
    "%",
    "{regex:'('}",
]
_BLANKS = ["\t", "\n", "  ", "\0", "\r", "\ufeff", "\x85", "\u2028", "%YAML 1.1\n"]
_FRAGMENTS = st.text(max_size=3) | st.sampled_from([*_SIGNS, *(f"{sign} " for sign in _SIGNS), *_BLANKS])


@_laws
@given(st.lists(st.tuples(st.integers(0, len(_EXAMPLE)), st.integers(0, 12), _FRAGMENTS), max_size=6))
def test_a_damaged_document_is_read_or_refused(cuts: list[tuple[int, int, str]]) -> None:
    text = _EXAMPLE
    for start, length, inserted in cuts:
        text = text[:start] + inserted + text[start + length :]
    begin = time.process_time()
    reading = read_document(text, file="gateway.yaml")
    assert time.process_time() - begin < 5
    assert (reading.catalogue is None) == bool(reading.diagnostics)
    for found in reading.diagnostics:
        assert found.place.line is not None
        assert found.place.line <= text.count("\n") + text.count("\r") + text.count("\x85") + 3
        assert found.message
        assert found.remedy


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_LINES = _EXAMPLE.splitlines()
_VALUED = [index for index, line in enumerate(_LINES) if ":" in line.partition("#")[0]]


@_laws
@given(st.sampled_from(_VALUED), _VALUES)
def test_any_value_under_any_key_is_read_or_refused(index: int, value: object) -> None:
    key, _, _ = _LINES[index].partition(":")
    text = "\n".join([*_LINES[:index], f"{key}: {json.dumps(value)}", *_LINES[index + 1 :]])
    reading = read_document(text)
    assert (reading.catalogue is None) == bool(reading.diagnostics)
