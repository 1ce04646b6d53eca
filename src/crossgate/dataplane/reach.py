"""Whether native services can be reached from this machine now."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable
from typing import Final

from crossgate.catalogue.model import NativeService
from crossgate.diagnostics import Diagnostic, Place, Severity

_SECONDS: Final = 2.0
_AT_ONCE: Final = 100


async def unreachable(
    services: Iterable[tuple[Place, NativeService]], severity: Severity
) -> list[Diagnostic]:
    """One finding for each service that takes no connection within two seconds, at the place that names it.

    Services at one address are asked once. Nothing is sent: whether it is the right service stays open.
    """
    places: dict[tuple[str, int], list[tuple[Place, NativeService]]] = {}
    for place, native in services:
        places.setdefault((native.host, native.port), []).append((place, native))
    turns = asyncio.Semaphore(_AT_ONCE)
    reasons = await asyncio.gather(*(_try(turns, host, port) for host, port in places))
    return [
        _finding(place, native, reason, severity)
        for asked, reason in zip(places.values(), reasons, strict=True)
        for place, native in asked
        if reason is not None
    ]


async def _try(turns: asyncio.Semaphore, host: str, port: int) -> str | None:
    """Why no connection came about; None if one did."""
    try:
        async with turns, asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()
    except TimeoutError:
        return f"no answer within {_SECONDS:.0f} s"
    except socket.gaierror as error:
        return f"{host} is no known name: {error.strerror}"
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)
    return None


def _finding(place: Place, native: NativeService, reason: str, severity: Severity) -> Diagnostic:
    return Diagnostic(
        code="native-unreachable",
        message=f"the native service can't be reached: {reason}",
        found=str(native),
        remedy="Start it or correct its address; until then its API answers 503",
        place=place,
        severity=severity,
    )
