"""Descriptions that nobody writes by mistake: each is refused, or read as far as it makes sense."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.command import crossgate
from tests.unit.importers.openapi_description import description, read, swagger

from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.importers.build import build
from crossgate.importers.openapi.reader import read_openapi
from crossgate.importers.openapi.references import Located
from crossgate.importers.source import Source

_PARAMETERS = [{"in": "header", "name": "X-A"}, {"in": "body", "name": "b"}, {"$ref": "#/parameters/a"}]
_OPERATION = {
    "parameters": _PARAMETERS,
    "requestBody": {"content": {"application/json": {"schema": {}}}},
    "responses": {"200": {"headers": {"X-R": {"schema": {}}}}},
    "security": [{"s": []}],
    "servers": [{"url": "https://{a}.example", "variables": {"a": {"default": "b", "enum": ["b"]}}}],
    "consumes": ["application/json"],
    "x-amazon-apigateway-integration": {"type": "mock"},
}
_FIELDS = {
    "paths": {
        "/a": {"get": _OPERATION, "options": {}, "parameters": [{"$ref": "#/x"}], "servers": [{"url": "/"}],
               "additionalOperations": {"COPY": {}}},
        "/b": {"$ref": "#/paths/~1a"},
    },
    "servers": [{"url": "https://a.example"}],
    "security": [{"s": []}],
    "components": {"securitySchemes": {"s": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
    "securityDefinitions": {"s": {"type": "apiKey", "in": "header", "name": "X-Key"}},
    "parameters": {"a": {"in": "header", "name": "X-B"}},
    "host": "a.example",
    "basePath": "/v1",
    "schemes": ["https"],
    "consumes": ["application/json"],
    "$self": "https://a.example/openapi",
}  # fmt: skip
_WHOLE = (description(openapi="3.2.0", **_FIELDS), swagger(**_FIELDS))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5) | st.sampled_from(["#", "#/", "header", "cookie", "*", "{a}", "apiKey", "//["]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=3) | st.sampled_from(["$ref", "get", "x"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def _paths(value: object) -> Iterator[tuple[str | int, ...]]:
    yield ()
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, child in children:
        for path in _paths(child):
            yield (step, *path)


_PLACES = [(index, path) for index, whole in enumerate(_WHOLE) for path in _paths(whole)]


def _replaced(document: object, path: tuple[str | int, ...], value: object) -> object:
    if not path:
        return value
    changed = copy.deepcopy(document)
    node: dict[str | int, object] = changed  # type: ignore[assignment]  # the path leads through it
    for step in path[:-1]:
        node = node[step]  # type: ignore[assignment]
    node[path[-1]] = value
    return changed


def _read_and_build(document: object) -> None:
    try:
        contents = read(document)
    except InvalidInput as invalid:
        assert invalid.diagnostics
        return
    for one in contents.diagnostics:
        assert one.place.file
    build(contents)


@pytest.mark.parametrize("value", [7, [7], {"$ref": "#/paths"}])
def test_a_value_of_any_type_at_any_place_is_read_or_refused(value: object) -> None:
    for index, path in _PLACES:
        _read_and_build(_replaced(_WHOLE[index], path, value))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(_PLACES), _JSON)
def test_any_value_at_any_place_is_read_or_refused(
    place: tuple[int, tuple[str | int, ...]], value: object
) -> None:
    _read_and_build(_replaced(_WHOLE[place[0]], place[1], value))


def refusal(data: bytes) -> Diagnostic:
    with pytest.raises(InvalidInput) as refused:
        read_openapi(Source("a.yaml", data))
    return refused.value.diagnostics[0]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"openapi": "3.1.0", "paths": ' + b"[" * 100_000, "json-syntax"),
        (b'{"openapi": "3.1.0", "paths": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "json-syntax"),
        (b"openapi: 3.1.0\npaths: " + b"[" * 100_000, "yaml-depth"),
        (b'{"openapi": "3.1.0", "info": {"ti', "json-syntax"),
        (b"openapi: 3.1.0\ninfo: {title: ", "yaml-syntax"),
        ('{"openapi": "3.1.0"}'.encode("utf-16"), "file-encoding"),
        ("openapi: 3.1.0\ninfo: {title: Caf\u00e9}".encode("latin-1"), "file-encoding"),
        (b"openapi: 3.1.0\n\x00", "yaml-character"),
        (b"", "openapi-version"),
        (b"openapi: &a [*a]", "yaml-alias"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_broken_document_is_refused_at_its_place(data: bytes, code: str) -> None:
    found = refusal(data)
    assert found.code == code
    assert found.place.file == "a.yaml"


def test_an_alias_bomb_is_refused() -> None:
    lines = ["openapi: 3.1.0", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert refusal("\n".join(lines).encode()).code == "yaml-size"


def test_a_nested_document_that_can_be_parsed_is_read() -> None:
    depth = 150
    contents = read(
        '{"openapi": "3.1.0", "paths": {"/a": {"get": {"x": ' + "[" * depth + "]" * depth + "}}}}"
    )
    assert contents.apis


@pytest.mark.parametrize(
    "reference", ["file:///etc/passwd", "http://169.254.169.254/a", "/etc/passwd", "../a"]
)
def test_the_command_refuses_references_to_the_machine_and_the_network(
    tmp_path: Path, reference: str
) -> None:
    (tmp_path / "a").write_text("in: header\nname: X-Secret\n", encoding="utf-8")
    file = tmp_path / "docs" / "openapi.json"
    file.parent.mkdir()
    parameters = [{"$ref": f"{reference}#/"}, {"$ref": reference}]
    servers = [{"url": "https://a.example"}]
    document = description(paths={"/a": {"get": {"parameters": parameters}}}, servers=servers)
    file.write_text(json.dumps(document), encoding="utf-8")
    done = crossgate("import", file, "--json")
    printed = json.loads(done.stdout)
    assert done.returncode == 1
    assert [one["code"] for one in printed["diagnostics"]] == ["openapi-reference-refused"] * 2
    assert "X-Secret" not in printed["document"]
    assert "root:" not in done.stdout


@pytest.mark.parametrize(
    "field", ["parameters", "responses", "security", "servers", "additionalOperations", "consumes"]
)
def test_work_is_linear_in_the_size_of_the_document(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    """Many operations refer to one long list or mapping."""
    size = 300
    names = [f"X-{number}" for number in range(size)]
    shared: dict[str, object] = {
        "parameters": [{"in": "header", "name": name} for name in names],
        "responses": {name: {"headers": {name: {}}} for name in names},
        "security": [{name: []} for name in names],
        "servers": [{"url": f"https://{name}.example"} for name in names],
        "additionalOperations": {name: {} for name in names},
        "consumes": ["text/plain"] * size,
    }
    reference = {field: {"$ref": "#/x-shared"}}
    body = {"parameters": [{"in": "body", "name": "b"}]} if field == "consumes" else {}
    items: dict[str, object] = {
        f"/{number}": reference if field == "additionalOperations" else {"put": reference | body}
        for number in range(size)
    }
    steps = 0
    below = Located.below

    def counted(self: Located, step: str | int, value: object) -> Located:
        nonlocal steps
        steps += 1
        return below(self, step, value)

    monkeypatch.setattr(Located, "below", counted)
    whole = swagger(paths=items) if field == "consumes" else description(openapi="3.2.0", paths=items)
    read(whole | {"x-shared": shared[field]})
    assert steps < 40 * size


def test_repeated_strings_of_a_document_are_shortened() -> None:
    long = "x" * 100_000
    paths = {f"/{long}{n}": {"put": {"parameters": [{"in": "body", "name": "b"}]}} for n in range(3)}
    servers = [{"url": "https://" + "{a}" * 1000, "variables": {"a": {"default": long}}}]
    for document in (swagger(paths=paths, consumes=[f"a/{long}"]), description(paths=paths, servers=servers)):
        (api,) = read(document).apis
        assert api.cors is not None
        assert all(len(one.reason) < 400 for one in (*api.cors.methods, *api.cors.allow_headers))
        assert api.natives == ()
