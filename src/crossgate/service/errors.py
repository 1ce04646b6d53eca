"""Errors of the use cases. Each carries diagnostics, and means that nothing was changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from crossgate.diagnostics import Diagnostic, Place

if TYPE_CHECKING:
    from crossgate.lint.rule import Finding


class ServiceError(Exception):
    """A use case failed and nothing was changed; ``diagnostics`` holds every reason."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: Sequence[Diagnostic] = tuple(diagnostics)
        super().__init__("\n".join(str(diagnostic) for diagnostic in self.diagnostics))


class InvalidChange(ServiceError):
    """The catalogue would be inconsistent, or an object is invalid."""


class LintErrors(ServiceError):
    """The change adds lint errors that no suppression accepts."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: Sequence[Finding] = tuple(findings)
        super().__init__(finding.diagnostic for finding in self.findings)


class NotFound(ServiceError):
    """The named object does not exist."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(
            [Diagnostic("not-found", f"{what} not found", f"Name an existing {what}", found=name)]
        )


class Forbidden(ServiceError):
    """The caller's token does not permit the operation."""


class PreconditionFailed(ServiceError):
    """The object has changed since the caller read it.

    ``wanted`` are the etags that the caller accepts, None if the object must not exist; ``found`` is its
    current etag, None if it does not exist.
    """

    def __init__(self, what: str, wanted: tuple[str, ...] | None, found: str | None) -> None:
        self.wanted = wanted
        self.found = found
        expected = "that it does not exist" if wanted is None else "the etag " + " or ".join(wanted)
        super().__init__(
            [
                Diagnostic(
                    code="precondition-failed",
                    message=f"{what} has changed: expected {expected}",
                    found="nothing" if found is None else found,
                    remedy="Read it again, then retry with its current etag",
                )
            ]
        )


class BaseMoved(ServiceError):
    """The catalogue is at revision ``head``, no longer at ``base``."""

    def __init__(self, base: int, head: int) -> None:
        self.base = base
        self.head = head
        super().__init__(
            [
                Diagnostic(
                    code="base-moved",
                    message=f"the catalogue has changed since revision {base}",
                    found=f"revision {head}",
                    remedy="Plan again, then apply the new plan",
                )
            ]
        )


class ConfirmationNeeded(ServiceError):
    """The change lets in what may harm, and has not been confirmed."""

    def __init__(self, value: str, reason: str, typed: str) -> None:
        super().__init__(
            [
                Diagnostic(
                    code="confirmation-needed",
                    message=f"this must be confirmed: {reason[:1].lower()}{reason[1:]}",
                    remedy=f"Send {value} in confirm, if it is to be allowed",
                    found=typed or None,
                    place=Place(("confirm",)),
                )
            ]
        )


class Unconfirmed(ServiceError):
    """The change does what is rarely meant, and has not been confirmed; ``reasons`` say what."""

    def __init__(self, reasons: Sequence[Diagnostic]) -> None:
        self.reasons = reasons
        super().__init__(
            [
                Diagnostic(
                    code="unconfirmed",
                    message=f"this change needs confirmation: {'; '.join(one.message for one in reasons)}",
                    remedy="Look at the plan; if it is what you mean, send confirm=true",
                )
            ]
        )


class SuggestionMoved(ServiceError):
    """The suggested change of that number is another one than the caller saw."""

    def __init__(self, number: int, sentence: str) -> None:
        super().__init__(
            [
                Diagnostic(
                    code="suggestion-moved",
                    message=f"the suggested change {number} is another one now",
                    remedy="Read the group again, then choose",
                    found=sentence,
                    place=Place(("sentence",)),
                )
            ]
        )


class ReadOnly(ServiceError):
    """The catalogue comes from a file, and can only be changed there."""

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__(
            [
                Diagnostic(
                    code="read-only",
                    message=f"the catalogue is read-only: this gateway runs the file {source}",
                    remedy="Edit the file; or run the gateway without a file, and apply the file to it",
                )
            ]
        )


RESTORE: Final = "Restore a backup, see docs/how-to/back-up-and-restore.md"
"""The remedy if the content of the store cannot be used."""


class StoreUnavailable(ServiceError):
    """The database cannot be used at present; reads from memory continue."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__([Diagnostic("store-unavailable", f"the store is unavailable: {reason}", remedy)])


class LinkNeedsToken(Forbidden):
    """A session asks for a sign-in link."""

    def __init__(self) -> None:
        super().__init__(
            [
                Diagnostic(
                    code="link-needs-token",
                    message="only a token can create a sign-in link: a session would prolong itself",
                    remedy="Call the API with a token, or use crossgate console --data or --database",
                )
            ]
        )


class SignInRefused(ServiceError):
    """A token or a link opens no session; ``status`` says so in HTTP."""

    def __init__(self, diagnostics: Iterable[Diagnostic], status: int) -> None:
        super().__init__(diagnostics)
        self.status = status


class TokenNameTaken(ServiceError):
    """A valid token has the name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            [
                Diagnostic(
                    code="token-name-taken",
                    message="a valid token already has this name",
                    remedy="Choose another name, or revoke that token first",
                    found=name,
                )
            ]
        )
