"""Envoy's own verdict on a configuration: one run of ``envoy --mode validate``, of some 80 ms.

Such a run reads every file that the configuration names, binds no address, and does not touch the Envoy that
serves. Why this and not the serving Envoy's answer: docs/decisions/014-refused-before-it-is-stored.md.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import Signals
from typing import Any, Final

from crossgate.dataplane.binary import EnvoyBinary
from crossgate.dataplane.bootstrap import bootstrap, dumps
from crossgate.dataplane.log import FORMAT, parse_line
from crossgate.net.address import UnixSocket

_SECONDS: Final = 20.0
_LONGEST_REASON: Final = 400
_PREAMBLE: Final = re.compile(r"error initializing configuration '[^']*': ")


def validate(
    binary: EnvoyBinary, static_resources: Mapping[str, Sequence[Any]], directory: Path
) -> str | None:
    """Why Envoy refuses the listeners and clusters, or None. Blocks; ``directory`` holds a temporary file."""
    document = json.loads(
        # Nothing listens or connects in this mode, but both addresses are required.
        bootstrap(
            "validation",
            UnixSocket(directory / "xds.sock"),
            directory / "admin.sock",
            directory / "secrets.sock",
        )
    )
    for kind, resources in static_resources.items():
        document["static_resources"].setdefault(kind, []).extend(resources)
    with tempfile.NamedTemporaryFile(dir=directory, prefix="validate-", suffix=".json") as file:
        file.write(dumps(document))
        file.flush()
        return _run(binary, Path(file.name))


def _run(binary: EnvoyBinary, file: Path) -> str | None:
    options = ("--mode", "validate", "--config-path", str(file), "--log-level", "error")
    form = ("--log-format", FORMAT, "--log-format-escaped")
    try:
        verdict = subprocess.run(
            [binary.path, *options, *form],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
        )
    except OSError as error:
        return f"it cannot be started: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"no verdict within {_SECONDS:.0f} s"
    if verdict.returncode == 0:
        return None
    return _reason(verdict.returncode, (verdict.stderr + verdict.stdout).decode(errors="replace"))


def _reason(status: int, output: str) -> str:
    if status < 0:
        return f"it was killed by {Signals(-status).name}"
    lines = [parse_line(line) for line in output.splitlines()]
    errors = [line.message for line in lines if line.component] or [line.message for line in lines]
    message = " ".join(_PREAMBLE.sub("", errors[-1] if errors else f"status {status}").split())
    # Of a message that it cannot parse, Envoy quotes all, and gives the reason last.
    return message if len(message) <= _LONGEST_REASON else f"… {message[-_LONGEST_REASON:]}"
