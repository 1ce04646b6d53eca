"""The smallest changes that would allow a group of refusals, with what each would let in besides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import Diagnostic
from crossgate.service.changes import Change
from crossgate.service.objects import Difference
from crossgate.service.refusals import RefusalGroup

if TYPE_CHECKING:
    from crossgate.lint.rule import Finding


class ChangeForm(StrEnum):
    """What a suggested change adds."""

    POLICY_ORIGIN = "policy-origin"
    """The exact origin, to the policy of the API or to the server-level settings."""
    APPLICATION_ORIGIN = "application-origin"
    """The exact origin, to an application of the API."""
    DOMAIN_PATTERN = "domain-pattern"
    """A wildcard that is proven to admit one registrable domain only."""
    METHOD = "method"
    HEADERS = "headers"
    PUBLIC_ORIGIN = "public-origin"
    """The exact origin, to the gateway's own."""


@dataclass(frozen=True, slots=True)
class SuggestedChange:
    """One change that would allow a group."""

    form: ChangeForm
    sentence: str
    """What it adds and to what: ``Add https://app.example.com to allowed_origins of petstore/1.0``."""
    changes: tuple[Change, ...]
    """For `CatalogueService.change`."""
    difference: Difference
    patch: str
    """The same as a unified diff of the objects in a document."""
    verdict: str
    """What the linter's proof says of the added entry, in few words: ``Only this origin``."""
    caution: str = ""
    """What to consider before; empty if nothing."""
    findings: tuple[Finding, ...] = ()
    """The linter's findings for the change."""
    refusing: tuple[Finding | Diagnostic, ...] = ()
    """Why the change would be refused; empty if it would not be."""
    turns: tuple[RefusalGroup, ...] = ()
    """The recorded groups that it would allow, this one first."""

    @property
    def turned(self) -> float:
        """How many recorded refusals it would have turned."""
        return sum(group.count for group in self.turns)


def suggest_changes(
    catalogue: Catalogue, group: RefusalGroup, groups: Sequence[RefusalGroup]
) -> tuple[SuggestedChange, ...]:
    """The changes that would allow the group, the smallest first; ``groups`` are all that are recorded."""
    del catalogue, group, groups
    return ()
