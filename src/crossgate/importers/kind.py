"""A kind of document that can be imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crossgate.importers.found import Contents
from crossgate.importers.source import Source


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document. Its reader raises InvalidInput with every error if it can use nothing."""

    name: str
    """On the command line: ``openapi``."""
    title: str
    """For people: ``OpenAPI description``."""
    sentence: str
    """What is imported from one; a sentence."""
    recognises: Callable[[Source], bool]
    """Whether a document is of this kind; never raises."""
    read: Callable[[Source], Contents]
