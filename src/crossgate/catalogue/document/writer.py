"""A catalogue to a document: the same catalogue, the same bytes; reading it gives the catalogue back.

What is at its default is left out, except the address to listen on. APIs and applications are sorted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from crossgate.catalogue.document.scalar import resolve
from crossgate.catalogue.listen import format_listen
from crossgate.catalogue.model import Api, Application, Catalogue, Gateway, default_endpoint

# What needs no quotes whatever YAML reads it: no sign that means something to it, no blank.
_PLAIN: Final = re.compile(r"[A-Za-z/][A-Za-z0-9/._~+=-]*(?::[A-Za-z0-9/._~+=*-]+)*")
_OTHER_DIALECTS: Final = frozenset({"y", "n", "yes", "no", "on", "off"})
_ASCII: Final = re.compile(r"[\x20-\x7e]*")
_DEFAULT_TIMEOUT: Final = 30.0


def write_document(catalogue: Catalogue) -> str:
    """The document that declares the catalogue.

    Settings are written as they were, so a ``file:<path>`` among them must lead to the same file for whoever
    reads the document.
    """
    root: dict[str, object] = {"gateway": _gateway(catalogue.gateway)}
    if catalogue.settings:
        root["settings"] = dict(sorted(catalogue.settings.items()))
    if catalogue.apis:
        root["apis"] = [
            _api(api) for api in sorted(catalogue.apis.values(), key=lambda api: (api.name, api.version))
        ]
    if catalogue.applications:
        root["applications"] = [_application(entry) for _, entry in sorted(catalogue.applications.items())]
    return "".join(f"{line}\n" for line in _lines(root))


def _gateway(gateway: Gateway) -> dict[str, object]:
    written: dict[str, object] = {"listen": format_listen(gateway.host, gateway.port)}
    if gateway.tls is not None:
        written["tls"] = {"certificate": gateway.tls.certificate, "key": gateway.tls.key}
    if gateway.native_ca is not None:
        written["native_ca"] = gateway.native_ca
    if gateway.public_origins:
        written["public_origins"] = list(gateway.public_origins)
    return written


def _api(api: Api) -> dict[str, object]:
    written: dict[str, object] = {
        "name": api.name,
        "version": api.version,
        "type": api.type.value,
        "native": str(api.native),
    }
    if api.native_timeout != _DEFAULT_TIMEOUT:
        written["native_timeout"] = api.native_timeout
    if api.endpoints != (default_endpoint(api.type, api.name, api.version),):
        written["endpoints"] = list(api.endpoints)
    if api.cors is not None:
        written["cors"] = api.cors.as_loose()
    return written


def _application(application: Application) -> dict[str, object]:
    written: dict[str, object] = {"name": application.name}
    if application.javascript_origins:
        written["javascript_origins"] = list(application.javascript_origins)
    if application.apis:
        written["apis"] = list(application.apis)
    if application.suspended:
        written["suspended"] = True
    return written


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
