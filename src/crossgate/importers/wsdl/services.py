"""The services of a WSDL, each an API: its ports, and the policy that is suggested for those it reaches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from crossgate.catalogue.model import ApiType, NativeService
from crossgate.catalogue.urls import parse_native_url
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.importers.found import Found, FoundApi, FoundPolicy
from crossgate.importers.wsdl.bindings import (
    HTTP_11,
    SOAP_11,
    SOAP_12,
    Binding,
    binding_of_address,
    read_binding,
)
from crossgate.importers.wsdl.documents import WSDL_20, Descriptions, Node
from crossgate.importers.wsdl.security import Assertions, HttpAuthentication, Policies

_PORTS: Final = frozenset({"port", "endpoint"})
_VERSION_SEGMENT: Final = re.compile(r"[vV]([0-9]{1,4}(?:[._-][0-9]{1,4}){0,3})")
_NUMBER_SEGMENT: Final = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){1,3}")
_DATE: Final = re.compile(r"((?:19|20)[0-9]{2})[/-](0[1-9]|1[0-2])(?:[/-]([0-3][0-9]))?(?![0-9])")


@dataclass(frozen=True, slots=True)
class _Port:
    """A port of WSDL 1.1, or an endpoint of WSDL 2.0, that is called over HTTP."""

    node: Node
    binding: Binding
    assertions: Assertions
    interface: object
    """The element that its binding is for; ports of one interface are alternatives (WSDL 1.1, §2.7)."""
    address: Found[str] | None
    native: NativeService | None
    """The one at its address; None if it cannot be one."""


class ServiceReader:
    """Reads the services of a description."""

    def __init__(self, descriptions: Descriptions) -> None:
        self._descriptions = descriptions
        self._notes: dict[Diagnostic, None] = {}
        self._policies = Policies(descriptions)
        self._bindings: dict[etree._Element, Binding | None] = {}

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Those about the services that were read, once each."""
        return tuple(self._notes)

    def read(self, service: Node, root: Node) -> FoundApi | None:
        """The API of a service; None if it has no port that is called over HTTP."""
        shared = self._shared_assertions(service)
        ports = [port for one in _ports(service) if (port := self._read_port(one, shared)) is not None]
        if not ports:
            return None
        is_soap = any(port.binding.protocol.is_soap for port in ports)
        # The sort is stable: ports keep their order among those that are equally good.
        ports.sort(key=lambda port: (port.binding.protocol.is_soap is not is_soap, not _is_https(port)))
        reached = self._reached(ports)
        name = service.get("name") or root.get("name") or "service"
        where = service.place("name" if service.get("name") else None)
        kind = ApiType.SOAP if is_soap else ApiType.REST
        main = ports[0]
        return FoundApi(
            id=f"{root.document.file} {where.json_path}",
            name=Found(name, where, "service name"),
            version=_version(root),
            type=Found(kind, main.node.place(), f"port with a binding for {main.binding.protocol}"),
            natives=tuple(port.address for port in ports if port.address is not None),
            cors=self._policy(reached, is_soap=is_soap),
        )

    def _shared_assertions(self, service: Node) -> Assertions:
        """Those of the service, without those of single ports."""
        found: Assertions = {}
        for child in service.element.iterchildren("{*}*"):
            one = Node(service.document, child)
            if one.name.local not in _PORTS:
                found = self._policies.of(one) | found
        return found

    def _read_port(self, port: Node, shared: Assertions) -> _Port | None:
        node = self._descriptions.find("binding", port, port.get("binding"))
        address = _address(port)
        binding = None
        if node is not None:
            if node.element not in self._bindings:
                self._bindings[node.element] = read_binding(node, self._descriptions)
            binding = self._bindings[node.element]
        else:
            self._note(
                "wsdl-binding",
                "the binding of the port was not found; what its address says is taken",
                "Import the document that has the binding together with this one",
                port.place("binding"),
                port.get("binding") or None,
                Severity.WARNING,
            )
        if binding is None and address is not None:
            binding = binding_of_address(address)
        found = _location(port, address)
        is_http = found is not None and found.value.lower().startswith(("http:", "https:"))
        if binding is None or not (binding.is_over_http or is_http):
            self._note(
                "wsdl-port-left-out",
                "the port is left out: it has no binding for SOAP or HTTP that is called over HTTP",
                "Call it without the gateway: browsers cannot call it",
                port.place(),
                (binding.transport if binding is not None else "") or port.get("name") or None,
                Severity.INFO,
            )
            return None
        interface = self._interface(node)
        assertions = dict(shared)
        for one in (port, node, interface):
            if one is not None:
                assertions = self._policies.of(one) | assertions
        native = parse_native_url(found.value) if found is not None else None
        return _Port(
            port,
            binding,
            assertions,
            interface.element if interface is not None else None,
            found,
            native if isinstance(native, NativeService) else None,
        )

    def _interface(self, binding: Node | None) -> Node | None:
        if binding is None:
            return None
        kind, attribute = (
            ("interface", "interface") if binding.name.namespace == WSDL_20 else ("portType", "type")
        )
        return self._descriptions.find(kind, binding, binding.get(attribute))

    def _reached(self, ports: Sequence[_Port]) -> list[_Port]:
        """The ports below the first usable address, which is the native service; all if none is usable."""
        base = next((native.base_path for port in ports if (native := port.native) is not None), None)
        if base is None:
            return list(ports)
        reached = [port for port in ports if _is_below(port.native, base)]
        alternatives = {port.interface for port in reached}
        for port in ports:
            is_alternative = port.interface is not None and port.interface in alternatives
            if not is_alternative and not _is_below(port.native, base):
                self._note(
                    "wsdl-port-not-reached",
                    "the port is not reached: its address is not below that of the native service",
                    "Add an API for it, with this address as its native service",
                    port.address.place if port.address is not None else port.node.place(),
                    port.address.value if port.address is not None else port.node.get("name"),
                    Severity.WARNING,
                )
        return reached

    def _policy(self, ports: Sequence[_Port], *, is_soap: bool) -> FoundPolicy:
        methods = [method for port in ports for method in port.binding.methods]
        headers = [header for port in ports for header in port.binding.allow_headers]
        if is_soap:
            place = ports[0].address.place if ports[0].address is not None else ports[0].node.place()
            methods.append(Found("GET", place, "?wsdl: clients read the description"))
        for port in ports:
            headers += self._authentication(port)
        cookies = (port.binding.cookies for port in ports)
        return FoundPolicy(
            methods=tuple(methods),
            allow_headers=tuple(headers),
            expose_headers=tuple(header for port in ports for header in port.binding.expose_headers),
            credentials=next((one for one in cookies if one is not None), None),
        )

    def _authentication(self, port: _Port) -> Iterator[Found[str]]:
        schemes = port.node.get("authenticationScheme", "http://www.w3.org/ns/wsdl/http")
        if schemes:
            place = port.node.place("authenticationScheme")
            yield Found("Authorization", place, f"{schemes} authentication of the endpoint")
        for kind, one in port.assertions.items():
            match kind:
                case HttpAuthentication.HEADER:
                    yield Found("Authorization", one.place(), f"policy with {one.name.local}")
                case HttpAuthentication.CONNECTION:
                    self._note(
                        "wsdl-connection-authentication",
                        "the native service authenticates connections, and clients of the gateway share them",
                        "Let the native service accept another authentication from the gateway",
                        one.place(),
                        one.name.local,
                        Severity.WARNING,
                    )
                case HttpAuthentication.CERTIFICATE:
                    self._note(
                        "client-certificate",
                        "the native service requires a client certificate: of the gateway, not of browsers",
                        "Add the gateway's certificate for it to gateway.native_client_certificates",
                        one.place(),
                        one.name.local,
                        Severity.INFO,
                    )

    def _note(
        self, code: str, message: str, remedy: str, place: Place, found: str | None, severity: Severity
    ) -> None:
        self._notes.setdefault(Diagnostic(code, message, remedy, place, found, severity))


