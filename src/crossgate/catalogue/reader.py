"""Reads raw values: one object, as in a row or a request, or everything that a document declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from crossgate.catalogue.fields import API, APPLICATION, DOCUMENT, GATEWAY, Document
from crossgate.catalogue.model import Api, Application, Catalogue, Gateway
from crossgate.catalogue.references import check_document
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.policy import ServerPolicy, read_server_policy
from crossgate.policy.server_cors import SETTINGS, ReadLines
from crossgate.record import Invalid, Record, as_found, unknown_keys, wrong_type

_Object = TypeVar("_Object")
_SETTINGS: Final = frozenset(field.name for field in SETTINGS.fields)


def read_api(raw: object) -> Api:
    """The API of an entry under ``apis``.

    Raises:
        InvalidInput: with every error, places relative to the entry.

    """
    return _read(API, raw)


def read_application(raw: object) -> Application:
    """The application of an entry under ``applications``; raises as :func:`read_api` does."""
    return _read(APPLICATION, raw)


def read_gateway(raw: object) -> Gateway:
    """The settings under ``gateway``, relative paths as they are; raises as :func:`read_api` does."""
    return _read(GATEWAY, raw)


def read_server_settings(raw: object) -> ServerPolicy | None:
    """The server's policy, None where it is off; raises as :func:`read_api` does.

    No file is read: a setting that names one is an error.
    """
    if not isinstance(raw, Mapping):
        raise InvalidInput(wrong_type("a mapping", raw, "Write keys and values").diagnostics)
    policy, diagnostics = _read_settings(raw, refuse_files)
    if diagnostics:
        raise InvalidInput(diagnostics)
    return policy


def read_catalogue(
    raw: object, folder: Path | None, read_lines: ReadLines
) -> tuple[Catalogue | None, list[Diagnostic]]:
    """The catalogue that a raw document declares; or None, and every error in it.

    Relative paths count from ``folder``; ``read_lines`` reads the files that settings name.
    """
    if not isinstance(raw, Mapping):
        return None, [_not_a_document(raw)]
    errors = [*check_document(raw)]
    settings = raw.get("settings")
    policy: ServerPolicy | None = None
    if isinstance(settings, Mapping):
        policy, found = _read_settings(settings, read_lines)
        errors += (one.within("settings") for one in found)
    document = DOCUMENT.read(raw)
    if isinstance(document, Invalid):
        return None, [*errors, *document.diagnostics]
    return (None, errors) if errors else (_catalogue(document, policy, folder), [])


def refuse_files(name: str) -> Diagnostic:
    """The reader of lines that refuses every file."""
    return Diagnostic("file-refused", "files cannot be read here", "List the origins themselves", found=name)


def _read(record: Record[_Object], raw: object) -> _Object:
    value = record.read(raw)
    if isinstance(value, Invalid):
        raise InvalidInput(value.diagnostics)
    return value


def _read_settings(
    raw: Mapping[str, object], read_lines: ReadLines
) -> tuple[ServerPolicy | None, list[Diagnostic]]:
    """The server's policy, None where it is off; and every error, its place relative to the settings."""
    known = {name: value for name, value in raw.items() if name in _SETTINGS}
    policy, diagnostics = read_server_policy(known, read_lines)
    return policy, [*unknown_keys(raw, _SETTINGS), *diagnostics]


def _not_a_document(raw: object) -> Diagnostic:
    remedy = "Write keys and values: gateway, settings, apis, applications"
    if raw is None:
        return Diagnostic("document-empty", "the document is empty", remedy)
    return Diagnostic("wrong-type", "expected a mapping", remedy, found=as_found(raw))


def _catalogue(document: Document, policy: ServerPolicy | None, folder: Path | None) -> Catalogue:
    gateway = document.gateway if folder is None else _resolve_paths(document.gateway, folder)
    if policy is not None:
        policy = replace(policy, public_origins=frozenset(gateway.public_origins))
    return Catalogue(
        gateway=gateway,
        server_policy=policy,
        settings=document.settings,
        apis={api.key: api for api in document.apis},
        applications={application.name: application for application in document.applications},
    )


def _resolve_paths(gateway: Gateway, folder: Path) -> Gateway:
    tls, authorities = gateway.tls, gateway.native_ca
    if tls is not None:
        tls = replace(tls, certificate=str(folder / tls.certificate), key=str(folder / tls.key))
    if authorities is not None:
        authorities = str(folder / authorities)
    return replace(gateway, tls=tls, native_ca=authorities)
