"""A catalogue to a document: the same catalogue, the same bytes; reading it gives the catalogue back.

What is at its default is left out, except the address to listen on. APIs and applications are sorted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from crossgate.catalogue.model import Catalogue
from crossgate.catalogue.serialise import api_to_dict, application_to_dict, gateway_to_dict
from crossgate.catalogue.yaml.events import resolve

# What needs no quotes whatever YAML reads it: no sign that means something to it, no blank.
_PLAIN: Final = re.compile(r"[A-Za-z/][A-Za-z0-9/._~+=-]*(?::[A-Za-z0-9/._~+=*-]+)*")
_OTHER_DIALECTS: Final = frozenset({"y", "n", "yes", "no", "on", "off"})
_ASCII: Final = re.compile(r"[\x20-\x7e]*")


def write_document(catalogue: Catalogue) -> str:
    """The document that declares the catalogue.

    Settings are written as they were, so a ``file:<path>`` among them must lead to the same file for whoever
    reads the document.
    """
    root: dict[str, object] = {"gateway": gateway_to_dict(catalogue.gateway)}
    if catalogue.settings:
        root["settings"] = dict(sorted(catalogue.settings.items()))
    if catalogue.apis:
        root["apis"] = [
            api_to_dict(api)
            for api in sorted(catalogue.apis.values(), key=lambda api: (api.name, api.version))
        ]
    if catalogue.applications:
        root["applications"] = [
            application_to_dict(entry) for _, entry in sorted(catalogue.applications.items())
        ]
    return "".join(f"{line}\n" for line in _lines(root))


def write_fragment(node: Mapping[str, object]) -> Iterator[str]:
    """The lines of a part of a document, from its plain values."""
    return _lines(node)


def _lines(node: object, indent: str = "") -> Iterator[str]:
    """A non-empty mapping or list, one line for each scalar in it."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _entry(f"{indent}{_scalar(key)}:", value, indent)
    elif isinstance(node, list):
        for value in node:
            if isinstance(value, Mapping | list) and value:
                first, *others = _lines(value, f"{indent}  ")
                yield f"{indent}- {first[len(indent) + 2 :]}"
                yield from others
            else:
                yield f"{indent}- {_scalar(value)}"


def _entry(key: str, value: object, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping | list) and value:
        yield key
        yield from _lines(value, f"{indent}  ")
    else:
        yield f"{key} {_scalar(value)}"


def _scalar(value: object) -> str:
    if isinstance(value, float) and "." not in repr(value):
        return repr(value).replace("e", ".0e")  # what YAML 1.1 takes for a number, too
    if not isinstance(value, str):
        return json.dumps(value)
    plain = _PLAIN.fullmatch(value) and resolve(value) == value and value.lower() not in _OTHER_DIALECTS
    if plain:
        return value
    if _ASCII.fullmatch(value):
        return "'" + value.replace("'", "''") + "'"
    return '"' + "".join(map(_escape, value)) + '"'


def _escape(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return f"\\U{ord(character):08x}"
