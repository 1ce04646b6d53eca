"""Entity tags of catalogue objects, and the preconditions of writes (RFC 9110, 8.8.3 and 13.1).

https://www.rfc-editor.org/rfc/rfc9110#field.etag
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import assert_never

from crossgate.catalogue.model import Catalogue
from crossgate.service.errors import PreconditionFailed
from crossgate.service.objects import ObjectKey, ObjectKind, find_object, object_to_dict


@dataclass(frozen=True, slots=True)
class PolicyOf:
    """The policy of the API with that key, which has an etag of its own."""

    api: str


EtagTarget = ObjectKey | PolicyOf
"""What has an etag. The etag of an API covers its policy; the etag of a policy covers only the policy."""


@dataclass(frozen=True, slots=True)
class Present:
    """The target must exist (``If-Match: *``)."""

    target: EtagTarget


@dataclass(frozen=True, slots=True)
class Absent:
    """The target must not exist (``If-None-Match: *``)."""

    target: EtagTarget


@dataclass(frozen=True, slots=True)
class Matches:
    """The target must have one of these etags (``If-Match``)."""

    target: EtagTarget
    etags: tuple[str, ...]


Precondition = Present | Absent | Matches


def etag_of(catalogue: Catalogue, target: EtagTarget) -> str | None:
    """The etag without quotes; None if the target does not exist."""
    if isinstance(target, PolicyOf):
        api = catalogue.apis.get(target.api)
        return None if api is None or api.cors is None else content_etag(api.cors.to_dict())
    found = find_object(catalogue, target)
    return None if found is None else content_etag(object_to_dict(found))


def content_etag(content: object) -> str:
    """The etag of JSON-ready content: 16 hexadecimal digits of its SHA-256, equal on every control plane."""
    return sha256(canonical_json(content)).hexdigest()[:16]


def canonical_json(content: object) -> bytes:
    """The JSON encoding in which equal values have equal bytes."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # What requests sent can have lone surrogates.
    return text.encode("utf-8", "surrogatepass")


def require(catalogue: Catalogue, precondition: Precondition) -> None:
    """Raise unless the precondition holds.

    Raises:
        PreconditionFailed: with the etags that the precondition accepts, and the current one.

    """
    target = precondition.target
    found = etag_of(catalogue, target)
    match precondition:
        case Present():
            if found is None:
                raise PreconditionFailed(_name(target), ("*",), None)
        case Absent():
            if found is not None:
                raise PreconditionFailed(_name(target), None, found)
        case Matches(_, etags):
            if found not in etags:
                raise PreconditionFailed(_name(target), etags, found)
        case _ as never:
            assert_never(never)


def _name(target: EtagTarget) -> str:
    match target:
        case PolicyOf(api):
            return f"the policy of {api}"
        case (ObjectKind.GATEWAY | ObjectKind.SETTINGS as kind, _):
            return f"the {kind.value}"
        case (kind, name):
            return f"the {kind.value} {name}"
