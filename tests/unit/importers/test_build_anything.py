"""Whatever a reader finds, the result is an error, or a document that the catalogue reads."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from crossgate.catalogue.document import read_document
from crossgate.catalogue.model import ApiType
from crossgate.catalogue.yaml.events import parse_yaml
from crossgate.catalogue.yaml.writer import write_yaml
from crossgate.diagnostics import Place, Severity, printable
from crossgate.importers.build import build, join_contents
from crossgate.importers.commented import write_commented
from crossgate.importers.found import Contents, Found, FoundApi, FoundApplication, FoundPolicy
from crossgate.importers.result import ImportOptions
from crossgate.policy.server_cors import NAMES, PREFIX

TEXT = st.text(max_size=12)
WORDS = st.sampled_from(
    ["", "*", "null", "GET", "get", "TRACE", "X-Key", "x-key", "a b", "Pet Store", "pet-store", "1.0", "true"]
)
ORIGINS = st.sampled_from(
    ["https://a.example", "https://A.example", "http://a.example/", "https://*.example.com", "file:/x"]
)
EXPRESSIONS = st.sampled_from([".*", "(", r"a\.b", "a\nb", "\u2028"])
REGEXES = st.builds(lambda text: {"regex": text}, EXPRESSIONS | TEXT)
URLS = st.sampled_from(
    ["http://127.0.0.1:9101", "/v2", "https://{host}/", "https://a.example/v2/", "ftp://x"]
)
ENDPOINTS = st.sampled_from(["/shop", "/shop/v1", "/", "/gateway/pet-store/1.0", "/gateway/a", "/ws/1.0/1"])


def found(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Found[Any]]:
    places = st.builds(Place, st.tuples(TEXT), st.just("x.yaml"), st.integers(1, 9), st.just(1))
    return st.builds(Found, values, places, TEXT)


def several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Found[Any], ...]]:
    return st.lists(found(values), max_size=4).map(tuple)


POLICIES = st.builds(
    FoundPolicy,
    several(ORIGINS | WORDS | TEXT | REGEXES),
    several(WORDS | TEXT),
    several(WORDS | TEXT),
    several(WORDS | TEXT),
    st.none() | found(st.booleans()),
    st.none() | found(st.integers(-2, 2**33)),
)
APIS = st.builds(
    FoundApi,
    st.sampled_from("abcd"),
    found(WORDS | TEXT),
    found(WORDS | TEXT),
    found(st.sampled_from(ApiType)),
    several(URLS | TEXT),
    several(ENDPOINTS | TEXT),
    st.none() | POLICIES,
    several(TEXT),
)
APPLICATIONS = st.builds(
    FoundApplication,
    found(WORDS | TEXT),
    several(ORIGINS | TEXT),
    several(st.sampled_from("abcde")),
    st.none() | found(st.booleans()),
)
SETTINGS = st.dictionaries(
    st.sampled_from([*(PREFIX + name for name in NAMES), "watt.server.port"]),
    found(WORDS | ORIGINS | TEXT | st.booleans() | st.integers() | st.lists(WORDS | ORIGINS, max_size=3)),
)
CONTENTS = st.builds(
    Contents,
    st.lists(APIS, max_size=4, unique_by=lambda api: api.id).map(tuple),
    st.lists(APPLICATIONS, max_size=3).map(tuple),
    SETTINGS,
)
OPTIONS = st.builds(
    ImportOptions,
    st.just({"": "http://127.0.0.1"}) | st.dictionaries(WORDS, URLS, max_size=1),
    st.lists(ORIGINS, max_size=1).map(tuple),
    st.none() | WORDS,
    st.none() | WORDS,
    st.booleans(),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(CONTENTS, min_size=1, max_size=2), OPTIONS)
def test_the_result_is_an_error_or_a_document_that_can_be_read(
    several_contents: list[Contents], options: ImportOptions
) -> None:
    contents = join_contents(several_contents)
    imported = build(contents, options, sources=["x.yaml"])
    assert build(contents, options, sources=["x.yaml"]) == imported
    for one in imported.diagnostics:
        assert printable(one.message) == one.message
        assert printable(one.found or "") == (one.found or "")
        assert one.place.file
    if any(one.severity is Severity.ERROR for one in imported.diagnostics):
        return
    text = write_yaml(imported.document)
    assert read_document(text).diagnostics == ()
    parsed, _ = parse_yaml(write_commented(imported))
    assert parsed is not None
    assert parsed.root == imported.document
    for taken in imported.taken:
        node: Any = imported.document
        for step in taken.path:
            node = node[step]
        assert node == taken.value
