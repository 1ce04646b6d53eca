"""What a policy lacks to allow a request, and how a change that adds it is described."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from crossgate.diagnostics import printable
from crossgate.lint.origin_verdict import ONLY_THIS_ORIGIN
from crossgate.lint.proof import can_be_sent
from crossgate.policy import (
    EffectivePolicy,
    ExactOrigin,
    Origin,
    Request,
    ServerPolicy,
    is_well_formed,
    parse_exact_origin,
)
from crossgate.policy.names import ANY, NULL, is_forbidden_method, is_token
from crossgate.policy.request import OPTIONS
from crossgate.policy.server_cors import CONTENT_TYPE

_EVERY: Final = "For every allowed origin"
_MOST_HEADERS: Final = 64
_HTTP: Final = "Plain http: anyone on the network path can inject scripts into that page"
_LOOPBACK_CAUTION: Final = "Any program on a visitor's machine can serve that page"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


class ChangeForm(StrEnum):
    """What a suggested change adds."""

    POLICY_ORIGIN = "policy-origin"
    """The exact origin, to the policy of the API or to the server-level settings."""
    APPLICATION_ORIGIN = "application-origin"
    """The exact origin, to an application of the API; or an application that has it, to the API."""
    DOMAIN_PATTERN = "domain-pattern"
    """A wildcard that is proven to admit one registrable domain only."""
    METHOD = "method"
    HEADERS = "headers"
    PLAIN_OPTIONS = "plain-options"
    """``plain_options: forward``, for OPTIONS requests that are not preflights."""
    PUBLIC_ORIGIN = "public-origin"
    """The exact origin, to the gateway's own."""


@dataclass(frozen=True, slots=True)
class PolicyGap:
    """What a policy lacks to allow a request."""

    origin: str = ""
    method: str = ""
    headers: tuple[str, ...] = ()
    plain_options: bool = False

    @classmethod
    def of(
        cls, policy: EffectivePolicy | ServerPolicy, request: Request, *, any_origin: bool = False
    ) -> PolicyGap | None:
        """What it lacks; None if no change that can be suggested provides it.

        ``any_origin`` includes origins that are never suggested, such as ``null``.
        """
        value = request.origin
        origin = "" if policy.origins.admits(value) else value
        if origin and not any_origin and not can_be_listed(origin):
            return None
        requested = request.request_method if request.method == OPTIONS else ""
        if isinstance(policy, EffectivePolicy):
            if request.method != OPTIONS:
                return cls(origin)
            if not requested or not value:
                return cls(origin, plain_options=True)
            method = "" if policy.admits_method(requested) else requested
        else:
            judged = requested or request.method
            method = "" if judged in policy.supported_methods else judged
        if method and (not is_token(method) or is_forbidden_method(method)):
            return None
        headers: tuple[str, ...] = ()
        if requested:
            headers = policy.header_names.find_refused(request.request_headers, _MOST_HEADERS)
        elif isinstance(policy, ServerPolicy) and not policy.admits_content_type(request.content_type):
            headers = (CONTENT_TYPE,)
        if ANY in (method, *headers):
            return None  # a request asks for that one name; in a policy it stands for all names
        return cls(origin, method, headers)

    @property
    def form(self) -> ChangeForm:
        """What the change adds first."""
        if self.origin:
            return ChangeForm.POLICY_ORIGIN
        if self.method:
            return ChangeForm.METHOD
        return ChangeForm.HEADERS if self.headers else ChangeForm.PLAIN_OPTIONS

    def verdict(self, only: str = ONLY_THIS_ORIGIN) -> str:
        """Whom a change lets in that adds all this; ``only`` is the verdict on its entry for the origin."""
        if not self.origin:
            return f"{_EVERY}, and for requests without one" if self.plain_options else _EVERY
        lists = (
            ("the method", self.method),
            ("the headers", self.headers),
            ("OPTIONS requests", self.plain_options),
        )
        others = [noun for noun, lacks in lists if lacks]
        return f"{only}; {' and '.join(others)} for every allowed origin" if others else only

    def sentence(self, names: tuple[str, str, str], of: str, entry: str = "") -> str:
        """What is added to which of three lists, and to whose."""
        added = (entry or self.origin, self.method, ", ".join(self.headers))
        parts = [f"{printable(what)} to {name}" for what, name in zip(added, names, strict=True) if what]
        if not parts:
            return f"Write plain_options: forward in the policy of {of}"
        listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
        more = ", and write plain_options: forward" if self.plain_options else ""
        return f"Add {listed} of {of}{more}"


def can_be_listed(origin: str) -> bool:
    """Whether the origin can be an exact entry that a change suggests."""
    return origin != NULL and isinstance(parse_exact_origin(origin), ExactOrigin) and can_be_sent(origin)


def origin_cautions(origin: str) -> tuple[str, ...]:
    """What to consider before an origin is allowed."""
    if not origin or not is_well_formed(origin):
        return ()
    parts = Origin.of(origin)
    if parts.host in _LOOPBACK or parts.host.endswith(".localhost"):
        return (_LOOPBACK_CAUTION,)
    return (_HTTP,) if parts.scheme == "http" else ()


POLICY_LISTS: Final = ("allowed_origins", "allowed_methods", "allow_headers")
SERVER_LISTS: Final = ("allowedOrigins", "supportedMethods", "supportedHeaders")
