"""The headers that scripts need to send to an OData service, and those that they need to read.

The tables follow the specifications, whose clauses are the reasons:

- OData 1 and 2: [MS-ODATA], https://learn.microsoft.com/openspecs/windows_protocols/ms-odata
- OData 3: https://www.odata.org/documentation/odata-version-3-0/odata-version-3-0-core-protocol/
- OData 4: https://docs.oasis-open.org/odata/odata/v4.01/odata-v4.01-part1-protocol.html

Not in them: ``Accept``, ``Accept-Language`` and ``Content-Language``, which scripts may send to any origin
(https://fetch.spec.whatwg.org/#cors-safelisted-request-header); ``X-HTTP-Method``, with which a POST is any
method ([MS-ODATA], §2.2.5.8); and ``OData-Error``, which is a trailer, and no script can read trailers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from crossgate.diagnostics import Diagnostic, Severity, printable
from crossgate.importers.found import Found
from crossgate.importers.odata.edm import DEFAULT, EdmAnnotation, EdmKind, EdmModel, ODataVersion, Where
from crossgate.importers.odata.methods import CAPABILITIES
from crossgate.policy.names import TOKEN_PATTERN

_AUTHORIZATION: Final = "Org.OData.Authorization.V1."
_REPEATABILITY: Final = "Org.OData.Repeatability.V1.Supported"
_RESTRICTIONS: Final = (
    "ReadRestrictions",
    "InsertRestrictions",
    "UpdateRestrictions",
    "DeleteRestrictions",
    "OperationRestrictions",
)
_TOKEN: Final = re.compile(TOKEN_PATTERN)
_OVERRIDES: Final = frozenset({"x-http-method", "x-http-method-override", "x-method-override"})
TOKEN_HEADER: Final = "X-CSRF-Token"
"""https://help.sap.com/docs/SAP_NETWEAVER_750/68bf513362174d54b58cddec28794093/b35c22518bc72214e10000000a44176d.html"""


@dataclass(frozen=True, slots=True)
class _Service:
    """What decides which headers a service has to do with."""

    version: ODataVersion
    methods: frozenset[str]
    etags: bool
    """Whether the metadata tells of ETags (OData 1 to 3)."""
    streams: bool
    asynchronous: bool | None

    @property
    def has_bodies(self) -> bool:
        return bool(self.methods & {"POST", "PUT", "PATCH", "MERGE"})

    @property
    def writes(self) -> bool:
        return self.has_bodies or "DELETE" in self.methods


class _Header(NamedTuple):
    name: str
    versions: frozenset[ODataVersion]
    clause: str
    needed: Callable[[_Service], bool] = lambda _: True


_V2, _V3, _V401 = (frozenset({version}) for version in (ODataVersion.V2, ODataVersion.V3, ODataVersion.V401))
_V4: Final = frozenset({ODataVersion.V4, ODataVersion.V401})

