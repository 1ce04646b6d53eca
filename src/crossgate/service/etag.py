"""Entity tags: equal while the thing is the same, on every control plane; and what writes demand of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256

from crossgate.catalogue.model import Catalogue
from crossgate.service.errors import PreconditionFailed
from crossgate.service.objects import Kind, ObjectKey, find_object, serialise_object


@dataclass(frozen=True, slots=True)
class PolicyOf:
    """The policy of the API with that key, as something that has a tag of its own."""

    api: str


EtagTarget = ObjectKey | PolicyOf
"""What has a tag. An API's tag covers its policy, the policy's tag nothing but the policy."""


@dataclass(frozen=True, slots=True)
class Present:
    """The thing must be there (``If-Match: *``)."""

    of: EtagTarget


@dataclass(frozen=True, slots=True)
class Absent:
    """The thing must not be there (``If-None-Match: *``)."""

    of: EtagTarget


@dataclass(frozen=True, slots=True)
class Matches:
    """The thing must have one of these tags (``If-Match``)."""

    of: EtagTarget
    tags: tuple[str, ...]


Precondition = Present | Absent | Matches


def etag_of(catalogue: Catalogue, of: EtagTarget) -> str | None:
    """The tag, without quotes; None if there is no such thing."""
    if isinstance(of, PolicyOf):
        api = catalogue.apis.get(of.api)
        return None if api is None or api.cors is None else content_etag(api.cors.to_dict())
    found = find_object(catalogue, of)
    return None if found is None else content_etag(serialise_object(found))


def content_etag(loose: object) -> str:
    """The tag of JSON-ready values: 16 hexadecimal digits of a SHA-256."""
    return sha256(canonical_json(loose)).hexdigest()[:16]


def canonical_json(loose: object) -> bytes:
    """The one spelling in which equal values have equal bytes."""
    return json.dumps(loose, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def require(catalogue: Catalogue, precondition: Precondition) -> None:
    """See that the precondition holds.

    Raises:
        PreconditionFailed: it does not; with the tags that were wanted and the one there is.

    """
    found = etag_of(catalogue, precondition.of)
    match precondition:
        case Present(of) if found is None:
            raise PreconditionFailed(_name(of), ("*",), None)
        case Absent(of) if found is not None:
            raise PreconditionFailed(_name(of), None, found)
        case Matches(of, tags) if found not in tags:
            raise PreconditionFailed(_name(of), tags, found)
        case _:
            pass


def _name(of: EtagTarget) -> str:
    match of:
        case PolicyOf(api):
            return f"the policy of {api}"
        case (Kind.GATEWAY | Kind.SETTINGS as kind, _):
            return f"the {kind.value}"
        case (kind, name):
            return f"the {kind.value} {name}"
