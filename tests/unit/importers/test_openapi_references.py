"""References of descriptions: where they lead, and that each ends."""

from __future__ import annotations

import pytest
from tests.unit.importers.openapi_description import codes, description, policy_of, read

from crossgate.diagnostics import Severity

_X: dict[str, object] = {"in": "header", "name": "X-A"}


def get_with(*parameters: object) -> dict[str, object]:
    """Paths with an operation that has these parameters."""
    return {"/a": {"get": {"parameters": parameters}}}


def allowed(document: object, documents: dict[str, object] | None = None) -> list[str]:
    return [one.value for one in policy_of(document, documents).allow_headers]


@pytest.mark.parametrize(
    ("pointer", "key"),
    [
        ("#/components/parameters/a", "a"),
        ("#/components/parameters/a~1b", "a/b"),
        ("#/components/parameters/a~01b", "a~1b"),
        ("#/components/parameters/a%20%7E0b", "a ~b"),
        ("#/components/parameters/%C3%A4", "ä"),
        ("#%2Fcomponents%2Fparameters%2Fa", "a"),
        ("#/components/parameters/", ""),
    ],
)
def test_a_pointer_leads_to_the_value(pointer: str, key: str) -> None:
    components = {"parameters": {key: _X}}
    assert allowed(description(paths=get_with({"$ref": pointer}), components=components)) == ["X-A"]


def test_a_pointer_leads_into_a_list() -> None:
    paths = get_with({"$ref": "#/paths/~1a/get/parameters/1"}, _X)
    assert allowed(description(paths=paths)) == ["X-A"]


@pytest.mark.parametrize(
    "pointer",
    [
        "#/nowhere",
        "#/info/title/deeper",
        "#/paths/~1a/get/parameters/7",
        "#/paths/~1a/get/parameters/-1",
        "#/paths/~1a/get/parameters/²",
        "#anchor",
        "#/components/parameters/a/b%",
    ],
)
def test_a_dangling_reference_is_a_warning_at_its_place(pointer: str) -> None:
    contents = read(description(paths=get_with({"$ref": pointer}, _X)))
    (found,) = [one for one in contents.diagnostics if one.severity is Severity.WARNING]
    assert (found.code, found.found) == ("openapi-reference-dangling", pointer)
    assert found.place.json_path == "$.paths['/a'].get.parameters[0]['$ref']"
    assert found.place.line == 1
    policy = contents.apis[0].cors
    assert policy is not None
    assert [one.value for one in policy.allow_headers] == ["X-A"]


def test_references_are_followed_everywhere() -> None:
    components = {
        "pathItems": {
            "a": {"parameters": [{"$ref": "#/components/parameters/p"}], "get": {"$ref": "#/x-get"}}
        },
        "parameters": {"p": {"$ref": "#/components/parameters/q"}, "q": _X},
        "requestBodies": {"b": {"content": {"application/json": {}}}},
        "responses": {"r": {"headers": {"X-R": {"$ref": "#/components/headers/h"}}}},
        "securitySchemes": {"s": {"$ref": "#/components/securitySchemes/t"}, "t": {"type": "oauth2"}},
    }
    operation = {
        "requestBody": {"$ref": "#/components/requestBodies/b"},
        "responses": {"200": {"$ref": "#/components/responses/r"}},
        "security": [{"s": []}],
    }
    paths = {
        "/a": {"$ref": "#/components/pathItems/a", "post": operation, "parameters": [_X | {"name": "X-B"}]}
    }
    document = description(paths=paths, components=components) | {"x-get": {}}
    policy = policy_of(document)
    assert [one.value for one in policy.methods] == ["POST", "GET"]
    assert [one.value for one in policy.allow_headers] == ["X-B", "Content-Type", "X-A", "Authorization"]
    assert [one.value for one in policy.expose_headers] == ["X-R"]


