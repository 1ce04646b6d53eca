"""The YAML document that declares everything: in, with every error and its place; and out again."""

from crossgate.catalogue.document.file import load_document
from crossgate.catalogue.document.objects import (
    read_api,
    read_application,
    read_gateway,
    read_server_settings,
)
from crossgate.catalogue.document.reader import Reading, read_document
from crossgate.catalogue.yaml.files import FileStamp
from crossgate.catalogue.yaml.writer import write_document, write_fragment

__all__ = [
    "FileStamp",
    "Reading",
    "load_document",
    "read_api",
    "read_application",
    "read_document",
    "read_gateway",
    "read_server_settings",
    "write_document",
    "write_fragment",
]
