"""What the compiler makes and xDS carries: named, versioned bytes of one Envoy resource."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Resource:
    """One xDS resource, serialised: ``body`` is the message that ``type_url`` names.

    ``version`` is derived from the content, so equal bytes have equal versions, on every control plane.
    """

    type_url: str
    name: str
    body: bytes
    version: str

    @classmethod
    def of(cls, type_url: str, name: str, body: bytes) -> Resource:
        """The resource with the version that its content gives it."""
        return cls(type_url, name, body, sha256(body).hexdigest()[:16])
