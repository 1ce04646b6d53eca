"""The policy of an API in a Crossgate document: read once, or followed while the file changes.

The document's reader needs the extra ``crossgate[document]`` and is imported only when a document is read.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.middleware.live import LivePolicy
from crossgate.policy import EffectivePolicy, ServerPolicy

if TYPE_CHECKING:
    from crossgate.catalogue.document import Reading

_LOG: Final = logging.getLogger("crossgate.middleware")


def policy_of(path: str | os.PathLike[str], api: str) -> EffectivePolicy | ServerPolicy | None:
    """The policy that a gateway with that document enforces for the API named ``name/version``.

    That is the API's policy with the origins of its applications, or the server's policy if server-level CORS
    is enabled; None is pass-through.

    Raises:
        InvalidInput: with every error in the document, or if it has no such API.

    """
    return _policy_in(_read(Path(path)), api)


def _read(path: Path) -> Reading:
    try:
        from crossgate.catalogue.document import load_document
    except ModuleNotFoundError as missing:
        raise InvalidInput([_extra_missing(missing)]) from missing
    return load_document(path)


def _policy_in(reading: Reading, api: str) -> EffectivePolicy | ServerPolicy | None:
    from crossgate.catalogue.effective import Associations, effective_policy

    catalogue = reading.catalogue
    if catalogue is None:
        raise InvalidInput(reading.diagnostics)
    if api not in catalogue.apis:
        raise InvalidInput([_api_unknown(api, catalogue.apis)])
    associations = Associations.of(catalogue.applications)
    return catalogue.server_policy or effective_policy(catalogue, associations, api)


def _extra_missing(missing: ModuleNotFoundError) -> Diagnostic:
    return Diagnostic(
        "extra-missing",
        "the base installation cannot read documents",
        "Install crossgate[document]",
        found=f"no module {missing.name}",
    )


def _api_unknown(api: str, known: Iterable[str]) -> Diagnostic:
    remedy = f"Name one of the document's APIs: {', '.join(known) or 'there are none'}"
    return Diagnostic("api-unknown", "API not found in the document", remedy, found=api)


class FollowedApi(LivePolicy):
    """The policy of an API in a document, replaced when the file changes, or a file that it names.

    A change is noticed within ``seconds``. A document with errors changes nothing: the last valid policy
    stays enforced, and all errors are logged. Forked processes follow the document too.

    Raises:
        InvalidInput: on creation, as in :func:`policy_of`.

    """

    __slots__ = ("__weakref__", "_api", "_files", "_path", "_seconds", "_stop")

    def __init__(self, path: str | os.PathLike[str], api: str, *, seconds: float = 1.0) -> None:
        self._path = Path(path)
        self._api = api
        self._seconds = seconds
        reading = _read(self._path)
        self._files = reading.files
        super().__init__(_policy_in(reading, api))
        self._watch()
        following = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _watch_again(following))

    def refresh(self) -> bool:
        """Check the files now; whether the policy changed."""
        if all(file.now(file.path) == file for file in self._files):
            return False
        before = self.enforced
        reading = _read(self._path)
        self._files = reading.files
        try:
            self.policy = _policy_in(reading, self._api)
        except InvalidInput as refused:
            _LOG.error("%s is not enforced; the previous policy stays enforced:\n%s", self._path, refused)
        return self.enforced is not before

    def close(self) -> None:
        """Stop following the document; the policy stays as it is."""
        self._stop.set()

    def _watch(self) -> None:
        self._stop = stop = threading.Event()

        def watch() -> None:
            while not stop.wait(self._seconds):
                self.refresh()

        threading.Thread(target=watch, name=f"follow {self._path}", daemon=True).start()

    def _watch_again(self) -> None:
        if not self._stop.is_set():
            self._watch()


def _watch_again(following: weakref.ref[FollowedApi]) -> None:
    """In a forked child, which has no thread but the forking one."""
    followed = following()
    if followed is not None:
        followed._watch_again()  # noqa: SLF001 - a function of this class in all but place
