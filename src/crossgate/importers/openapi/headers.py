"""Methods, and the headers of requests and responses, of the operations of a description."""

from __future__ import annotations

from typing import Final

from crossgate.diagnostics import Diagnostic, Severity
from crossgate.importers.openapi.operations import Operation, SpecificationVersion, shorten
from crossgate.importers.openapi.references import Identity, Located, References
from crossgate.importers.openapi.suggestion import Suggestion
from crossgate.policy.request import OPTIONS
from crossgate.policy.script_request import is_safelisted_content_type

_CONTENT_TYPE: Final = "Content-Type"
_IGNORED_PARAMETERS: Final = frozenset({"accept", "authorization", "content-type"})
"""https://spec.openapis.org/oas/v3.1.1.html#parameter-object: "the parameter definition SHALL be ignored"."""
_NO_BODY: Final = frozenset({"GET", "HEAD"})
"""No script can send a body with these (https://fetch.spec.whatwg.org/#dom-request)."""
_AMAZON_INTEGRATION: Final = "x-amazon-apigateway-integration"


class OperationHeaders:
    """Adds what operations need to a suggestion. Values that several operations refer to are read once."""

    def __init__(
        self, references: References, root: Located, version: SpecificationVersion, suggestion: Suggestion
    ) -> None:
        self._references = references
        self._root = root
        self._version = version
        self._suggestion = suggestion
        self._visited: set[Identity] = set()
        self._parameters: dict[Identity, frozenset[str]] = {}
        """Of lists of parameters, where those parameters are: ``header``, ``body``…"""
        self._consumed: dict[Identity, Located | None] = {}
        """Of lists of media types, the first one that needs a header."""

    def add(self, operation: Operation) -> None:
        """Add the method of the operation, and its headers."""
        if operation.method == OPTIONS:
            self._add_options(operation)
            return
        self._suggestion.add_method(operation.method, operation.place, operation.label)
        where = self._add_parameters(operation.item, operation.label)
        where |= self._add_parameters(operation.value, operation.label)
        if operation.method not in _NO_BODY:
            if self._version is SpecificationVersion.SWAGGER_2:
                self._add_consumed(operation, where)
            else:
                self._add_content(operation)
        self._add_response_headers(operation)

    def _add_parameters(self, parent: Located, label: str) -> frozenset[str]:
        """Add the headers among the parameters of a path item or operation; where those parameters are."""
        parameters = self._references.own(parent, "parameters")
        if parameters is None:
            return frozenset()
        if parameters.identity not in self._parameters:
            found = {self._add_parameter(item, label) for item in self._references.items(parameters)}
            self._parameters[parameters.identity] = frozenset(found)
        return self._parameters[parameters.identity]

    def _add_parameter(self, reference: Located, label: str) -> str:
        parameter = self._references.child(reference)
        where = self._references.string(parameter, "in")
        name = self._references.string(parameter, "name")
        if parameter is None or where is None or not isinstance(where.value, str):
            return ""
        if name is not None and isinstance(name.value, str) and self._is_first_visit(parameter):
            required = self._references.child(parameter, "required")
            is_required = required is not None and required.value is True
            if where.value == "header":
                self._add_header_parameter(name, name.value, label, required=is_required)
            elif where.value == "cookie":
                reason = f"cookie parameter of {label}"
                self._suggestion.add_cookie(name.value, name.place(), reason, required=is_required)
        return where.value

    def _add_header_parameter(self, place: Located, name: str, label: str, *, required: bool) -> None:
        if self._version is not SpecificationVersion.SWAGGER_2 and name.lower() in _IGNORED_PARAMETERS:
            if name.lower() == "authorization":
                self._references.report(
                    Diagnostic(
                        "openapi-parameter-ignored",
                        "header parameters with this name are ignored, as OpenAPI 3 requires",
                        "Describe it as a security scheme, or add the header to allow_headers",
                        place.place(),
                        found=name,
                        severity=Severity.INFO,
                    )
                )
            return
        reason = f"header parameter of {label}"
        self._suggestion.add_request_header(name, place.place(), reason, required=required)

    def _add_consumed(self, operation: Operation, where: frozenset[str]) -> None:
        """Swagger 2.0: media types are those of the operation, else of the whole description."""
        if not where & {"body", "formData"}:
            return
        own = isinstance(operation.value.value, dict) and "consumes" in operation.value.value
        consumes = self._references.child(operation.value if own else self._root, "consumes")
        reason = f"request body of {operation.label}"
        if consumes is None or consumes.value == []:
            if "body" in where:
                self._add_content_type(operation.value, f"{reason}, of any media type")
            return
        if consumes.identity not in self._consumed:
            self._consumed[consumes.identity] = self._first_unsafe(consumes)
        unsafe = self._consumed[consumes.identity]
        if unsafe is not None:
            self._add_content_type(unsafe, f"{reason}: {shorten(str(unsafe.value))}")

    def _first_unsafe(self, consumes: Located) -> Located | None:
        """The first media type in the list that no form sends."""
        for item in self._references.items(consumes):
            if isinstance(item.value, str) and not is_safelisted_content_type(item.value):
                return item
        return None

    def _add_content(self, operation: Operation) -> None:
        """OpenAPI 3: media types are the keys of the content of a request body."""
        content = self._references.child(operation.value, "requestBody", "content")
        if content is None or not self._is_first_visit(content):
            return
        for media_type, value in self._references.entries(content):
            if not is_safelisted_content_type(media_type):
                self._add_content_type(
                    value, f"request body of {operation.label}: {shorten(media_type)}", key=True
                )
                return

    def _add_content_type(self, value: Located, reason: str, *, key: bool = False) -> None:
        self._suggestion.add_request_header(_CONTENT_TYPE, value.place(key=key), reason, required=True)

    def _add_response_headers(self, operation: Operation) -> None:
        responses = self._references.child(operation.value, "responses")
        if responses is None or not self._is_first_visit(responses):
            return
        for status, response in self._references.entries(responses):
            headers = None if status.startswith("x-") else self._references.child(response, "headers")
            if headers is not None and self._is_first_visit(headers):
                reason = f"response {shorten(status)} of {operation.label}"
                for name, header in self._references.entries(headers):
                    self._suggestion.add_response_header(name, header.place(key=True), reason)

    def _add_options(self, operation: Operation) -> None:
        """A declared OPTIONS operation: the native service answers preflights, or other requests."""
        before = len(self._suggestion.native_cors)
        self._add_response_headers(operation)
        integration = self._references.child(operation.value, _AMAZON_INTEGRATION)
        kind = self._references.child(integration, "type")
        if kind is not None and isinstance(kind.value, str) and kind.value.lower() == "mock":
            self._suggestion.add_native_cors(operation.label, kind.place(), "mock integration of OPTIONS")
        if len(self._suggestion.native_cors) == before:
            self._references.report(
                Diagnostic(
                    "openapi-options",
                    "with a policy, the gateway answers OPTIONS requests itself",
                    "Set plain_options to forward in the policy if clients need this operation",
                    operation.place,
                    found=operation.label,
                    severity=Severity.INFO,
                )
            )

    def _is_first_visit(self, value: Located) -> bool:
        if value.identity in self._visited:
            return False
        self._visited.add(value.identity)
        return True
