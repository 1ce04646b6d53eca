"""Notifies systemd when this process serves, restarts and stops: sd_notify(3), without a library.

A datagram goes to the socket that NOTIFY_SOCKET names. A failure to send it ends nothing.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

from crossgate.app.events import (
    Emit,
    Event,
    GatewayServing,
    NodeChanged,
    NodeServing,
    Restarting,
    RestartRefused,
    StartFailed,
)
from crossgate.dataplane.lifecycle_events import EnvoyExited, EnvoyNotReady, EnvoyReady

READY = "READY=1"
STOPPING = "STOPPING=1"
_LONGEST_STATUS = 400


def notify_service_manager(*assignments: str) -> None:
    """Send these assignments; one that begins with ``@`` is a socket of the abstract namespace (unix(7))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        # Never wait for a manager that does not read.
        sender.settimeout(0)
        sender.sendto("\n".join(assignments).encode(), address.replace("@", "\0", 1))


def notifying(emit: Emit) -> Emit:
    """``emit``, which also notifies the service manager of what changes the state of the service."""

    def emit_and_notify(event: Event) -> None:
        emit(event)
        assignments = assignments_of(event)
        if assignments:
            notify_service_manager(*assignments)

    return emit_and_notify


def assignments_of(event: Event) -> tuple[str, ...]:
    """The message about an event; empty if the service manager need not know it."""
    match event:
        case GatewayServing() | NodeServing() | RestartRefused() | StartFailed():
            return READY, _status(event)
        case Restarting():
            # The time is that of CLOCK_MONOTONIC, as Type=notify-reload requires (systemd.service(5)).
            return "RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", _status(event)
        case NodeChanged(EnvoyNotReady() | EnvoyExited() | EnvoyReady()):
            return (_status(event),)
        case _:
            return ()


def _status(event: Event) -> str:
    line = str(event).splitlines()[0]
    return f"STATUS={line[:_LONGEST_STATUS]}"
