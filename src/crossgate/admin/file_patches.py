"""The patch of the file that the gateway runs, in place of a write that would be refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from crossgate.admin.context import AdminContext
from crossgate.admin.refusal_bodies import ChangedObjectBody
from crossgate.catalogue.yaml.files import read_text
from crossgate.service.file_patch import first_line, make_patch
from crossgate.service.file_store import FileStore
from crossgate.service.tokens import Token


class FilePatchBody(BaseModel):
    """The change of the file that the gateway runs."""

    file: str
    line: int | None
    """The first line that changes; null without a patch."""
    patch: str | None
    """For `patch`; null if the file has to be edited by hand, and for a caller with a limit."""


def file_patch(
    context: AdminContext, caller: Token, objects: Sequence[ChangedObjectBody]
) -> FilePatchBody | None:
    """The patch for these changes; None if the gateway runs no file."""
    store = context.service.store
    if not isinstance(store, FileStore):
        return None
    if caller.permission.limited:
        # Around an edit, and in one line with it, stand objects that the caller must not see.
        return FilePatchBody(file=store.source, line=None, patch=None)
    text = read_text(Path(store.source))
    raw = [one.model_dump(mode="json") for one in objects]
    patch = make_patch(store.source, text, raw) if isinstance(text, str) else None
    return FilePatchBody(file=store.source, line=None if patch is None else first_line(patch), patch=patch)
