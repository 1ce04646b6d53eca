"""The policy that a description suggests, while its parts are found."""

from __future__ import annotations

from dataclasses import dataclass, field

from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.importers.found import Found, FoundPolicy
from crossgate.importers.openapi.references import References
from crossgate.policy.names import ANY, CORS_HEADER_PREFIX, is_forbidden_method, is_token
from crossgate.policy.script_request import SAFELISTED_HEADERS
from crossgate.policy.special_headers import (
    FORBIDDEN_RESPONSE_HEADERS,
    SAFELISTED_RESPONSE_HEADERS,
    is_forbidden_request_header,
)


@dataclass(slots=True)
class Suggestion:
    """Collects the values of the policy, and reports those that no policy can have."""

    references: References
    methods: list[Found[str]] = field(default_factory=list)
    allow_headers: list[Found[str]] = field(default_factory=list)
    expose_headers: list[Found[str]] = field(default_factory=list)
    credentials: Found[bool] | None = None
    native_cors: list[Found[str]] = field(default_factory=list)
    cookie: Found[str] | None = None
    """A cookie that is optional, or that a response sets."""

    def add_method(self, method: str, place: Place, label: str) -> None:
        """A method in use; ``OPTIONS`` is not for this function."""
        if is_forbidden_method(method):
            self._report(
                Diagnostic(
                    "method-not-needed",
                    f"{method} cannot be allowed: no script can send it, and the gateway refuses it",
                    "Leave it out, or call the native service directly",
                    place,
                    found=label,
                    severity=Severity.INFO,
                )
            )
        else:
            self.methods.append(Found(method, place, label))

    def add_request_header(self, name: str, place: Place, reason: str, *, required: bool) -> None:
        """A header that requests have, or cookies if that is the header."""
        lower = name.lower()
        if lower == "cookie":
            self.add_cookie(name, place, reason, required=required)
        elif lower in SAFELISTED_HEADERS or not self._is_header_name(name, place):
            return
        elif is_forbidden_request_header(name):
            self._report(
                Diagnostic(
                    "openapi-header-forbidden",
                    "no script can set this request header, so the policy does not list it",
                    "Leave it to browsers",
                    place,
                    found=name,
                    severity=Severity.INFO,
                )
            )
        else:
            self.allow_headers.append(Found(name, place, reason))

    def add_cookie(self, name: str, place: Place, reason: str, *, required: bool) -> None:
        """A cookie that requests have."""
        if required:
            self.credentials = self.credentials or Found(value=True, place=place, reason=reason)
        else:
            self.cookie = self.cookie or Found(name, place, reason)

    def add_response_header(self, name: str, place: Place, reason: str) -> None:
        """A header that responses have."""
        lower = name.lower()
        if lower.startswith(CORS_HEADER_PREFIX):
            self.add_native_cors(name, place, reason)
        elif lower in FORBIDDEN_RESPONSE_HEADERS:
            self.cookie = self.cookie or Found(name, place, reason)
        elif lower not in SAFELISTED_RESPONSE_HEADERS and self._is_header_name(name, place):
            self.expose_headers.append(Found(name, place, reason))

    def add_native_cors(self, what: str, place: Place, reason: str) -> None:
        """Something that only a service that does CORS itself has."""
        self.native_cors.append(Found(what, place, reason))

    def policy(self) -> FoundPolicy:
        """The policy, without origins: no description of an API names any."""
        if self.cookie is not None and self.credentials is None:
            self._report(
                Diagnostic(
                    "openapi-cookie",
                    "browsers keep and send this cookie across origins only with allow_credentials",
                    "Set allow_credentials if scripts of other origins need it",
                    self.cookie.place,
                    found=self.cookie.value,
                    severity=Severity.INFO,
                )
            )
        return FoundPolicy(
            methods=tuple(self.methods),
            allow_headers=tuple(self.allow_headers),
            expose_headers=tuple(self.expose_headers),
            credentials=self.credentials,
        )

    def _is_header_name(self, name: str, place: Place) -> bool:
        """Whether it is one; ``*`` would stand for every name."""
        if is_token(name) and name != ANY:
            return True
        self._report(
            Diagnostic(
                "header-name-invalid",
                "the name of the header is not a token",
                "Correct the name; this header is ignored",
                place,
                found=name,
                severity=Severity.WARNING,
            )
        )
        return False

    def _report(self, diagnostic: Diagnostic) -> None:
        self.references.report(diagnostic)
