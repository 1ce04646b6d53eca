"""One write of one object: a revision, repeated without harm, its faults at their places in the body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from starlette.requests import Request

from crossgate.admin.context import AdminContext
from crossgate.admin.etag_headers import preconditions
from crossgate.diagnostics import Diagnostic, Step
from crossgate.lint.rule import Finding
from crossgate.service.catalogue_service import ChangeResult
from crossgate.service.changes import Change
from crossgate.service.errors import InvalidChange, LintErrors, PreconditionFailed
from crossgate.service.etag import EtagTarget, content_etag
from crossgate.service.objects import ObjectKey
from crossgate.service.tokens import Token


@dataclass(frozen=True, slots=True)
class ConditionalWrite:
    """Who writes, why, and what the request demands of the state that it changes."""

    context: AdminContext
    request: Request
    caller: Token
    message: str

    def put(
        self, change: Change, of: EtagTarget, desired: Mapping[str, object], path: tuple[Step, ...]
    ) -> ChangeResult | None:
        """Make it so; None if it was so already.

        A repeated PUT whose first answer got lost finds what it wants, and is right (RFC 9110, §13.1.1).
        ``path`` leads to the object in a document.
        """
        try:
            return self.make(change, of, path, creates=True)
        except PreconditionFailed as failed:
            if failed.found == content_etag(desired):
                return None
            raise

    def revision(self, done: ChangeResult | None) -> int:
        """The revision that the answer speaks of."""
        return self.context.head.revision if done is None else done.head.revision

    def body(
        self, written: Mapping[str, object], done: ChangeResult | None, key: ObjectKey, path: tuple[Step, ...]
    ) -> Mapping[str, object]:
        """The object as the answer shows it: with what the linter says, if that is anything.

        ``path`` leads to what was written in a document; ``key`` names the object that it belongs to.
        """
        if done is not None and done.changed:
            findings = done.plan.findings
        else:
            # Whoever repeats a PUT has perhaps lost the first answer.
            findings = self.context.service.findings(key)
        said = [_finding_from(path, one).as_json() for one in findings]
        return {**written, "findings": said} if said else written

    def make(
        self, change: Change, of: EtagTarget, path: tuple[Step, ...] = (), *, creates: bool = False
    ) -> ChangeResult:
        """Make the change, if the thing is what the request says."""
        demanded = preconditions(self.request.headers, of, creates=creates)
        with _within(path):
            return self.context.service.change(
                [change], author=self.caller.name, message=self.message, preconditions=demanded
            )


@contextmanager
def _within(path: tuple[Step, ...]) -> Iterator[None]:
    """Places inside the object become relative to it, as the request's body has them."""
    try:
        yield
    except InvalidChange as invalid:
        raise InvalidChange(_seen_from(path, found) for found in invalid.diagnostics) from None
    except LintErrors as unsafe:
        raise LintErrors(_finding_from(path, found) for found in unsafe.findings) from None


def _finding_from(path: tuple[Step, ...], found: Finding) -> Finding:
    return replace(found, diagnostic=_seen_from(path, found.diagnostic))


def _seen_from(path: tuple[Step, ...], found: Diagnostic) -> Diagnostic:
    if not path or found.place.path[: len(path)] != path:
        return found
    return replace(found, place=replace(found.place, path=found.place.path[len(path) :]))
