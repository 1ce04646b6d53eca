"""The name, the version and the service root of an API, from the metadata of its service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from crossgate.diagnostics import Place
from crossgate.importers.found import Found
from crossgate.importers.odata.edm import EdmContainer, EdmModel

_VERSION: Final = re.compile(r"[vV]([0-9]+(?:[._][0-9]+)*)")
_GENERIC: Final = frozenset(
    {
        "",
        "model",
        "models",
        "default",
        "container",
        "defaultcontainer",
        "entitycontainer",
        "entities",
        "service",
    }
)
"""Names, in lower case, that frameworks give: they tell nothing about the service."""
_METADATA: Final = "$metadata"


def find_name(model: EdmModel) -> tuple[Found[str], Found[str]]:
    """The name and the version.

    The name is the last part of the container's namespace that is not generic, else the container's name,
    else such a part of another namespace of the document. A last part such as ``v2`` is the version.
    """
    container = model.container
    place = container.where()
    parts = container.namespace.split(".")
    version = Found("1", place, "the namespace has no version")
    matched = _VERSION.fullmatch(parts[-1])
    if matched:
        version = Found(matched[1].replace("_", "."), place, f"namespace {container.namespace}")
    for name, reason in _candidates(model, container):
        if not _is_generic(name):
            return Found(name, place, reason), version
    return Found(container.name or "odata", place, "entity container"), version


def _candidates(model: EdmModel, container: EdmContainer) -> Iterator[tuple[str, str]]:
    for part in reversed(container.namespace.split(".")):
        yield part, f"namespace {container.namespace}"
    yield container.name, "entity container"
    for namespace in model.namespaces:
        for part in reversed(namespace.split(".")):
            yield part, f"namespace {namespace}"


def _is_generic(part: str) -> bool:
    return part.lower() in _GENERIC or _VERSION.fullmatch(part) is not None


def find_roots(model: EdmModel, source_name: str) -> Iterator[Found[str]]:
    """Service roots: of the URL from which the document came, then those that it mentions itself."""
    root = _root_of_metadata(source_name)
    if root is not None:
        yield Found(root, Place(file=source_name), "URL of the metadata without $metadata")
    for url, where, reason in model.roots:
        root = _root_of_metadata(url)
        if root is None and _is_absolute(url):
            root = url
        if root is not None:
            yield Found(root, where(), reason)


def _root_of_metadata(url: str) -> str | None:
    """The URL without the last segment, if that is ``$metadata``, and without the query."""
    if not _is_absolute(url):
        return None
    split = urlsplit(url)
    path, _, last = split.path.rpartition("/")
    if unquote(last).lower() != _METADATA:
        return None
    return urlunsplit((split.scheme, split.netloc, path or "/", "", ""))


def _is_absolute(url: str) -> bool:
    try:
        split = urlsplit(url)
    except ValueError:
        return False
    return split.scheme in ("http", "https") and bool(split.netloc)
