"""The YAML document that declares everything: in, with every error and its place; and out again."""

from crossgate.catalogue.document.file import load_document
from crossgate.catalogue.document.reader import Reading, read_document
from crossgate.catalogue.document.writer import write_document

__all__ = ["Reading", "load_document", "read_document", "write_document"]