def test_what_many_refer_to_is_read_once() -> None:
    paths = {f"/{number}": {"$ref": "#/components/pathItems/a"} for number in range(50)}
    item = {"get": {"parameters": [{"$ref": "#/components/parameters/a"}] * 50}}
    policy = policy_of(
        description(paths=paths, components={"pathItems": {"a": item}, "parameters": {"a": _X}})
    )
    assert (len(policy.methods), len(policy.allow_headers)) == (1, 1)
    assert policy.methods[0].reason == "GET /0"


def test_references_lead_to_other_documents_and_on_from_there() -> None:
    documents: dict[str, object] = {
        "https://example.com/p.yaml": "a: {$ref: 'q.json#/b'}\n",
        "q.json": {"b": {"$ref": "#/c"}, "c": _X},
    }
    paths = get_with({"$ref": "https://example.com/p.yaml#/a"}, {"$ref": "q.json#/c"})
    policy = policy_of(description(paths=paths), documents)
    (header,) = policy.allow_headers
    assert (header.value, header.place.file, header.place.json_path) == ("X-A", "q.json", "$.c.name")


@pytest.mark.parametrize(
    "reference",
    [
        "file:///etc/passwd",
        "file:///etc/passwd#/a",
        "http://169.254.169.254/latest/meta-data/",
        "../../etc/passwd",
        "\\\\server\\share",
        "//[",
    ],
)
def test_a_refused_reference_is_a_warning_at_its_place(reference: str) -> None:
    contents = read(description(paths=get_with({"$ref": reference})))
    (found,) = [one for one in contents.diagnostics if one.severity is Severity.WARNING]
    assert found.code == "openapi-reference-refused"
    assert found.place.json_path == "$.paths['/a'].get.parameters[0]['$ref']"


@pytest.mark.parametrize("content", ["", "a: [", "%PDF", "{", "just a string"])
def test_a_document_that_cannot_be_used_is_a_warning(content: str) -> None:
    contents = read(description(paths=get_with({"$ref": "other#/a"})), {"other": content})
    (found,) = [one for one in contents.diagnostics if one.severity is Severity.WARNING]
    assert found.code in ("openapi-reference-refused", "openapi-reference-dangling")


def test_loops_end() -> None:
    parameters: dict[str, object] = {
        "self": {"$ref": "#/components/parameters/self"},
        "a": {"$ref": "#/components/parameters/b"},
        "b": {"$ref": "#/components/parameters/a"},
    }
    references = [{"$ref": f"#/components/parameters/{name}"} for name in parameters]
    contents = read(
        description(
            paths={**get_with(*references), "/b": {"$ref": "#/paths/~1b"}},
            components={"parameters": parameters},
        )
    )
    assert codes(contents).count("openapi-reference-loop") == 4


def test_a_loop_through_100_documents_ends() -> None:
    documents: dict[str, object] = {
        f"{number}.json": {"a": {"$ref": f"{(number + 1) % 100}.json#/a"}} for number in range(100)
    }
    contents = read(description(paths=get_with({"$ref": "0.json#/a"})), documents)
    assert codes(contents)[:1] == ["openapi-reference-loop"]


def test_a_chain_that_is_too_long_ends() -> None:
    parameters: dict[str, object] = {
        str(number): {"$ref": f"#/components/parameters/{number + 1}"} for number in range(1000)
    }
    parameters["1000"] = _X
    document = description(
        paths=get_with({"$ref": "#/components/parameters/0"}, {"$ref": "#/components/parameters/970"}),
        components={"parameters": parameters},
    )
    contents = read(document)
    assert codes(contents)[:1] == ["openapi-reference-loop"]
    policy = contents.apis[0].cors
    assert policy is not None
    assert [one.value for one in policy.allow_headers] == ["X-A"]


def test_3_2_knows_its_own_url() -> None:
    document = description(
        openapi="3.2.0", paths=get_with({"$ref": "https://example.com/api#/components/parameters/a"})
    )
    document |= {"$self": "https://example.com/api", "components": {"parameters": {"a": _X}}}
    assert allowed(document) == ["X-A"]


def test_diagnostics_of_one_code_are_bounded() -> None:
    contents = read(description(paths={f"/{number}": 1 for number in range(500)}))
    assert codes(contents).count("wrong-type") == 101