_SENT: Final = (
    _Header("Content-Type", _V2, "[MS-ODATA], §2.2.5.2", lambda service: service.has_bodies),
    _Header("Content-Type", _V3, "OData 3.0, §8.1.2", lambda service: service.has_bodies),
    _Header("Content-Type", _V4, "OData 4.01, §8.1.1", lambda service: service.has_bodies),
    _Header("DataServiceVersion", _V2, "[MS-ODATA], §2.2.5.3"),
    _Header("DataServiceVersion", _V3, "OData 3.0, §8.1.1"),
    _Header("MaxDataServiceVersion", _V2, "[MS-ODATA], §2.2.5.7"),
    _Header("MaxDataServiceVersion", _V3, "OData 3.0, §8.2.1"),
    _Header("MinDataServiceVersion", _V3, "OData 3.0, §8.2.2"),
    _Header("OData-Version", _V4, "OData 4.01, §8.1.5"),
    _Header("OData-MaxVersion", _V4, "OData 4.01, §8.2.7"),
    _Header("Prefer", _V3, "OData 3.0, §8.4.1", lambda service: service.writes),
    _Header("Prefer", _V4, "OData 4.01, §8.2.8"),
    _Header("If-Match", _V2, "[MS-ODATA], §2.2.5.5", lambda service: service.etags or service.streams),
    _Header("If-Match", _V3, "OData 3.0, §8.2.4"),
    _Header("If-Match", _V4, "OData 4.01, §8.2.4"),
    _Header("If-None-Match", _V2, "[MS-ODATA], §2.2.5.6", lambda service: service.etags or service.streams),
    _Header("If-None-Match", _V3, "OData 3.0, §8.2.5"),
    _Header("If-None-Match", _V4, "OData 4.01, §8.2.5"),
    _Header("OData-Isolation", _V4, "OData 4.01, §8.2.6"),
    _Header("Isolation", _V401, "OData 4.01, §8.2.6"),
    _Header(
        "Slug",
        _V2 | _V3,
        "name of a new media entity: RFC 5023, §9.7",
        lambda service: service.streams and "POST" in service.methods,
    ),
)
_READ: Final = (
    _Header("DataServiceVersion", _V2, "[MS-ODATA], §2.2.5.3"),
    _Header("DataServiceVersion", _V3, "OData 3.0, §8.1.1"),
    _Header("OData-Version", _V4, "OData 4.01, §8.1.5"),
    _Header("ETag", _V2, "[MS-ODATA], §2.2.5.4"),
    _Header("ETag", _V3, "OData 3.0, §8.3.1"),
    _Header("ETag", _V4, "OData 4.01, §8.3.2"),
    _Header(
        "Location", _V2, "URL of a new entity: RFC 5023, §9.2", lambda service: "POST" in service.methods
    ),
    _Header("Location", _V3, "OData 3.0, §8.3.2", lambda service: service.writes),
    _Header(
        "Location", _V4, "OData 4.01, §8.3.3", lambda service: service.writes or service.asynchronous is True
    ),
    _Header("DataServiceId", _V3, "OData 3.0, §8.5.1", lambda service: service.has_bodies),
    _Header("OData-EntityId", _V4, "OData 4.01, §8.3.4", lambda service: service.has_bodies),
    _Header("Preference-Applied", _V3, "OData 3.0, §8.5.2", lambda service: service.writes),
    _Header("Preference-Applied", _V4, "OData 4.01, §8.3.6"),
    _Header("Retry-After", _V3, "OData 3.0, §8.5.3", lambda service: service.writes),
    _Header("Retry-After", _V4, "OData 4.01, §8.3.7"),
    _Header("AsyncResult", _V401, "OData 4.01, §8.3.1", lambda service: service.asynchronous is not False),
)


