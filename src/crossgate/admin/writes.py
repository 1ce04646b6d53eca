"""Conditional writes of one object each: idempotent, with errors placed as in the request's body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.responses import Response

from crossgate.admin.auth import Admin, Editor, Writable
from crossgate.admin.context import AdminContext, Context, Message
from crossgate.admin.etag_headers import parse_base_revision, parse_preconditions
from crossgate.admin.responses import deleted_response, json_response, shown_findings
from crossgate.catalogue.model import Api, Catalogue
from crossgate.diagnostics import Diagnostic, Step
from crossgate.lint.rule import Finding
from crossgate.service.catalogue_service import ChangeResult
from crossgate.service.changes import Change
from crossgate.service.errors import InvalidChange, LintErrors, NotFound, PreconditionFailed
from crossgate.service.etag import EtagTarget, PolicyOf, content_etag
from crossgate.service.objects import ObjectKey, ObjectKind, find_object, object_to_dict
from crossgate.service.tokens import Token


@dataclass(frozen=True, slots=True)
class ConditionalWrite:
    """The write that a request asks for: its author, its message, and the preconditions in its headers."""

    context: AdminContext
    headers: Headers
    caller: Token
    message: str

    @property
    def author(self) -> str:
        """The name under which the revision is recorded."""
        return self.caller.name

    @property
    def view(self) -> Catalogue:
        """What the caller can read of the newest revision."""
        return self.context.view(self.caller).catalogue

    def put(self, change: Change, target: EtagTarget, representation: Mapping[str, object]) -> Response:
        """Create or replace the target; ``representation`` is the JSON object to which the change sets it.

        A PUT whose precondition fails because the target has the desired state already succeeds: the client
        may repeat a request of which it lost the response (RFC 9110, §13.1.1,
        https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1).
        """
        try:
            result = self._apply(change, target, _document_path(target), creates=True)
        except PreconditionFailed as failed:
            if failed.found != content_etag(representation):
                raise
            result = None
        return self._response(representation, target, result)

    def modify(self, change: Change, target: ObjectKey) -> Response:
        """Change a part of an existing object."""
        result = self._apply(change, target, _document_path(target))
        modified = find_object(result.head.catalogue, target)
        if modified is None:  # pragma: no cover - another writer removed it since
            raise NotFound(target[0].value, target[1])
        return self._response(object_to_dict(modified), target, result)

    def delete(self, change: Change, target: EtagTarget) -> Response:
        """Delete the target."""
        return deleted_response(self._apply(change, target).head.revision)

    def base_revision(self) -> int | None:
        """The revision that the whole catalogue must have; None for any.

        Raises:
            PreconditionRequired, MalformedEtag: as for :func:`parse_base_revision`.

        """
        return parse_base_revision(self.headers)

    def _apply(
        self, change: Change, target: EtagTarget, path: tuple[Step, ...] = (), *, creates: bool = False
    ) -> ChangeResult:
        preconditions = parse_preconditions(self.headers, target, creates=creates)
        with _relative_to(path), self.context.quick_proofs():
            return self.context.service.change(
                [change],
                author=self.author,
                message=self.message,
                preconditions=preconditions,
                permission=self.caller.permission,
            )

    def _response(
        self, representation: Mapping[str, object], target: EtagTarget, result: ChangeResult | None
    ) -> Response:
        created = result is not None and _is_new(target, result)
        return json_response(
            self._with_findings(representation, target, result),
            status=HTTPStatus.CREATED if created else HTTPStatus.OK,
            etag=content_etag(representation),
            revision=self.context.head.revision if result is None else result.head.revision,
        )

    def _with_findings(
        self, representation: Mapping[str, object], target: EtagTarget, result: ChangeResult | None
    ) -> Mapping[str, object]:
        """The object with the linter's findings, if there are any."""
        key = (ObjectKind.API, target.api) if isinstance(target, PolicyOf) else target
        if result is not None and result.changed:
            findings = result.plan.findings
        else:
            # The client may have lost the response that reported them.
            with self.context.quick_proofs():
                findings = self.context.service.findings(key)
        if not findings:
            return representation
        path = _document_path(target)
        shown = shown_findings([_relative_finding(one, path) for one in findings])
        return {**representation, "findings": [one.as_json() for one in shown]}


async def _conditional_write(
    request: Request, context: Context, caller: Editor, _: Writable, message: Message = ""
) -> ConditionalWrite:
    return ConditionalWrite(context, request.headers, caller, message)


async def _admin_write(
    _: Admin, write: Annotated[ConditionalWrite, Depends(_conditional_write)]
) -> ConditionalWrite:
    return write


Write = Annotated[ConditionalWrite, Depends(_conditional_write)]
AdminWrite = Annotated[ConditionalWrite, Depends(_admin_write)]


def _document_path(target: EtagTarget) -> tuple[Step, ...]:
    """The path of the target in a document, where the diagnostics of the service place it."""
    match target:
        case PolicyOf(api):
            return ("apis", api, "cors")
        case (ObjectKind.API, key):
            return ("apis", key)
        case (ObjectKind.APPLICATION, name):
            return ("applications", name)
        case (kind, _):
            return (kind.value,)


def _is_new(target: EtagTarget, result: ChangeResult) -> bool:
    if isinstance(target, PolicyOf):
        changes = result.plan.difference
        return any(isinstance(one.before, Api) and one.before.cors is None for one in changes)
    return bool(result.plan.added)


@contextmanager
def _relative_to(path: tuple[Step, ...]) -> Iterator[None]:
    """Make the places of errors relative to the object at the path, as in the request's body."""
    try:
        yield
    except InvalidChange as error:
        raise InvalidChange(_relative(one, path) for one in error.diagnostics) from None
    except LintErrors as error:
        raise LintErrors(_relative_finding(one, path) for one in error.findings) from None


def _relative_finding(finding: Finding, path: tuple[Step, ...]) -> Finding:
    return replace(finding, diagnostic=_relative(finding.diagnostic, path))


def _relative(diagnostic: Diagnostic, path: tuple[Step, ...]) -> Diagnostic:
    place = diagnostic.place
    if not path or place.path[: len(path)] != path:
        return diagnostic
    return replace(diagnostic, place=replace(place, path=place.path[len(path) :]))
