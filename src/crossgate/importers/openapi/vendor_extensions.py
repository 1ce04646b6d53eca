"""CORS settings that other gateways keep in an OpenAPI description, as extensions of theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from crossgate.diagnostics import Diagnostic, Severity
from crossgate.importers.combine import strictest
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found, FoundPolicy
from crossgate.importers.openapi.amazon import HTTP_API, error_responses, read_http_api, read_rest_api
from crossgate.importers.openapi.other_gateways import (
    google_native_cors,
    read_kong,
    read_tyk,
    read_wso2,
    unread_extensions,
)
from crossgate.importers.tree import Tree


@dataclass(frozen=True, slots=True)
class VendorCors:
    """What the extensions of a description say about CORS."""

    policy: FoundPolicy | None = None
    """In place of the suggested policy; None if no extension configures CORS."""
    native_cors: tuple[Found[str], ...] = ()
    """What says that the native service does CORS itself."""
    diagnostics: tuple[Diagnostic, ...] = ()


_READERS: Final[tuple[Callable[[Cursor, list[Diagnostic]], FoundPolicy | None], ...]] = (
    read_http_api,
    read_rest_api,
    read_wso2,
    read_kong,
    read_tyk,
)
"""Each reads one vendor's extensions; None if the description has none."""


def read_vendor_extensions(tree: Tree) -> VendorCors:
    """What the extensions in the OpenAPI description say; ``tree`` is the whole document, its root included.

    If several vendors have a policy there, the API gets what all of them allow. Never raises: what has an
    unexpected type is a warning.
    """
    root = Cursor.root(tree)
    problems: list[Diagnostic] = []
    policies = [found for read in _READERS if (found := read(root, problems)) is not None]
    problems += error_responses(root)
    if len(policies) > 1:
        problems.append(
            Diagnostic(
                "policies-combined",
                "the extensions of several gateways have policies; the API gets what all of them allow",
                "Remove the extensions of gateways that are not in use",
                root.place,
                severity=Severity.WARNING,
            )
        )
    if policies:
        at = root[HTTP_API].place if root[HTTP_API].exists else root.place
        problems.append(
            Diagnostic(
                "behaviour-differs",
                "the gateway only decorates responses; Crossgate refuses requests that are not allowed",
                "Import with --observe first if clients may depend on that",
                at,
                severity=Severity.INFO,
            )
        )
    else:
        problems += unread_extensions(root)
    return VendorCors(strictest(policies), tuple(google_native_cors(root)), tuple(dict.fromkeys(problems)))
