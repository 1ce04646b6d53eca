"""The admin token of a gateway that runs a file: the same one after each start, in a file for this user only.

A store keeps hashes of its tokens. Without one, the secret itself is kept, below the directory for state that
systemd or the user's session names.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.service.tokens import InMemoryTokenStore, Token, Tokens, generate_secret

_SECRET: Final = re.compile("cgt_[A-Za-z0-9_-]{43}")
_LONGEST: Final = 100


def state_directory(environment: Mapping[str, str]) -> Path | None:
    """The directory that systemd names for the service's state, else the user's own; None without either.

    See systemd.exec(5), StateDirectory=, and the XDG Base Directory Specification.
    """
    ours = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    if ours.startswith("/"):
        return Path(ours)
    base = environment.get("XDG_STATE_HOME", "")
    if base.startswith("/"):
        return Path(base, "crossgate")
    home = environment.get("HOME", "")
    return Path(home, ".local", "state", "crossgate") if home.startswith("/") and home != "/" else None


class KeptToken:
    """The file of the first token of one document."""

    def __init__(self, state: Path, document: Path) -> None:
        """Read the file, if there is one; nothing is created.

        Raises:
            InvalidInput: other users may have written or read the file, or its content is not a token.

        """
        resolved = document.absolute()
        name = re.sub(r"[^A-Za-z0-9._-]", "_", resolved.name)[:60]
        # Named after the document's path: gateways of one user have different tokens.
        self.file = state / f"{name}-{sha256(os.fsencode(resolved)).hexdigest()[:8]}.token"
        self._secret = self._read()

    def apply(self, tokens: Tokens) -> Path:
        """Make the kept token valid; the first time, create it and its file.

        Raises:
            InvalidInput: the file cannot be created, and no token was.

        """
        if self._secret is not None:
            tokens.add_first(self._secret)
            return self.file
        secret = generate_secret()
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            try:
                with os.fdopen(os.open(self.file, flags, 0o600), "w", encoding="ascii") as opened:
                    opened.write(f"{secret}\n")
            except FileExistsError:
                raise
            except OSError:
                self.file.unlink(missing_ok=True)
                raise
        except OSError as error:
            remedy = "Set XDG_STATE_HOME to a directory that this user may write to"
            raise self._refused(error.strerror or str(error), remedy) from error
        tokens.add_first(secret)
        return self.file

    def forget(self, _: Token) -> None:
        """Remove the file: a token that was revoked must not be valid after the next start."""
        with suppress(OSError):
            self.file.unlink()

    def _read(self) -> str | None:
        try:
            descriptor = os.open(self.file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._refused(error.strerror or str(error)) from error
        with os.fdopen(descriptor, "rb") as opened:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise self._refused("it is not a regular file")
            if status.st_uid != os.geteuid():
                raise self._refused(f"it belongs to the user {status.st_uid}")
            if status.st_mode & 0o077:
                raise self._refused(f"other users have access to it, mode {stat.S_IMODE(status.st_mode):04o}")
            secret = opened.read(_LONGEST).decode("ascii", "replace").strip()
        if _SECRET.fullmatch(secret) is None:
            raise self._refused("it does not contain a token")
        return secret

    def _refused(
        self, reason: str, remedy: str = "Remove the file: the next start creates another token"
    ) -> InvalidInput:
        message = f"the file of the admin token cannot be used: {reason}"
        return InvalidInput([Diagnostic("kept-token", message, remedy, found=str(self.file))])


def keep_token(tokens: Tokens, kept: KeptToken) -> Path:
    """Make the kept token valid, until it is revoked."""
    file = kept.apply(tokens)
    if isinstance(tokens.store, InMemoryTokenStore):
        tokens.store.on_revoked["first"] = kept.forget
    return file
