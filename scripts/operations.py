"""The operations and the types of the admin API as two Markdown pages, from its OpenAPI document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

_HEAD = """\
# Operations of the admin API

Every operation with its parameters, its body and its responses. [The admin API](admin-api.md) explains how
writes, tokens, pages and events work. Generated from [`admin-api.openapi.json`](admin-api.openapi.json) by
`make reference`.

Requests send `Authorization: Bearer TOKEN`. The responses that operations have in common:

| status | meaning |
|---|---|
"""
_TYPES_HEAD = """\
# Types of the admin API

The objects in bodies of requests and responses. The [operations](admin-api-operations.md) name them.
Generated from [`admin-api.openapi.json`](admin-api.openapi.json) by `make reference`.
"""
_TYPES_PAGE = "admin-api-types.md"
_METHODS: Final = ("get", "put", "post", "delete")


def operations_page(document: Mapping[str, Any]) -> str:
    """Every operation, by tag."""
    tags: dict[str, list[str]] = defaultdict(list)
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                lines = _operation(f"{method.upper()} {path}", item[method])
                tags[item[method]["tags"][0]].extend(lines)
    common = [
        f"| {code} | {_cell(response['description'])} |"
        for code, response in sorted(document["components"]["responses"].items())
    ]
    operations = chain.from_iterable((f"## {tag}\n", *lines) for tag, lines in tags.items())
    return "\n".join([_HEAD + "\n".join(common), "", *operations]).rstrip() + "\n"


def types_page(document: Mapping[str, Any]) -> str:
    """Every type, in alphabetical order."""
    schemas = sorted(document["components"]["schemas"].items())
    types = chain.from_iterable(_schema(name, one) for name, one in schemas)
    return "\n".join([_TYPES_HEAD, *types]).rstrip() + "\n"


def _operation(title: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {title}\n"
    if text := operation.get("description"):
        yield f"{text.strip()}\n"
    parameters = operation.get("parameters", [])
    if parameters:
        yield "| parameter | in | type | meaning |\n|---|---|---|---|"
        for one in parameters:
            required = "required" if one.get("required") and one["in"] != "path" else ""
            meaning = ". ".join(filter(None, [_cell(one.get("description", "")).rstrip("."), required]))
            yield f"| `{one['name']}` | {one['in']} | {_type(one['schema'])} | {meaning} |"
        yield ""
    body = operation.get("requestBody", {}).get("content", {})
    if body:
        yield f"Body: {_contents(body)}\n"
    yield f"Responses: {_responses(operation['responses'])}\n"


def _responses(responses: Mapping[str, Any]) -> str:
    own = []
    for code, response in sorted(responses.items()):
        if "$ref" not in response and code.startswith(("2", "3")):
            contents = _contents(response.get("content", {})) if code.startswith("2") else ""
            own.append(f"{code}{f' {contents}' if contents else ''}")
    common = sorted(code for code in responses if not code.startswith(("2", "3")))
    return ", ".join([*own, *common])


def _contents(content: Mapping[str, Any]) -> str:
    """The types of a body; the media type is named where it is not JSON."""
    return " or ".join(
        dict.fromkeys(
            _type(one.get("schema", {})) if media == "application/json" else f"`{media}`"
            for media, one in content.items()
        )
    )


def _schema(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {name}\n"
    if text := schema.get("description"):
        yield f"{text.strip()}\n"
    properties = schema.get("properties", {})
    if properties:
        required = schema.get("required", [])
        yield "| property | type | meaning |\n|---|---|---|"
        for key, one in properties.items():
            optional = "" if key in required else ", optional"
            yield f"| `{key}` | {_type(one)}{optional} | {_cell(one.get('description', ''))} |"
        yield ""
    else:
        yield f"{_type(schema, bare=True)}\n"


def _type(schema: Mapping[str, Any], *, bare: bool = False) -> str:
    """A type in words, with links to the types that it names."""
    match schema:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            return f"[{name}]({_TYPES_PAGE}#{name.lower()})"
        case {"anyOf": list(forms)} | {"oneOf": list(forms)}:
            return " or ".join(dict.fromkeys(_type(form) for form in forms))
        case {"allOf": [only]}:
            return _type(only)
        case {"const": value}:
            return f"`{_literal(value)}`"
        case {"enum": list(values)}:
            return ", ".join(f"`{_literal(value)}`" for value in values)
        case {"type": "array"}:
            return f"array of {_type(schema.get('items', {}))}"
        case {"type": "object", "additionalProperties": {} as values} if values:
            return f"object of {_type(values)}"
        case {"type": list(names)}:
            return " or ".join(map(str, names))
        case {"type": str(name)}:
            return name + ("" if bare else _bounds(schema))
        case {"minimum": _} | {"exclusiveMinimum": _}:
            return "number" + _bounds(schema)
        case _:
            return "any value"


def _bounds(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    match least, most:
        case None, None:
            bounds = ""
        case _, None:
            bounds = f", at least {least}"
        case None, _:
            bounds = f", at most {most}"
        case _:
            bounds = f", {least} to {most}"
    default = schema.get("default")
    return bounds if default in (None, "") else f"{bounds}, default `{_literal(default)}`"


def _literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
