"""Why a use case was not carried out. Each says so in diagnostics, and nothing was changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from crossgate.diagnostics import Diagnostic

if TYPE_CHECKING:
    from crossgate.lint.rule import Finding


class ServiceError(Exception):
    """Nothing was changed; ``diagnostics`` say why, all of it."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: Sequence[Diagnostic] = tuple(diagnostics)
        super().__init__("\n".join(str(diagnostic) for diagnostic in self.diagnostics))


class InvalidChange(ServiceError):
    """The catalogue would no longer be consistent, or an object is wrong in itself."""


class LintErrors(ServiceError):
    """The linter finds errors that are not there without the change, and that nobody has accepted."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: Sequence[Finding] = tuple(findings)
        super().__init__(finding.diagnostic for finding in self.findings)


class NotFound(ServiceError):
    """What was named is not there."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(
            [Diagnostic("not-found", f"there is no such {what}", f"Name an existing {what}", found=name)]
        )


class PreconditionFailed(ServiceError):
    """The object is not what the caller last saw.

    ``wanted`` are the tags that the caller would have accepted, None if there should have been no such
    object; ``found`` is the tag that the object has, None if there is no such object.
    """

    def __init__(self, what: str, wanted: tuple[str, ...] | None, found: str | None) -> None:
        self.wanted = wanted
        self.found = found
        expected = "that there is none" if wanted is None else "the tag " + " or ".join(wanted)
        super().__init__(
            [
                Diagnostic(
                    code="precondition-failed",
                    message=f"{what} was changed meanwhile: {expected} was expected",
                    found="nothing" if found is None else found,
                    remedy="Read it again, and repeat the change with the tag that it has now",
                )
            ]
        )


class BaseMoved(ServiceError):
    """The catalogue is no longer at the revision ``base``; it is at ``head``."""

    def __init__(self, base: int, head: int) -> None:
        self.base = base
        self.head = head
        super().__init__(
            [
                Diagnostic(
                    code="base-moved",
                    message=f"the catalogue was changed since revision {base}",
                    found=f"revision {head}",
                    remedy="Look at the plan again, and apply what it is now",
                )
            ]
        )


class ReadOnly(ServiceError):
    """The catalogue's only source is a file, so it is changed there."""

    def __init__(self, source: str) -> None:
        super().__init__(
            [
                Diagnostic(
                    code="read-only",
                    message=f"this gateway runs the file {source}, which is its only source",
                    remedy="Change the file; or run the gateway without a file, and apply the file once",
                )
            ]
        )


class StoreUnavailable(ServiceError):
    """The store cannot be written at present; what is in memory goes on being served."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__([Diagnostic("store-unavailable", f"the store is unavailable: {reason}", remedy)])
