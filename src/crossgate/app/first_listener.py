"""Whether an Envoy can serve the first clients' listener that its control plane sends.

Later, a listener that Envoy rejects leaves the last good one in place. The first one leaves nothing that
listens, so the start has failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final

from crossgate.compiler.names import CLIENT_LISTENER
from crossgate.dataplane.checks import check_listen
from crossgate.dataplane.envoy_admin import EnvoyAdmin, ListenerRefusal
from crossgate.diagnostics import Diagnostic, InvalidInput, Place

_POLL_SECONDS: Final = 0.1
_POLLS: Final = 10
"""How often the refusal is seen before it counts: the control plane sends a rejected resource once more."""


async def wait_for_first_listener(admin: EnvoyAdmin, own_envoys: Collection[int] = ()) -> None:
    """Return when Envoy listens for clients; ``own_envoys`` may listen at the same address.

    Raises:
        InvalidInput: it rejected the listener, with the reason.

    """
    refused = 0
    while CLIENT_LISTENER[1] not in (await admin.listeners() or ()):
        refusal = await admin.listener_refusal(CLIENT_LISTENER[1])
        refused = 0 if refusal is None else refused + 1
        if refusal is not None and refused >= _POLLS:
            raise InvalidInput([await asyncio.to_thread(explain_refusal, refusal, own_envoys)])
        await asyncio.sleep(_POLL_SECONDS)


def explain_refusal(refusal: ListenerRefusal, own_envoys: Collection[int] = ()) -> Diagnostic:
    """What is wrong with the listener: what this machine says of its address, else what Envoy says."""
    gateway = Place(("gateway",))
    if refusal.listen.port:
        host, port = refusal.listen.host, refusal.listen.port
        found = check_listen(host, port, gateway.at("listen"), own_envoys=own_envoys)
        if found is not None:
            return found
    reason = " ".join(refusal.reason.split())
    return Diagnostic(
        "listener-rejected",
        f"Envoy cannot serve the clients' listener: {reason}",
        "Correct the settings of the gateway, or the files that they name on this machine",
        gateway,
        str(refusal.listen),
    )