class HeadersInUse:
    """The headers of a service that answers these methods."""

    def __init__(self, model: EdmModel, methods: frozenset[str]) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.credentials: Found[bool] | None = None
        self._model = model
        entities = (one for one in model.resources if one.kind in (EdmKind.ENTITY_SET, EdmKind.SINGLETON))
        types = [base for name in {one.type for one in entities} for base in model.bases_of(name)]
        tags = model.on_container(f"{CAPABILITIES}AsynchronousRequestsSupported")
        asynchronous = [one.value for one in tags if isinstance(one.value, bool)]
        self._service = _Service(
            model.version,
            methods,
            etags=any(one.versioned for one in types),
            streams=any(one.streams for one in types),
            asynchronous=all(asynchronous) if asynchronous else None,
        )
        self.sent = (*self._of_protocol(_SENT), *self._declared())
        self.read = (*self._of_protocol(_READ), *self._declared_responses())

    @property
    def needs_token(self) -> Found[str] | None:
        """The header for tokens against request forgery, if the service has one."""
        name = TOKEN_HEADER.lower()
        return next((found for found in self.sent if found.value.lower() == name), None)

    def _of_protocol(self, table: tuple[_Header, ...]) -> Iterator[Found[str]]:
        service = self._service
        for header in table:
            if service.version in header.versions and header.needed(service):
                yield Found(header.name, self._model.version_where(), header.clause)

    def _declared(self) -> Iterator[Found[str]]:
        model = self._model
        for one in model.on_container(f"{CAPABILITIES}AcceptableEncodings"):
            if isinstance(one.value, list) and one.value:
                yield Found("Content-Encoding", one.where(), "AcceptableEncodings of the service")
        repeatable = next(self._repeatable(), None)
        if repeatable is not None:
            for name in ("Repeatability-Request-ID", "Repeatability-Client-ID", "Repeatability-First-Sent"):
                yield Found(name, repeatable.where(), "repeatable requests are supported")
        for one in model.on_container(f"{_AUTHORIZATION}Authorizations"):
            yield from self._authorizations(one)
        yield from self._custom()
        if model.sap is not None:
            yield Found(TOKEN_HEADER, model.sap(), "SAP services protect writes with a token")

    def _declared_responses(self) -> Iterator[Found[str]]:
        repeatable = next(self._repeatable(), None)
        if repeatable is not None:
            yield Found("Repeatability-Result", repeatable.where(), "repeatable requests are supported")
        token = self.needs_token
        if token is not None:
            yield Found(TOKEN_HEADER, token.place, "a response to X-CSRF-Token: Fetch contains the token")

    def _repeatable(self) -> Iterator[EdmAnnotation]:
        return (one for one in self._model.anywhere(_REPEATABILITY) if one.value is True)

    def _authorizations(self, annotation: EdmAnnotation) -> Iterator[Found[str]]:
        """The headers of ``Authorizations``.

        https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Authorization.V1.html
        """
        for record in annotation.value if isinstance(annotation.value, list) else ():
            if not isinstance(record, Mapping):
                continue
            kind = str(record.get("@type", "")).removeprefix(_AUTHORIZATION)
            title = printable(str(record.get("Name", kind)))
            if kind != "ApiKey":
                if kind:
                    yield Found("Authorization", annotation.where(), f"authorization {title}")
                continue
            match str(record.get("Location", "")).rpartition("/")[2]:
                case "Header":
                    found = self._header(record.get("KeyName"), annotation.where, f"authorization {title}")
                    if found is not None:
                        yield found
                case "Cookie":
                    reason = f"authorization {title} is a cookie"
                    self.credentials = Found(value=True, place=annotation.where(), reason=reason)
                case _:
                    pass  # a query option needs no header

    def _custom(self) -> Iterator[Found[str]]:
        """``CustomHeaders``: of the service, and of requests that a restriction describes."""
        for annotation in self._model.anywhere(f"{CAPABILITIES}CustomHeaders"):
            yield from self._headers(annotation.value, annotation)
        for restriction in _RESTRICTIONS:
            for annotation in self._model.anywhere(f"{CAPABILITIES}{restriction}"):
                yield from self._headers(annotation.record.get("CustomHeaders"), annotation)
        for annotation in self._model.on_container(DEFAULT):
            yield from self._of_restrictions(annotation.record, annotation)
        for annotation in self._model.anywhere(f"{CAPABILITIES}NavigationRestrictions"):
            properties = annotation.record.get("RestrictedProperties")
            for restricted in properties if isinstance(properties, list) else ():
                if isinstance(restricted, Mapping):
                    yield from self._of_restrictions(restricted, annotation)

    def _of_restrictions(
        self, record: Mapping[str, object], annotation: EdmAnnotation
    ) -> Iterator[Found[str]]:
        for restriction in _RESTRICTIONS:
            inner = record.get(restriction)
            if isinstance(inner, Mapping):
                yield from self._headers(inner.get("CustomHeaders"), annotation)

    def _headers(self, value: object, annotation: EdmAnnotation) -> Iterator[Found[str]]:
        for record in value if isinstance(value, list) else ():
            if isinstance(record, Mapping):
                found = self._header(record.get("Name"), annotation.where, "custom header of the service")
                if found is not None:
                    yield found

    def _header(self, name: object, where: Where, reason: str) -> Found[str] | None:
        if not isinstance(name, str) or not _TOKEN.fullmatch(name):
            self.diagnostics.append(
                Diagnostic(
                    "header-name-invalid",
                    "the name of a header is left out: it is not a header name",
                    "Correct the metadata, or add the header to allow_headers",
                    where(),
                    printable(str(name)),
                    Severity.WARNING,
                )
            )
            return None
        if name.lower() in _OVERRIDES:
            self.diagnostics.append(
                Diagnostic(
                    "odata-method-override",
                    f"{name} is left out: with it a POST can be any method, whatever allowed_methods lists",
                    "Let scripts send the method itself",
                    where(),
                    name,
                    Severity.WARNING,
                )
            )
            return None
        return Found(name, where(), reason)
