"""Server-level CORS as a document has it: its shape for the schema, its reading by the policy engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from crossgate.catalogue.document.field import Entry
from crossgate.catalogue.document.shape_errors import unknown_key
from crossgate.diagnostics import Diagnostic
from crossgate.policy import ServerPolicy, read_server_policy
from crossgate.policy.server_settings import NAMES, PREFIX, ReadLines

_Words = str | list[str]
_Switch = bool | Literal["true", "false"]


class SettingsEntry(Entry):
    """Server-level CORS, named and written as the reference product's server has it.

    While it is enabled, it is enforced on every request, and no API's policy is.
    """

    enabled: _Switch = Field(default=False, alias="watt.server.cors.enabled")
    """Whether server-level CORS is on."""
    allowed_origins: _Words = Field(default="", alias="watt.server.cors.allowedOrigins")
    """Origins, separated by commas or blanks, or a list; `r:` before a regular expression; `*` for all;
    `file:<path>` for a file with one a line. Required while enabled."""
    supported_methods: _Words = Field(default="", alias="watt.server.cors.supportedMethods")
    """Methods; without it OPTIONS, HEAD, GET, POST, PUT, PATCH, DELETE."""
    supported_headers: _Words = Field(default="", alias="watt.server.cors.supportedHeaders")
    """Request headers; Accept, Accept-Language and a form's, multipart or plain Content-Type always pass."""
    exposed_headers: _Words = Field(default="", alias="watt.server.cors.exposedHeaders")
    """Response headers that scripts may read."""
    host: str = Field(default="", alias="watt.server.cors.host")
    """What the Host header must be, port included; anything else is refused."""
    max_age: int | str = Field(default=-1, alias="watt.server.cors.maxAge")
    """Seconds for which a browser may keep a preflight's answer; -1 sends nothing."""
    supports_credentials: _Switch = Field(default=False, alias="watt.server.cors.supportsCredentials")
    """Whether requests with credentials are allowed; not with the origin `*`."""


def read_settings(
    loose: Mapping[str, object], read_lines: ReadLines
) -> tuple[ServerPolicy | None, list[Diagnostic]]:
    """The server's policy, None where it is off; and every error, its place relative to the settings."""
    known = {PREFIX + name for name in NAMES}
    strange = [name for name in loose if name not in known]
    unknown = [unknown_key((name,), known, suggest=number < 100) for number, name in enumerate(strange)]
    policy, diagnostics = read_server_policy(
        {name: value for name, value in loose.items() if name in known}, read_lines
    )
    return policy, [*unknown, *diagnostics]
