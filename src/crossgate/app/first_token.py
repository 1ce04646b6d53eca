"""The first token of the admin API, in a file that only this user may read: a log has more readers."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.service.tokens import Tokens

FILE_NAME: Final = "first-token"


def write_first_token(tokens: Tokens, directory: Path) -> Path | None:
    """Create an admin token and write it to a file in the directory; None if any token exists already.

    Raises:
        InvalidInput: the file cannot be created, and no token was; or the disk is too full for its content.

    """
    if tokens.all():
        return None
    file = directory / FILE_NAME
    try:
        # One that is left over has the token of another store.
        with suppress(FileNotFoundError):
            file.unlink()
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(file, flags, 0o600), "w") as opened:
            secret = tokens.create_first()
            if secret is not None:
                opened.write(f"{secret}\n")
        if secret is None:
            file.unlink()
    except OSError as error:
        raise InvalidInput([_unwritable(file, error)]) from error
    return None if secret is None else file


def _unwritable(file: Path, error: OSError) -> Diagnostic:
    return Diagnostic(
        "first-token",
        f"the file of the first token cannot be written: {error.strerror}",
        "Make room, or create a token with crossgate token create --data or --database",
        found=str(file),
    )
