"""Styles, scripts and images of the console. Their URLs carry a hash of all of them: they never change.

Scripts import each other by relative paths, so one hash for the whole folder is part of the path.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER: Final = Path(__file__).with_name("static")


def _version() -> str:
    digest = sha256()
    for file in sorted(FOLDER.rglob("*")):
        if file.is_file():
            digest.update(file.relative_to(FOLDER).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


VERSION: Final = _version()
PREFIX: Final = f"/assets/{VERSION}"


def asset_url(name: str) -> str:
    """The URL of a file below ``static/``."""
    return f"{PREFIX}/{name}"


class Assets(StaticFiles):
    """Serves the files; browsers keep them for a year."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with its headers."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
