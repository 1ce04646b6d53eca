"""Metadata of an OData service, read into an API with a suggested policy.

The model comes from CSDL XML or CSDL JSON; methods and headers are decided on the model.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from crossgate.catalogue.model import ApiType
from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Severity
from crossgate.importers.found import Contents, Found, FoundApi, FoundPolicy
from crossgate.importers.kind import Kind
from crossgate.importers.odata.csdl_json import is_csdl_json, read_csdl_json
from crossgate.importers.odata.csdl_xml import is_csdl_xml, read_csdl_xml
from crossgate.importers.odata.edm import EdmContainer, EdmModel, ODataVersion
from crossgate.importers.odata.headers import TOKEN_HEADER, HeadersInUse
from crossgate.importers.odata.methods import MethodsInUse
from crossgate.importers.odata.naming import find_name, find_roots
from crossgate.importers.source import Source

_SAP_GATEWAY: Final = "com.sap.gateway."
"""Begins the namespaces of SAP Gateway's OData 4 services, which have no XML namespace of SAP's."""
_MAX_EXTENDED: Final = 10
"""Containers that extend each other through other documents."""


def recognises_odata(source: Source) -> bool:
    """Whether the document is metadata of OData, in XML or JSON."""
    return is_csdl_xml(source) or is_csdl_json(source)


def read_odata(source: Source) -> Contents:
    """The API of the service; raises InvalidInput if the document is not metadata of a service."""
    model = _read_model(source)
    if not model.containers:
        raise InvalidInput([_no_container(model)])
    _extend(model, source)
    methods = MethodsInUse(model)
    headers = HeadersInUse(model, methods.names)
    token = headers.needs_token
    fetches = [("HEAD", model.container.where, f"{TOKEN_HEADER}: Fetch")] if token else []
    name, version = find_name(model)
    api = FoundApi(
        id=model.container.target,
        name=name,
        version=version,
        type=Found(ApiType.ODATA, model.version_where(), model.version.title),
        natives=tuple(find_roots(model, source.name)),
        cors=FoundPolicy(
            methods=methods.found(fetches),
            allow_headers=headers.sent,
            expose_headers=headers.read,
            credentials=headers.credentials,
        ),
    )
    diagnostics = [*model.diagnostics, *methods.diagnostics, *headers.diagnostics]
    if token is not None and headers.credentials is None:
        diagnostics.append(_session(token.place))
    return Contents((api,), diagnostics=tuple(diagnostics))


def _read_model(source: Source) -> EdmModel:
    is_json = source.data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    model = read_csdl_json(source) if is_json else read_csdl_xml(source)
    for one in model.on_container("Org.OData.Core.V1.ODataVersions"):
        if isinstance(one.value, str) and "4.01" in one.value:
            model.version, model.version_where = ODataVersion.V401, one.where
    if model.sap is None and any(one.startswith(_SAP_GATEWAY) for one in model.namespaces):
        model.sap = model.version_where
    return model


def _no_container(model: EdmModel) -> Diagnostic:
    return Diagnostic(
        "nothing-found",
        "the metadata has no entity container, so it describes types and no service",
        "Import what the service answers to GET at its root followed by /$metadata",
        model.version_where(),
    )


def _session(place: Place) -> Diagnostic:
    """A token is bound to a session, and the session is a cookie; whether scripts use it, nobody can tell."""
    return Diagnostic(
        "odata-session",
        f"allow_credentials is left out: an {TOKEN_HEADER} is valid in the session of a cookie only, and the "
        "metadata does not say whether scripts of other origins use it",
        "Set allow_credentials to true if they do, and allow only origins that you trust with the session",
        place,
        severity=Severity.INFO,
    )


def _extend(model: EdmModel, source: Source) -> None:
    """Add the resources of extended containers that other documents declare (CSDL XML 4.01, §13.1)."""
    for _ in range(_MAX_EXTENDED):
        declared = {container.target for container in model.containers}
        missing = next((one for one in model.containers if one.extends and one.extends not in declared), None)
        if missing is None:
            return
        try:
            other = _open(model, missing, source)
        except InvalidInput as error:
            model.diagnostics.append(_not_extended(missing, error))
            other = None
        index = model.containers.index(missing)
        model.containers[index] = replace(missing, extends="")
        if other is not None:
            model.containers += [replace(one, default=False) for one in other.containers]
            model.resources += other.resources
            model.types = other.types | model.types
            model.includes = other.includes | model.includes
            for target, annotations in other.annotations.items():
                model.annotations.setdefault(target, []).extend(annotations)


def _open(model: EdmModel, container: EdmContainer, source: Source) -> EdmModel:
    namespace = container.extends.rpartition(".")[0]
    url = model.includes.get(namespace)
    if not url:
        raise InvalidInput(
            [
                Diagnostic(
                    "odata-extends",
                    "no edmx:Reference of the document includes it",
                    "Add the reference",
                    container.where(),
                    container.extends,
                )
            ]
        )
    return _read_model(source.open(url))


def _not_extended(container: EdmContainer, error: InvalidInput) -> Diagnostic:
    cause = error.diagnostics[0].message if error.diagnostics else "it cannot be read"
    return Diagnostic(
        "odata-extends",
        f"the methods of the extended entity container are left out: {cause}",
        "Import with the document that declares it, or add the missing methods",
        container.where(),
        container.extends,
        Severity.WARNING,
    )


ODATA: Final = Kind(
    name="odata",
    title="OData metadata",
    sentence="The service, with the methods and headers of its version and its annotations, without origins.",
    recognises=recognises_odata,
    read=read_odata,
)
