"""The command line that Envoy is started with."""

from __future__ import annotations

from pathlib import Path

from crossgate.dataplane.log import FORMAT


def command(
    binary: Path, bootstrap: Path, *, concurrency: int | None, drain_seconds: float, log_level: str
) -> tuple[str, ...]:
    """Envoy with the ``bootstrap`` file.

    ``concurrency`` is the number of worker threads, None for one per processor that Envoy may use.
    ``drain_seconds`` is how long a replaced listener goes on with what it has begun.
    """
    # The `misc` component warns about every use of a work-in-progress matcher, at every update.
    return (
        str(binary),
        *("--config-path", str(bootstrap)),
        *(() if concurrency is None else ("--concurrency", str(concurrency))),
        *("--drain-time-s", str(max(1, round(drain_seconds)))),
        # Restarts are the supervisor's; hot restart would claim shared memory by a number that
        # every Envoy on the machine has to agree on.
        "--disable-hot-restart",
        # Envoy would look through all that it is sent for fields that it does not know, a sixth of its work
        # for an API. The compiler's messages are of this Envoy's version.
        "--ignore-unknown-dynamic-fields",
        *("--log-level", log_level),
        *("--component-log-level", "misc:error"),
        *("--log-format", FORMAT),
        "--log-format-escaped",
    )
