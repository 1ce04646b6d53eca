"""Bearer tokens: who may do what through the admin API. Secrets are shown once and kept only as hashes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final


class Role(StrEnum):
    """What the bearer may do; each role may do all that those before it may."""

    VIEWER = "viewer"
    """Read everything but tokens."""
    EDITOR = "editor"
    """Change the catalogue."""
    ADMIN = "admin"
    """Create and revoke tokens."""

    def includes(self, other: Role) -> bool:
        """Whether it may do all that ``other`` may."""
        roles = list(Role)
        return roles.index(self) >= roles.index(other)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept; times are UTC."""

    name: str
    role: Role
    created: datetime
    expires: datetime | None = None
    last_used: datetime | None = None
    revoked: datetime | None = None

    def works(self, at: datetime) -> bool:
        """Whether it opens anything at that time."""
        return self.revoked is None and (self.expires is None or at < self.expires)


_PREFIX: Final = "cgt_"
"""Lets people and secret scanners see what it is."""


def new_secret() -> str:
    """256 random bits, as text."""
    return _PREFIX + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is kept of a secret.

    A plain hash is enough: nobody guesses 256 random bits, so there is nothing to slow down.
    """
    return sha256(secret.encode()).hexdigest()
