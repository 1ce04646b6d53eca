"""One object by itself, as an entry of a document, a row of the store or the body of a request has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from crossgate.catalogue.document.entries import ApiEntry, ApplicationEntry, GatewayEntry
from crossgate.catalogue.document.field import Entry
from crossgate.catalogue.document.settings_entry import read_settings
from crossgate.catalogue.document.shape_errors import as_found, explain_shape_errors
from crossgate.catalogue.model import Api, Application, Gateway, Suppression, Tls, default_endpoint
from crossgate.catalogue.yaml.files import read_lines_of
from crossgate.diagnostics import Diagnostic, InvalidInput, Step
from crossgate.policy import ServerPolicy


def read_api(loose: object) -> Api:
    """The API of an entry under ``apis``; raises InvalidInput with every error, places relative to it."""
    return api_of(_entry(ApiEntry, loose))


def read_application(loose: object) -> Application:
    """The application of an entry under ``applications``; raises as :func:`read_api` does."""
    return application_of(_entry(ApplicationEntry, loose))


def read_gateway(loose: object) -> Gateway:
    """The entry under ``gateway``; raises as :func:`read_api` does. Paths stay as they are."""
    return gateway_of(_entry(GatewayEntry, loose), None)


def read_server_settings(loose: object) -> ServerPolicy | None:
    """The server's policy, None where it is off; raises as :func:`read_api` does.

    No file is read, so ``file:`` among the settings is an error.
    """
    if not isinstance(loose, Mapping):
        raise InvalidInput([_no_mapping(loose)])
    policy, diagnostics = read_settings(loose, read_lines_of(None, []))
    if diagnostics:
        raise InvalidInput(diagnostics)
    return policy


def gateway_of(entry: GatewayEntry, folder: Path | None) -> Gateway:
    """The gateway's settings; relative paths count from ``folder``."""

    def path(written: str) -> str:
        return written if folder is None else str(folder / written)

    return Gateway(
        listen=entry.listen,
        tls=None if entry.tls is None else Tls(path(entry.tls.certificate), path(entry.tls.key)),
        native_ca=None if entry.native_ca is None else path(entry.native_ca),
        public_origins=entry.public_origins,
    )


def api_of(entry: ApiEntry) -> Api:
    """The API; its default endpoint if it names none."""
    return Api(
        name=entry.name,
        version=entry.version,
        type=entry.type,
        native=entry.native,
        endpoints=entry.endpoints or (default_endpoint(entry.type, entry.name, entry.version),),
        cors=entry.cors,
        native_timeout=entry.native_timeout,
        trusted_domains=entry.trusted_domains,
        suppressions=tuple(Suppression(allowed.code, allowed.reason) for allowed in entry.lint.allow),
    )


def application_of(entry: ApplicationEntry) -> Application:
    """The application."""
    return Application(entry.name, entry.javascript_origins, tuple(entry.apis), entry.suspended)


_Entry = TypeVar("_Entry", bound=Entry)


def _entry(model: type[_Entry], loose: object) -> _Entry:
    if not isinstance(loose, Mapping):
        raise InvalidInput([_no_mapping(loose)])
    try:
        return model.model_validate(loose)
    except ValidationError as error:
        raise InvalidInput(explain_shape_errors(error, model, _source_of(loose))) from None


def _source_of(loose: object) -> Callable[[tuple[Step, ...]], str]:
    def source(path: tuple[Step, ...]) -> str:
        found = loose
        for step in path:
            found = found[step]  # type: ignore[index]  # pydantic's own path into this very value
        return as_found(found)

    return source


def _no_mapping(loose: object) -> Diagnostic:
    return Diagnostic("wrong-type", "this must be a mapping", "Write keys and values", found=as_found(loose))
