"""The security schemes that operations require, and the headers and cookies that those need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crossgate.diagnostics import Diagnostic, Severity
from crossgate.importers.openapi.operations import Operation, SpecificationVersion, shorten
from crossgate.importers.openapi.references import Identity, Located, References
from crossgate.importers.openapi.suggestion import Suggestion

_AUTHORIZATION: Final = "Authorization"
_AUTHORIZATION_TYPES: Final = frozenset({"basic", "http", "oauth2", "openIdConnect"})
"""``basic`` is of Swagger 2.0. Scripts send each in ``Authorization``."""


@dataclass(slots=True)
class _Use:
    """A list of requirements, or a scheme in one, that operations have."""

    required: Located
    """The list, or the name of the scheme in the first one."""
    label: str
    """The first operation."""
    operations: int = 0

    @property
    def by(self) -> str:
        """The operations, for people."""
        others = self.operations - 1
        return f"{self.label}{f' and {others} more' if others else ''}"


class SecuritySchemes:
    """Counts the operations that require each scheme: one that none requires needs no header."""

    def __init__(self, references: References, root: Located, version: SpecificationVersion) -> None:
        self._references = references
        self._root = root
        self._version = version
        self._uses: dict[Identity, _Use] = {}
        """By the list of requirements: several operations may refer to one."""

    def add(self, operation: Operation) -> None:
        """Count the schemes that the operation requires: its own requirements, else those of the description.

        An empty list removes the latter (https://spec.openapis.org/oas/v3.1.1.html#operation-object).
        """
        own = isinstance(operation.value.value, dict) and "security" in operation.value.value
        requirements = self._references.child(operation.value if own else self._root, "security")
        if requirements is not None:
            use = self._uses.setdefault(requirements.identity, _Use(requirements, operation.label))
            use.operations += 1

    def suggest(self, suggestion: Suggestion) -> None:
        """Add what the schemes need to a policy."""
        for name, use in self._uses_by_name().items():
            scheme = self._scheme(name, use.required)
            if scheme is None:
                self._references.report(
                    Diagnostic(
                        "openapi-security-undefined",
                        "the required security scheme is not defined",
                        "Define it, or add the header that it needs to allow_headers",
                        use.required.place(key=True),
                        found=name,
                        severity=Severity.WARNING,
                    )
                )
            else:
                self._suggest(suggestion, scheme, f"security scheme {shorten(name)} of {use.by}")

    def _uses_by_name(self) -> dict[str, _Use]:
        found: dict[str, _Use] = {}
        for requirements in self._uses.values():
            names: dict[str, Located] = {}
            for alternative in self._references.items(requirements.required):
                if not isinstance(alternative.value, dict):
                    self._references.report_shape(alternative, "a mapping")
                    continue
                for name, scopes in alternative.value.items():
                    names.setdefault(name, alternative.below(name, scopes))
            for name, scopes in names.items():
                use = found.setdefault(name, _Use(scopes, requirements.label))
                use.operations += requirements.operations
        return found

    def _scheme(self, name: str, required: Located) -> Located | None:
        if self._version is SpecificationVersion.SWAGGER_2:
            return self._references.child(self._root, "securityDefinitions", name)
        found = self._references.child(self._root, "components", "securitySchemes", name)
        if found is None and self._version is SpecificationVersion.OPENAPI_3_2 and set("#/") & set(name):
            # In 3.2 the name may be a reference: https://spec.openapis.org/oas/v3.2.0.html#security-requirement-object
            return self._references.refer(required, name)
        return found

    def _suggest(self, suggestion: Suggestion, scheme: Located, reason: str) -> None:
        kind = self._references.string(scheme, "type")
        if kind is None:
            return
        if kind.value in _AUTHORIZATION_TYPES:
            suggestion.add_request_header(_AUTHORIZATION, kind.place(), reason, required=True)
        elif kind.value == "apiKey":
            self._suggest_api_key(suggestion, scheme, reason)
        elif kind.value == "mutualTLS":
            self._references.report(
                Diagnostic(
                    "client-certificate",
                    "the gateway does not forward certificates of clients",
                    "Let the gateway present its own: set gateway.native_client_certificates",
                    kind.place(),
                    found=reason,
                    severity=Severity.INFO,
                )
            )
        else:
            self._references.report(
                Diagnostic(
                    "openapi-security-type",
                    "unknown type of security scheme",
                    "Add the header that it needs to allow_headers",
                    kind.place(),
                    found=str(kind.value),
                    severity=Severity.WARNING,
                )
            )

    def _suggest_api_key(self, suggestion: Suggestion, scheme: Located, reason: str) -> None:
        where = self._references.string(scheme, "in")
        name = self._references.string(scheme, "name")
        if where is None or name is None or not isinstance(name.value, str):
            return
        if where.value == "header":
            suggestion.add_request_header(name.value, name.place(), reason, required=True)
        elif where.value == "cookie":
            suggestion.add_cookie(name.value, name.place(), reason, required=True)
