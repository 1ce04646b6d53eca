"""A document that is imported: its bytes, and the other documents that it refers to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from crossgate.catalogue.yaml.files import decode_text
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.importers.tree import Tree, parse_trees


def refuse_references(reference: str, base: str) -> Source:
    """The opener for a document that comes alone: it refuses every reference."""
    raise InvalidInput(
        [
            Diagnostic(
                "reference-refused",
                "references to other documents cannot be followed here",
                "Import the file with the command crossgate import, or put everything into one document",
                Place(file=base),
                found=reference,
            )
        ]
    )


Open = Callable[[str, str], "Source"]
"""Opens the document at a reference (a relative or absolute URL, without fragment), given the name of the
document that refers to it. Raises InvalidInput if it is refused or cannot be read."""


@dataclass(frozen=True)
class Source:
    """A document: its bytes, which are bounded, and how diagnostics name it."""

    name: str
    """A path as the user wrote it, a URL, or ``<stdin>``."""
    data: bytes = field(repr=False)
    opener: Open = field(default=refuse_references, repr=False)

    def open(self, reference: str) -> Source:
        """The document to which this one refers; raises InvalidInput if it is refused or cannot be read."""
        return self.opener(reference, self.name)

    @cached_property
    def text(self) -> str:
        """The document as UTF-8; raises InvalidInput if it is not."""
        decoded = decode_text(self.data, self.name)
        if isinstance(decoded, Diagnostic):
            raise InvalidInput([decoded])
        return decoded

    @cached_property
    def trees(self) -> tuple[Tree, ...]:
        """The documents in this JSON or YAML file; raises InvalidInput if it is invalid."""
        return parse_trees(self.text, self.name)

    @cached_property
    def parsed(self) -> tuple[Tree, ...]:
        """The documents in this file if it is JSON or YAML, else none: to recognise a kind."""
        if self.data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"PK")):
            return ()
        try:
            return self.trees
        except InvalidInput:
            return ()
