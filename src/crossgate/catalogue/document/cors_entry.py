"""The CORS policy as a document has it: its shape for the schema, its reading by the policy engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Final

from pydantic import Field

from crossgate.catalogue.document.field import Entry, diagnosed
from crossgate.diagnostics import Diagnostic
from crossgate.policy import CorsPolicy, Mode, PlainOptions, read_policy
from crossgate.policy.cors_policy import MAX_AGE_LIMIT
from crossgate.policy.names import TOKEN_PATTERN

Token = Annotated[str, Field(pattern=f"^{TOKEN_PATTERN}$")]


class RegexEntry(Entry):
    """Origins that match a regular expression as a whole."""

    regex: str
    r"""RE2's syntax. It must match the whole origin: `https://pr-[0-9]+\.preview\.example\.com`."""


class CorsEntry(Entry):
    """The CORS policy of one API. What is not listed is not allowed.

    Read by the policy engine itself; here for the schema.
    """

    allowed_origins: list[str | RegexEntry] = Field(default=[])
    """Origins that may call the API: `https://example.com`, `https://*.example.com` (any subdomain, never
    the domain itself), `https://example.com:*` (any port), `{regex: ...}`, `'*'` (all) or `'null'`."""
    allowed_methods: list[Token] = Field(default=[])
    """Methods that a preflight may ask for, case-sensitive; `'*'` for all. GET, HEAD and POST are to be named
    like any other."""
    allow_headers: list[Token] = Field(default=[])
    """Request headers that a preflight may ask for; `'*'` for all but Authorization, which must be named."""
    expose_headers: list[Token] = Field(default=[])
    """Response headers that scripts may read; `'*'` for all, not with credentials."""
    allow_credentials: bool = False
    """Whether requests with cookies, HTTP authentication or client certificates are allowed; not with the
    origin `'*'`."""
    max_age: Annotated[int, Field(ge=0, le=MAX_AGE_LIMIT)] | None = None
    """Seconds for which a browser may keep a preflight's answer; without it, nothing is sent."""
    plain_options: PlainOptions = PlainOptions.REFUSE
    """What becomes of OPTIONS requests that are no preflights: `refuse` (405) or `forward`."""
    mode: Mode = Mode.ENFORCE
    """`enforce`, or `observe`: decide and record, but forward everything and change nothing."""


_NOT_A_MAPPING: Final = Diagnostic(
    code="wrong-type",
    message="cors must be a mapping",
    remedy="Leave the key out to let everything pass through; write {} for a policy that allows nothing",
)


def validate_cors(loose: object) -> CorsPolicy:
    """The policy; or every error in it, as a pydantic error."""
    if not isinstance(loose, Mapping):
        raise diagnosed([replace(_NOT_A_MAPPING, found="nothing" if loose is None else repr(loose))])
    policy, diagnostics = read_policy(loose)
    if diagnostics:
        raise diagnosed(_mind_yaml(found) for found in diagnostics)
    return policy


def _mind_yaml(found: Diagnostic) -> Diagnostic:
    """The remedy for the one mistake that only YAML makes possible: null without quotes."""
    if found.code == "origin-form" and found.found == "None":
        return replace(found, found="null", remedy="Quote it if the origin null is meant: 'null'")
    return found
