"""The certificates, keys and authorities that Envoys of this machine subscribe to, read from their files.

A secret is read when an Envoy subscribes to its name, and again when one of its files changes. What can be
used is delivered at once. What cannot is reported, and the last good one stays with Envoy. Certificate and
key are two files: for a moment, one of them may be new and the other old. So a bad pair is reported only
if it is still bad after a while, and a pair is delivered as a whole or not at all.

Everything here runs in one event loop; files are read in threads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crossgate.catalogue.model import Tls
from crossgate.catalogue.yaml.files import FileStamp
from crossgate.compiler.resource import Resource
from crossgate.compiler.secrets import compile_authorities, compile_pair, is_of_listener
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.service.certificates import CertificateState
from crossgate.service.observers import Observers

if TYPE_CHECKING:
    from crossgate.dataplane.tls_files import LoadedFiles

SETTLE_SECONDS: Final = 2.0
"""How long a changed pair may be bad before that is reported: a renewal writes two files."""
REPEAT_SECONDS: Final = 24 * 3600.0
"""After which what is still wrong is reported again."""
KEEP_SECONDS: Final = 600.0
"""How long a pair is kept that no Envoy uses: one that fails is started again after 30 s at most."""
_READ_AGAIN_SECONDS: Final = 60.0
"""After which files are read without a change: certificates expire, and permissions are no change."""
_TLS: Final = Place(("gateway", "tls"))


@dataclass(frozen=True, slots=True)
class CertificateReport:
    """Something to tell about a secret: a renewal, a problem, the end of one, or a problem that lasts."""

    state: CertificateState
    renewed: bool = False
    """Whether Envoy got another certificate than it had."""


_Report = CertificateReport | None


class Secrets:
    """The secrets of this machine's Envoys. ``on_report`` is called in the event loop; it must not block."""

    def __init__(
        self,
        on_report: Callable[[CertificateReport], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.wanted = asyncio.Event()
        """Set once there is a subscription."""
        self._on_report = on_report
        self._clock = clock
        self._secrets: dict[str, _Secret] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = Observers[None]()

    def subscribe(
        self, name: str, files: Tls | str, deliver: Callable[[Resource], None]
    ) -> Callable[[], None]:
        """Call ``deliver`` with the secret of these files, now and when it changes.

        Until the returned function is called. After the last subscriber's, the files are not read any more;
        what was served is kept for a while, for an Envoy that is started again while the files are bad.
        """
        secret = self._secrets.get(name)
        if secret is None:
            secret = self._secrets[name] = _Secret(name, files, self._clock)
        if not secret.subscribers:
            task = asyncio.create_task(self._read(secret))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        secret.subscribers.append(deliver)
        if secret.resource is not None:
            deliver(secret.resource)
        self.wanted.set()

        def unsubscribe() -> None:
            if deliver in secret.subscribers:
                secret.subscribers.remove(deliver)
            if not secret.subscribers:
                secret.left_at = self._clock()
                self._changed.notify(None)

        return unsubscribe

    def watch(self, observer: Callable[[], None]) -> Callable[[], None]:
        """Call ``observer`` when a state changed, until the returned function is called."""
        return self._changed.add(lambda _: observer())

    def paths(self) -> set[Path]:
        """The files of all secrets."""
        return {path for secret in self._used() for path in secret.paths}

    def states(self) -> tuple[CertificateState, ...]:
        """What is known of each file or pair; those that are not read yet are left out."""
        found = [secret.state for secret in self._used() if secret.state is not None]
        # A listener and a native service may use the same pair.
        files = {(one.certificate, one.key): one for one in found}
        return tuple(files[key] for key in sorted(files))

    def unusable(self) -> list[Diagnostic]:
        """Why the listener has no certificate; empty if it has one, needs none, or is not known yet."""
        listener = [one.state for one in self._used() if is_of_listener(one.name)]
        pairs = [state for state in listener if state is not None]
        if len(pairs) < len(listener) or any(one.serves for one in pairs):
            return []
        # A node does not know which entry of the settings names the pair; each problem names its file.
        return [replace(bad, place=_TLS) for one in pairs for bad in one.problems]

    async def examine(self) -> None:
        """Read the files that changed, and those that are read again for another reason."""
        for name, secret in list(self._secrets.items()):
            if not secret.subscribers and self._clock() - secret.left_at >= KEEP_SECONDS:
                del self._secrets[name]
        for secret in self._used():
            if await asyncio.to_thread(secret.needs_reading):
                await self._read(secret)

    def refused(self, name: str, version: str, reason: str) -> None:
        """Note that Envoy refused a version of a secret, which the checks here found usable."""
        secret = self._secrets.get(name)
        if secret is not None and secret.resource is not None and secret.resource.version == version:
            before = secret.state
            self._tell(secret, before, secret.refuse(reason))

    async def close(self) -> None:
        """Read nothing more."""
        self._secrets.clear()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _used(self) -> list[_Secret]:
        return [secret for secret in self._secrets.values() if secret.subscribers]

    async def _read(self, secret: _Secret) -> None:
        async with secret.lock:
            stamps, loaded = await asyncio.to_thread(secret.load)
            before = secret.state
            self._tell(secret, before, secret.receive(stamps, loaded))

    def _tell(self, secret: _Secret, before: CertificateState | None, report: _Report) -> None:
        if secret.state is not before:
            self._changed.notify(None)
        if report is not None:
            self._on_report(report)


class _Secret:
    """One secret: what its files contained when they were read last, and what Envoy has."""

    def __init__(self, name: str, files: Tls | str, clock: Callable[[], float]) -> None:
        pair = [files.certificate, files.key] if isinstance(files, Tls) else [files]
        self.paths = tuple(map(Path, pair))
        self.lock = asyncio.Lock()
        self.subscribers: list[Callable[[Resource], None]] = []
        self.resource: Resource | None = None
        self.state: CertificateState | None = None
        self.left_at = 0.0
        """When the last subscriber left."""
        self.name = name
        self._files = files
        self._clock = clock
        self._stamps: tuple[FileStamp, ...] | None = None
        self._served: LoadedFiles | None = None
        """What Envoy has, as far as it did not refuse it."""
        self._served_before: LoadedFiles | None = None
        self._bad_since: float | None = None
        self._read_at = self._told_at = clock()

    def needs_reading(self) -> bool:
        """Whether the files may have changed, or are to be read again."""
        state = self.state
        has_error = state is None or any(one.severity is Severity.ERROR for one in state.problems)
        return (
            # The end of an error may leave no trace in the stamps, such as a permission that was granted.
            has_error
            or self._bad_since is not None
            or self._stamps != tuple(map(FileStamp.now, self.paths))
            or self._clock() - self._read_at >= _READ_AGAIN_SECONDS
        )

    def load(self) -> tuple[tuple[FileStamp, ...] | None, LoadedFiles]:
        """The files with their stamps; None for stamps that could hide a write. Blocks."""
        # Imported here, in a thread: cryptography takes a tenth of a second to load, and most gateways that
        # are behind a load balancer have no certificate.
        from crossgate.dataplane.tls_files import load_authorities, load_pair

        before = tuple(map(FileStamp.now, self.paths))
        files = self._files
        loaded = load_pair(files, Place()) if isinstance(files, Tls) else load_authorities(files, Place())
        after = tuple(map(FileStamp.now, self.paths))
        certain = before == after and not any(one.may_hide_a_write() for one in after)
        return after if certain else None, loaded

    def receive(self, stamps: tuple[FileStamp, ...] | None, loaded: LoadedFiles) -> _Report:
        """Deliver what was read if it can be used; returns what there is to tell."""
        self._stamps, self._read_at = stamps, self._clock()
        now, served = datetime.now(UTC), self._served
        keeps_valid = served is not None and served.is_valid(now)
        if loaded.usable and (loaded.is_valid(now) or not keeps_valid):
            self._bad_since = None
            return self._note(loaded.problems, current=True, renewed=self._deliver(loaded))
        if served is not None and (self.state is None or self.state.current):
            self._bad_since = self._bad_since if self._bad_since is not None else self._clock()
            if self._clock() - self._bad_since < SETTLE_SECONDS:
                return None
        self._bad_since = None
        return self._note(loaded.problems, current=False)

    def refuse(self, reason: str) -> _Report:
        """Note Envoy's refusal of what was delivered: it keeps what it had before."""
        self._served = self._served_before
        is_pair = isinstance(self._files, Tls)
        problem = Diagnostic(
            "envoy-refused",
            f"Envoy refuses the {'certificate or its key' if is_pair else 'authorities'}: {reason}",
            "Replace both files" if is_pair else "Replace the file",
            Place(("certificate" if is_pair else "native_ca",)),
            str(self.paths[0]),
        )
        return self._note((problem,), current=False)

    def _deliver(self, loaded: LoadedFiles) -> bool:
        """Give Envoy what was read; returns whether it had another one."""
        if isinstance(self._files, Tls):
            compiled = compile_pair(self.name, loaded.certificates, loaded.key)
        else:
            compiled = compile_authorities(self.name, loaded.certificates)
        if self.resource is not None and self.resource.version == compiled.version:
            return False
        self._served_before, self._served = self._served, loaded
        had_another, self.resource = self.resource is not None, compiled
        for deliver in tuple(self.subscribers):
            deliver(compiled)
        return had_another

    def _note(self, problems: Iterable[Diagnostic], *, current: bool, renewed: bool = False) -> _Report:
        before, served, found = self.state, self._served, tuple(problems)
        if before is not None and current and not renewed and _is_refusal(before):
            # Only other files end it.
            return self._repeat()
        state = CertificateState(
            certificate=str(self.paths[0]),
            key=str(self.paths[1]) if len(self.paths) > 1 else "",
            names=() if served is None else served.names,
            not_after=None if served is None else served.not_after,
            current=current,
            problems=found,
            since=datetime.now(UTC),
        )
        if before is not None and not renewed and replace(state, since=before.since) == before:
            return self._repeat()
        self.state = state
        if renewed or found or (before is not None and before.problems):
            self._told_at = self._clock()
            return CertificateReport(state, renewed)
        return None

    def _repeat(self) -> _Report:
        """What is wrong, once a day."""
        if self.state is None or not self.state.problems:
            return None
        if self._clock() - self._told_at < REPEAT_SECONDS:
            return None
        self._told_at = self._clock()
        return CertificateReport(self.state)


def _is_refusal(state: CertificateState) -> bool:
    return any(one.code == "envoy-refused" for one in state.problems)
