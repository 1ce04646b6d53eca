"""A real OpenID provider for tests: Canaille in a process of its own, see :mod:`tests.canaille_server`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from joserfc.jwk import RSAKey
from tests.ports import free_ports

CLIENT: Final = "crossgate"
SECRET: Final = "a secret: with% signs"
PASSWORD: Final = "correct horse battery staple"
PEOPLE: Final = {"ann": ("platform", "everybody"), "eve": ("everybody",), "joe": ()}
"""User names, each with the groups. The address is NAME@example.com."""
_SECONDS: Final = 60.0
_ROOT: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class RunningProvider:
    """The provider's process."""

    issuer: str
    keys: Path
    process: subprocess.Popen[bytes]

    def rotate_keys(self) -> None:
        """Sign with a new key from now on."""
        before = _key_ids(self.issuer)
        self.keys.write_text(json.dumps([_new_key()]))
        self.process.send_signal(signal.SIGHUP)
        _wait_until(lambda: _key_ids(self.issuer) not in (None, before))


@contextmanager
def running_provider(folder: Path, callback: str) -> Iterator[RunningProvider]:
    """Run the provider for one client with that callback."""
    keys = folder / "provider-keys.json"
    keys.write_text(json.dumps([_new_key()]))
    port = free_ports(1)[0]
    issuer = f"http://localhost:{port}"
    arguments = [sys.executable, "-m", "tests.canaille_server", str(port), callback, str(keys)]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONWARNINGS": "ignore"}
    with (folder / "provider.log").open("wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=_ROOT, env=environment)
        try:
            _wait_until(lambda: process.poll() is not None or _key_ids(issuer) is not None)
            assert process.poll() is None, (folder / "provider.log").read_text()
            yield RunningProvider(issuer, keys, process)
        finally:
            process.kill()
            process.wait(_SECONDS)


def _key_ids(issuer: str) -> list[str] | None:
    try:
        found = httpx.get(f"{issuer}/oauth/jwks.json", trust_env=False, timeout=5).json()
    except (httpx.HTTPError, ValueError):
        return None
    return [one["kid"] for one in found["keys"]]


def _wait_until(holds: Any) -> None:
    until = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < until, "the provider does not answer; see provider.log"
        time.sleep(0.05)


def _new_key() -> dict[str, Any]:
    return dict(RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True).as_dict(private=True))
