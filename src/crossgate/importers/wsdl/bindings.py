"""What the bindings of a WSDL say about requests: their methods, and the headers that scripts must set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final

from crossgate.importers.found import Found
from crossgate.importers.wsdl.documents import WSDL_20, Descriptions, Node

SOAP_11: Final = "http://schemas.xmlsoap.org/wsdl/soap/"
SOAP_12: Final = "http://schemas.xmlsoap.org/wsdl/soap12/"
HTTP_11: Final = "http://schemas.xmlsoap.org/wsdl/http/"
_MIME: Final = "http://schemas.xmlsoap.org/wsdl/mime/"
_SOAP_20: Final = "http://www.w3.org/ns/wsdl/soap"
HTTP_20: Final = "http://www.w3.org/ns/wsdl/http"
_EXTENSIONS: Final = "http://www.w3.org/ns/wsdl-extensions"
_SOAP_RESPONSE: Final = "/mep/soap-response"
_SOAP_11_PROTOCOL: Final = "http://www.w3.org/2006/01/soap11/bindings/HTTP"
_HTTP_TRANSPORTS: Final = (
    "",
    "http://schemas.xmlsoap.org/soap/http",
    "http://www.w3.org/2003/05/soap/bindings/HTTP",
    _SOAP_11_PROTOCOL,
)
_SAFELISTED_TYPES: Final = frozenset(
    {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
)
"""Content types that scripts may send without a preflight (Fetch, CORS-safelisted request-header)."""
_NO_BODY: Final = frozenset({"GET", "HEAD", "DELETE"})


class Protocol(StrEnum):
    """What requests to a port are."""

    SOAP_11 = "SOAP 1.1"
    SOAP_12 = "SOAP 1.2"
    HTTP = "HTTP"

    @property
    def is_soap(self) -> bool:
        """Whether requests are SOAP envelopes."""
        return self is not Protocol.HTTP


@dataclass(slots=True)
class Binding:
    """What a binding says."""

    protocol: Protocol
    transport: str = ""
    """That of SOAP; empty if the binding names none."""
    methods: list[Found[str]] = field(default_factory=list)
    allow_headers: list[Found[str]] = field(default_factory=list)
    expose_headers: list[Found[str]] = field(default_factory=list)
    cookies: Found[bool] | None = None

    @property
    def is_over_http(self) -> bool:
        """Whether its transport is HTTP."""
        return self.transport.rstrip("/") in _HTTP_TRANSPORTS


def read_binding(node: Node, descriptions: Descriptions) -> Binding | None:
    """What a binding says; None if its kind is unknown."""
    if node.name.namespace == WSDL_20:
        return _Binding20(node, descriptions).read()
    for child in node.children("binding", SOAP_11):
        return _soap(Protocol.SOAP_11, node, child.get("transport"))
    for child in node.children("binding", SOAP_12):
        return _soap(Protocol.SOAP_12, node, child.get("transport"))
    for child in node.children("binding", HTTP_11):
        return _http_11(node, child)
    return None


def binding_of_address(address: Node) -> Binding | None:
    """What the kind of a port's address says, for a port whose binding cannot be found."""
    match address.name.namespace:
        case namespace if namespace == SOAP_11:
            return _soap(Protocol.SOAP_11, address, "")
        case namespace if namespace == SOAP_12:
            return _soap(Protocol.SOAP_12, address, "")
        case _:
            return None


def _soap(protocol: Protocol, node: Node, transport: str) -> Binding:
    place, reason = node.place(), _reason(node, protocol)
    binding = Binding(protocol, transport, [Found("POST", place, reason)])
    _add_soap_headers(binding, node)
    return binding


def _add_soap_headers(binding: Binding, node: Node) -> None:
    """SOAP 1.1, §6.1.1: every request has ``SOAPAction``; SOAP 1.2 puts it into the content type."""
    names = ("SOAPAction", "Content-Type") if binding.protocol is Protocol.SOAP_11 else ("Content-Type",)
    kind = "text/xml" if binding.protocol is Protocol.SOAP_11 else "application/soap+xml"
    for name in names:
        reason = _reason(node, binding.protocol) + (f", {kind}" if name == "Content-Type" else "")
        binding.allow_headers.append(Found(name, node.place(), reason))


def _reason(node: Node, protocol: Protocol) -> str:
    what = node.name.local if node.name.local == "binding" else "port"
    name = node.get("name")
    if not name and (parent := node.element.getparent()) is not None:
        name = parent.get("name", "")
    return f"{protocol} {what} {name}".rstrip()


