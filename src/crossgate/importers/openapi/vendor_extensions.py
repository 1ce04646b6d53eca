"""CORS settings that other gateways keep in an OpenAPI description, as extensions of theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from crossgate.diagnostics import Diagnostic
from crossgate.importers.found import Found, FoundPolicy
from crossgate.importers.tree import Tree


@dataclass(frozen=True, slots=True)
class VendorCors:
    """What the extensions of a description say about CORS."""

    policy: FoundPolicy | None = None
    """In place of the suggested policy; None if no extension configures CORS."""
    native_cors: tuple[Found[str], ...] = ()
    """What says that the native service does CORS itself."""
    diagnostics: tuple[Diagnostic, ...] = ()


_READERS: Final[tuple[Callable[[Tree], VendorCors | None], ...]] = ()
"""Each reads one vendor's extensions; None if the description has none."""


def read_vendor_extensions(tree: Tree) -> VendorCors:
    """What the extensions in the OpenAPI description say; ``tree`` is the whole document, its root included.

    Never raises: what has an unexpected type is a warning.
    """
    for read in _READERS:
        found = read(tree)
        if found is not None:
            return found
    return VendorCors()