def _ports(service: Node) -> Iterator[Node]:
    return (child for child in service.children() if child.name.local in _PORTS)


def _address(port: Node) -> Node | None:
    """The address element of a port of WSDL 1.1."""
    found = (one for namespace in (SOAP_11, SOAP_12, HTTP_11) for one in port.children("address", namespace))
    return next(found, None)


def _location(port: Node, address: Node | None) -> Found[str] | None:
    node, attribute = (port, "address") if address is None else (address, "location")
    if not node.get(attribute):
        return None
    return Found(node.get(attribute), node.place(attribute), f"address of port {port.get('name')}".rstrip())


def _is_https(port: _Port) -> bool:
    return port.native is not None and port.native.scheme == "https"


def _is_below(native: NativeService | None, base: str) -> bool:
    return native is not None and (native.base_path == base or native.base_path.startswith(f"{base}/"))


def _version(root: Node) -> Found[str]:
    namespace = root.get("targetNamespace")
    version = find_version(namespace)
    place = root.place("targetNamespace")
    if version is None:
        return Found("1", place, "no version in the target namespace")
    return Found(version, place, f"target namespace {namespace[:200]}")


def find_version(namespace: str) -> str | None:
    """The version that a namespace clearly has: a segment like ``v2`` or ``1.1``, or a date, the last one."""
    path = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/]*", "", namespace)
    for pattern in (_VERSION_SEGMENT, _NUMBER_SEGMENT):
        for segment in reversed(re.split("[/:#]", path)):
            found = pattern.fullmatch(segment)
            if found is not None:
                return (found[1] if pattern is _VERSION_SEGMENT else found[0]).replace("_", ".")
    dates = [found for found in _DATE.finditer(path) if path[: found.start()][-1:] in "/:-"]
    return "-".join(part for part in dates[-1].groups() if part) if dates else None