def _http_11(node: Node, http: Node) -> Binding:
    verb = http.get("verb").upper() or "GET"
    binding = Binding(Protocol.HTTP, "", [Found(verb, http.place("verb"), _reason(node, Protocol.HTTP))])
    if verb in _NO_BODY:
        return binding
    for operation in node.children("operation"):
        for part in operation.children("input"):
            for content in part.children("*", _MIME):
                kind = {"content": content.get("type"), "mimeXml": "text/xml"}.get(content.name.local, "")
                _add_content_type(binding, kind or "any type", content, operation.get("name"))
    return binding


def _add_content_type(binding: Binding, kind: str, node: Node, operation: str) -> None:
    if kind.partition(";")[0].strip().lower() not in _SAFELISTED_TYPES:
        reason = f"request body of {operation}, {kind}"
        binding.allow_headers.append(Found("Content-Type", node.place(), reason))


class _Binding20:
    """A binding of WSDL 2.0 (part 2, adjuncts, §5 for SOAP and §6 for HTTP)."""

    def __init__(self, node: Node, descriptions: Descriptions) -> None:
        self._node = node
        self._descriptions = descriptions

    def read(self) -> Binding | None:
        """What it says; None if its type is neither SOAP nor HTTP."""
        node = self._node
        match node.get("type").rstrip("/"):
            case kind if kind == _SOAP_20:
                transport = node.get("protocol", _SOAP_20, SOAP_11)
                is_11 = node.get("version", _SOAP_20) == "1.1" or transport.startswith(_SOAP_11_PROTOCOL)
                binding = Binding(Protocol.SOAP_11 if is_11 else Protocol.SOAP_12, transport)
                self._read_soap(binding)
            case kind if kind == HTTP_20:
                binding = Binding(Protocol.HTTP)
                self._read_http(binding)
            case _:
                return None
        if node.get("cookies", HTTP_20) in {"true", "1"}:
            reason = f"cookies of {_reason(node, binding.protocol)}"
            binding.cookies = Found(True, node.place("cookies"), reason)  # noqa: FBT003 - the value that was found
        return binding

    def _read_soap(self, binding: Binding) -> None:
        default = self._node.get("mepDefault", _SOAP_20, SOAP_11)
        for operation in self._operations():
            pattern = operation.get("mep", _SOAP_20, SOAP_11) or default
            method = "GET" if pattern.rstrip("/").endswith(_SOAP_RESPONSE) else "POST"
            reason = f"{_reason(self._node, binding.protocol)}, operation {_local(operation)}".rstrip()
            binding.methods.append(Found(method, operation.place(), reason))
        if any(method.value == "POST" for method in binding.methods):
            _add_soap_headers(binding, self._node)
        self._read_headers(binding)

    def _read_http(self, binding: Binding) -> None:
        default = self._node.get("methodDefault", HTTP_20, HTTP_11)
        for operation in self._operations():
            safe = "GET" if self._is_safe(operation) else "POST"  # adjuncts, §6.3.1
            method = operation.get("method", HTTP_20, HTTP_11) or default or safe
            name = _local(operation)
            reason = f"{_reason(self._node, binding.protocol)}, operation {name}".rstrip()
            binding.methods.append(Found(method, operation.place(), reason))
            if method not in _NO_BODY:
                kind = operation.get("inputSerialization", HTTP_20) or "application/xml"  # §6.4.3
                _add_content_type(binding, kind, operation, name)
        self._read_headers(binding)

    def _operations(self) -> Iterator[Node]:
        """The operations, or the binding itself if it names none."""
        operations = list(self._node.children("operation"))
        return iter(operations or [self._node])

    def _is_safe(self, operation: Node) -> bool:
        if operation.name.local != "operation":
            return bool(self._safe) and all(self._safe.values())
        return self._safe.get(_local(operation), False)

    @cached_property
    def _safe(self) -> dict[str, bool]:
        """Whether each operation of the interface is declared safe."""
        interface = self._descriptions.find("interface", self._node, self._node.get("interface"))
        return {
            one.get("name"): one.get("safe", _EXTENSIONS) in {"true", "1"}
            for one in (interface.children("operation") if interface is not None else ())
        }

    def _read_headers(self, binding: Binding) -> None:
        """Headers of HTTP that messages have (adjuncts, §6.6)."""
        for operation in self._node.children("operation"):
            for part, found in (("input", binding.allow_headers), ("output", binding.expose_headers)):
                for message in operation.children(part):
                    for header in message.children("header", HTTP_20):
                        reason = f"header of the {part} of {_local(operation)}"
                        found.append(Found(header.get("name"), header.place("name"), reason))


def _local(operation: Node) -> str:
    """The name of the operation to which an operation of a binding refers."""
    return operation.get("ref").rpartition(":")[2]
