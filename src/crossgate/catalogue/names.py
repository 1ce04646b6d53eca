"""The syntax of names, trusted domains and endpoints: each parser returns the string or a diagnostic."""

from __future__ import annotations

import re
from typing import Final

from crossgate.diagnostics import Diagnostic
from crossgate.policy.names import ANY
from crossgate.policy.origin import HOST_PATTERN

MAX_NAME: Final = 200
NAME_PATTERN: Final = r"[A-Za-z0-9._~-]+"
"""The unreserved characters of RFC 3986, §2.3: a path can contain them unescaped."""

MAX_ENDPOINT: Final = 1000
ENDPOINT_PATTERN: Final = r"(?:/[A-Za-z0-9._~@:+=,!$-]+)+"
"""Without the rules on dot segments and depth, which :func:`parse_endpoint` adds."""

DEFAULT_ROOTS: Final = ("gateway", "ws")
"""The first segments of default endpoints. The gateway looks up a path below them by its second and third
segment and any other path by its first, so an endpoint below them must have three."""

_NAME: Final = re.compile(NAME_PATTERN)
_HOST: Final = re.compile(HOST_PATTERN)
_ENDPOINT: Final = re.compile(ENDPOINT_PATTERN)


def parse_name(raw: object) -> str | Diagnostic:
    """The name of an API or its version: one segment of a path."""
    if isinstance(raw, str) and _NAME.fullmatch(raw) and raw not in (".", "..") and len(raw) <= MAX_NAME:
        return raw
    return Diagnostic(
        code="name-invalid",
        message=f"a name or version must be 1 to {MAX_NAME} letters, digits and . _ ~ -",
        found=repr(raw),
        remedy="Write for example petstore, or 1.0",
    )


def parse_application_name(raw: object) -> str | Diagnostic:
    """The name of an application: printable characters, with spaces inside only."""
    if isinstance(raw, str) and 1 <= len(raw) <= MAX_NAME and raw.isprintable() and raw == raw.strip():
        return raw
    return Diagnostic(
        code="name-invalid",
        message=f"an application's name must be 1 to {MAX_NAME} printable characters, no space at either end",
        found=repr(raw),
        remedy="Write for example storefront",
    )


def parse_trusted_domain(raw: object) -> str | Diagnostic:
    """A host as browsers write it, without a dot at its end; it stands for every name below it, too.

    Accepted is also a ``*``, which stored objects of earlier versions may have: the linter reports it.
    """
    if isinstance(raw, str) and _HOST.fullmatch(raw) and not raw.endswith("."):
        return raw
    return Diagnostic(
        code="trusted-domain-invalid",
        message="a trusted domain must be a lower-case host, without scheme and port",
        found=raw if isinstance(raw, str) else repr(raw),
        remedy="Write for example example.com, which includes every name below it",
    )


def parse_shared_domain(raw: object) -> str | Diagnostic:
    """A host as for :func:`parse_trusted_domain`, or ``*.`` and such a host."""
    bare = raw.removeprefix("*.") if isinstance(raw, str) else raw
    if isinstance(raw, str) and ANY not in str(bare) and isinstance(parse_trusted_domain(bare), str):
        return raw
    return Diagnostic(
        code="shared-domain-invalid",
        message="a shared domain must be a lower-case host, without scheme and port",
        found=raw if isinstance(raw, str) else repr(raw),
        remedy="Write apps.example.com if people have names below it, or *.apps.example.com if they have "
        "names below region.apps.example.com",
    )


def parse_endpoint(raw: object) -> str | Diagnostic:
    """A path prefix in the form that paths have after the gateway normalised them."""
    if not isinstance(raw, str):
        return Diagnostic(
            "endpoint-invalid",
            "an endpoint must be a string",
            "Write a path such as /shop/v1",
            found=repr(raw),
        )
    for find in (_find_shape_error, _find_character_error, _find_depth_error):
        error = find(raw)
        if error is not None:
            message, remedy = error
            return Diagnostic("endpoint-invalid", f"an endpoint {message}", remedy, found=raw)
    return raw


_Error = tuple[str, str]
"""What an endpoint must be, and the remedy."""


def _find_shape_error(path: str) -> _Error | None:
    if not path.startswith("/"):
        return "must begin with a slash", f"Write /{path}" if path else "Write a path such as /shop/v1"
    for mark, part in (("?", "query"), ("#", "fragment")):
        if mark in path:
            return f"must not have a {part}", f"Write {path.partition(mark)[0]}"
    if path == "/":
        return "must have a segment: / is a prefix of every path", "Write a path such as /shop/v1"
    if "//" in path:
        return "must not have an empty segment", f"Write {re.sub('/+', '/', path)}"
    if path.endswith("/"):
        return "must not end with a slash", f"Write {path.rstrip('/')}"
    if {".", ".."} & set(path.split("/")):
        return "must not have dot segments: normalised paths have none", "Write the path that they lead to"
    return None


def _find_character_error(path: str) -> _Error | None:
    if len(path) > MAX_ENDPOINT:
        return f"must not have more than {MAX_ENDPOINT} characters", "Shorten it"
    if "%" in path:
        return (
            "must not have percent-escapes: one path could be written in several ways",
            "Use unescaped characters only",
        )
    if not _ENDPOINT.fullmatch(path):
        return "must consist of letters, digits and . _ ~ @ : + = , ! $ -", "Remove the other characters"
    return None


def _find_depth_error(path: str) -> _Error | None:
    segments = path.split("/")[1:]
    if segments[0] not in DEFAULT_ROOTS or len(segments) >= 3:
        return None
    default = f"/{segments[0]}/name/version"
    return (
        f"below /{segments[0]} must have at least three segments, as the default {default} has",
        f"Write {default}, or a path that does not begin with {' or '.join(DEFAULT_ROOTS)}",
    )
