"""The syntax of names, endpoints and trusted domains: parsers that give the value or a diagnostic."""

from __future__ import annotations

import re
from typing import Final

from crossgate.diagnostics import Diagnostic
from crossgate.policy.origin import HOST_PATTERN

MAX_NAME: Final = 200

NAME_PATTERN: Final = r"[A-Za-z0-9._~-]+"
"""RFC 3986's unreserved characters: they stand in a path as they are, and mean nothing there."""

_NAME: Final = re.compile(NAME_PATTERN)


def parse_name(loose: object) -> str | Diagnostic:
    """The name of an API or its version: one segment of a path, as it stands."""
    if isinstance(loose, str) and _NAME.fullmatch(loose) and loose not in (".", "..") and _fits(loose):
        return loose
    return Diagnostic(
        code="name-invalid",
        message=(
            f"a name or version is 1 to {MAX_NAME} letters, digits and . _ ~ -, for it becomes part of a path"
        ),
        found=repr(loose),
        remedy="Write for example petstore, or 1.0",
    )


def parse_application_name(loose: object) -> str | Diagnostic:
    """The name of an application: printable text, blanks inside only."""
    if isinstance(loose, str) and loose and loose.isprintable() and loose == loose.strip() and _fits(loose):
        return loose
    return Diagnostic(
        code="name-invalid",
        message=f"an application's name is 1 to {MAX_NAME} printable characters without blanks around them",
        found=repr(loose),
        remedy="Write for example storefront",
    )


def _fits(name: str) -> bool:
    return len(name) <= MAX_NAME


_HOST: Final = re.compile(HOST_PATTERN)


def parse_trusted_domain(loose: object) -> str | Diagnostic:
    """A host as browsers write it, without a dot at its end; names below it are meant too."""
    if isinstance(loose, str) and _HOST.fullmatch(loose) and not loose.endswith("."):
        return loose
    return Diagnostic(
        code="trusted-domain-invalid",
        message="a trusted domain is a host in lower case, without scheme, port and wildcard",
        found=loose if isinstance(loose, str) else repr(loose),
        remedy="Write for example example.com; every name below it is trusted too",
    )


SEGMENT_PATTERN: Final = r"[A-Za-z0-9._~@:+=,!$-]+"
ENDPOINT_PATTERN: Final = rf"(?:/{SEGMENT_PATTERN})+"
"""Without the rules on dot segments and on default forms, which :func:`parse_endpoint` adds."""

MAX_ENDPOINT: Final = 1000

DEFAULT_ROOTS: Final = ("gateway", "ws")
"""The first segments of the default endpoints. The gateway finds what lies below them by three segments, the
depth of a default endpoint, and anything else by its first; so no endpoint below them can be shorter."""

_ENDPOINT: Final = re.compile(ENDPOINT_PATTERN)


def parse_endpoint(loose: object) -> str | Diagnostic:
    """A path prefix as the gateway sees paths after it has normalised them."""
    if not isinstance(loose, str):
        return _refuse("an endpoint is a text", repr(loose), "Write a path such as /shop/v1")
    for find in (_find_shape_fault, _find_character_fault, _find_depth_fault):
        fault = find(loose)
        if fault is not None:
            return _refuse(fault[0], loose, fault[1])
    return loose


_Fault = tuple[str, str]


def _find_shape_fault(path: str) -> _Fault | None:
    if not path.startswith("/"):
        return (
            "an endpoint begins with a slash",
            f"Write /{path}" if path else "Write a path such as /shop/v1",
        )
    for mark, part in (("?", "query"), ("#", "fragment")):
        if mark in path:
            return f"an endpoint has no {part}", f"Write {path.partition(mark)[0]}"
    if path == "/":
        return (
            "an endpoint has at least one segment: / would be a prefix of every other",
            "Write a path such as /shop/v1",
        )
    if "//" in path:
        return "an endpoint has no empty segment", f"Write {re.sub('/+', '/', path)}"
    if path.endswith("/"):
        return "an endpoint does not end with a slash", f"Write {path.rstrip('/')}"
    if {".", ".."} & set(path.split("/")):
        return "an endpoint has no dot segments: no normalised path has them", "Write the path they lead to"
    return None


def _find_character_fault(path: str) -> _Fault | None:
    if len(path) > MAX_ENDPOINT:
        return f"an endpoint has at most {MAX_ENDPOINT} characters", "Shorten it"
    if "%" in path:
        return (
            "an endpoint has no escapes: one path could then be spelled in several ways",
            "Write the path with plain characters only",
        )
    if not _ENDPOINT.fullmatch(path):
        return "an endpoint consists of letters, digits and . _ ~ @ : + = , ! $ -", "Write a plainer path"
    return None


def _find_depth_fault(path: str) -> _Fault | None:
    segments = path.split("/")[1:]
    if segments[0] not in DEFAULT_ROOTS or len(segments) >= 3:
        return None
    root = segments[0]
    others = " or ".join(DEFAULT_ROOTS)
    return (
        f"an endpoint below /{root} has at least three segments, as the default /{root}/name/version has",
        f"Write /{root}/name/version, or a path that begins with something else than {others}",
    )


def _refuse(message: str, found: str, remedy: str) -> Diagnostic:
    return Diagnostic("endpoint-invalid", message, remedy, found=found)
