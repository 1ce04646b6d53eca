"""Reads raw values: one object, as in a row or a request, or everything that a document declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from crossgate.catalogue.fields import API, APPLICATION, DOCUMENT, GATEWAY, LINT, SETTINGS, Document
from crossgate.catalogue.model import (
    Api,
    Application,
    Catalogue,
    Gateway,
    LintSettings,
    NativeClientCertificate,
    Settings,
    Tls,
)
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.policy.server_cors import ReadLines, read_configured_policy
from crossgate.record import Invalid, Record, as_found, unknown_keys, wrong_type

_Object = TypeVar("_Object")
_Pair = TypeVar("_Pair", Tls, NativeClientCertificate)
_SETTINGS: Final = tuple(field.name for field in SETTINGS.fields)


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


def read_settings(raw: object) -> Settings:
    """The settings under ``settings``; raises as :func:`read_api` does.

    No file is read: a setting that names one is an error.
    """
    if not isinstance(raw, Mapping):
        raise InvalidInput(wrong_type("a mapping", raw, "Write keys and values").diagnostics)
    settings, diagnostics = _read_settings(raw, refuse_files)
    if diagnostics:
        raise InvalidInput(diagnostics)
    return settings


@dataclass(frozen=True, slots=True)
class Sections:
    """What one document declares, before its objects are compared with each other."""

    document: Document
    settings: Settings


def read_sections(
    raw: object, folder: Path | None, read_lines: ReadLines
) -> tuple[Sections | None, list[Diagnostic]]:
    """What a raw document declares; or None, and every error within one of its objects.

    Relative paths count from ``folder``; ``read_lines`` reads the files that settings name.
    """
    if not isinstance(raw, Mapping):
        return None, [_not_a_document(raw)]
    errors: list[Diagnostic] = []
    settings = Settings()
    if isinstance(values := raw.get("settings"), Mapping):
        settings, found = _read_settings(values, read_lines)
        errors += (one.within("settings") for one in found)
    document = DOCUMENT.read(raw)
    if isinstance(document, Invalid):
        return None, [*errors, *document.diagnostics]
    if errors:
        return None, errors
    if folder is not None:
        document = replace(document, gateway=_resolve_paths(document.gateway, folder))
    return Sections(document, settings), []


def merge_sections(
    sections: Sequence[Sections], *, gateway: Sections | None, settings: Sections | None
) -> Catalogue:
    """The catalogue that documents declare together, which were checked for consistency.

    ``gateway`` and ``settings`` are the documents that declare these sections.
    """
    return Catalogue(
        gateway=Gateway() if gateway is None else gateway.document.gateway,
        settings=Settings() if settings is None else settings.settings,
        apis={api.key: api for one in sections for api in one.document.apis},
        applications={found.name: found for one in sections for found in one.document.applications},
    )


def refuse_files(name: str) -> Diagnostic:
    """The reader of lines that refuses every file."""
    return Diagnostic("file-refused", "files cannot be read here", "List the origins themselves", found=name)


def _read(record: Record[_Object], raw: object) -> _Object:
    value = record.read(raw)
    if isinstance(value, Invalid):
        raise InvalidInput(value.diagnostics)
    return value


def _read_settings(raw: Mapping[str, object], read_lines: ReadLines) -> tuple[Settings, list[Diagnostic]]:
    """The settings and all errors, placed relative to the settings, which count only without errors."""
    known = {name: value for name, value in raw.items() if name in _SETTINGS and name != "lint"}
    policy, enabled, diagnostics = read_configured_policy(known, read_lines)
    errors = [*unknown_keys(raw, _SETTINGS, SETTINGS.other_names), *diagnostics]
    lint = LINT.read(raw["lint"]) if "lint" in raw else LintSettings()
    if isinstance(lint, Invalid):
        return Settings(), [*errors, *lint.within("lint")]
    disabled = policy if policy.allowed_origins and not enabled else None
    return Settings(raw, policy if enabled else None, disabled, lint), errors


def _not_a_document(raw: object) -> Diagnostic:
    remedy = "Write keys and values: gateway, settings, apis, applications"
    if raw is None:
        return Diagnostic("document-empty", "the document is empty", remedy)
    return Diagnostic("wrong-type", "expected a mapping", remedy, found=as_found(raw))


def _resolve_paths(gateway: Gateway, folder: Path) -> Gateway:
    def resolved(pair: _Pair) -> _Pair:
        return replace(pair, certificate=str(folder / pair.certificate), key=str(folder / pair.key))

    authorities, log = gateway.native_ca, gateway.access_log
    if authorities is not None:
        authorities = str(folder / authorities)
    if log is not None:
        log = replace(log, file=str(folder / log.file))
    return replace(
        gateway,
        tls=tuple(map(resolved, gateway.tls)),
        native_ca=authorities,
        native_client_certificates=tuple(map(resolved, gateway.native_client_certificates)),
        access_log=log,
    )
