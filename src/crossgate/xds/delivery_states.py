"""The life of one resource on one connection, as a table of transitions; `subscription` runs on it.

A state belongs to a name that the node subscribes to. The reference page shows the same two tables
(``docs/reference/xds.md``).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class DeliveryState(StrEnum):
    """Where one resource is on its way to one node; the value says what that means."""

    IN_SYNC = "nothing to send: the node acknowledged the wanted version, or neither side has the resource"
    POSTPONED = "a removal that waits until a reconnected node has answered once"
    QUEUED = "to be sent, as soon as the last response is answered and no other resource has to go first"
    IN_FLIGHT = "in a response that the node has not answered yet"
    SUSPECT = "in a rejected response together with others; to be sent again in a smaller response"
    SINGLED_OUT = "rejected alone; one more attempt, together with others, may follow"
    REJECTED = "rejected for good; reported, and not sent again until it changes"


class DeliveryEvent(StrEnum):
    """What happens to one resource; the value says what that means."""

    CHANGED = "the wanted version differs from what the node has, or the node requested the resource again"
    REVERTED = "the wanted version is the one that the node has"
    POSTPONE = "a node that reconnects holds a resource that is not wanted any more"
    SEND = "a response is written"
    HOLD_BACK = "it was about to be sent, but another resource has to go first"
    ACK = "the node acknowledged the response"
    NACK = "the node rejected a response with several resources"
    NACK_ALONE = "the node rejected a response with this resource only"
    NACK_OUTDATED = "the node rejected a version that is no longer wanted"
    RETRY = "everything else is sent; what was rejected alone is tried once more"
    GIVE_UP = "everything else is sent, and nothing is left to try"
    UNSUBSCRIBE = "the node unsubscribed from the resource"


_S, _E = DeliveryState, DeliveryEvent

TRANSITIONS: Final[Mapping[tuple[DeliveryState, DeliveryEvent], DeliveryState]] = {
    (_S.IN_SYNC, _E.CHANGED): _S.QUEUED,
    (_S.IN_SYNC, _E.POSTPONE): _S.POSTPONED,
    (_S.IN_SYNC, _E.UNSUBSCRIBE): _S.IN_SYNC,
    (_S.POSTPONED, _E.CHANGED): _S.QUEUED,
    (_S.POSTPONED, _E.REVERTED): _S.IN_SYNC,
    (_S.POSTPONED, _E.UNSUBSCRIBE): _S.IN_SYNC,
    (_S.QUEUED, _E.CHANGED): _S.QUEUED,
    (_S.QUEUED, _E.REVERTED): _S.IN_SYNC,
    (_S.QUEUED, _E.SEND): _S.IN_FLIGHT,
    (_S.QUEUED, _E.HOLD_BACK): _S.QUEUED,
    (_S.QUEUED, _E.UNSUBSCRIBE): _S.IN_SYNC,
    # The newest version is compared when the answer comes: a newer one makes it CHANGED right after.
    (_S.IN_FLIGHT, _E.CHANGED): _S.IN_FLIGHT,
    (_S.IN_FLIGHT, _E.REVERTED): _S.IN_FLIGHT,
    (_S.IN_FLIGHT, _E.ACK): _S.IN_SYNC,
    (_S.IN_FLIGHT, _E.NACK): _S.SUSPECT,
    (_S.IN_FLIGHT, _E.NACK_ALONE): _S.SINGLED_OUT,
    (_S.IN_FLIGHT, _E.NACK_OUTDATED): _S.IN_SYNC,
    # Its answer is still to come.
    (_S.IN_FLIGHT, _E.UNSUBSCRIBE): _S.IN_FLIGHT,
    # After a rejected response the node's state is unknown, so a suspect is sent whatever is wanted now.
    (_S.SUSPECT, _E.CHANGED): _S.SUSPECT,
    (_S.SUSPECT, _E.SEND): _S.IN_FLIGHT,
    (_S.SUSPECT, _E.HOLD_BACK): _S.QUEUED,
    (_S.SUSPECT, _E.UNSUBSCRIBE): _S.IN_SYNC,
    (_S.SINGLED_OUT, _E.CHANGED): _S.QUEUED,
    (_S.SINGLED_OUT, _E.REVERTED): _S.IN_SYNC,
    (_S.SINGLED_OUT, _E.RETRY): _S.SUSPECT,
    (_S.SINGLED_OUT, _E.GIVE_UP): _S.REJECTED,
    (_S.SINGLED_OUT, _E.UNSUBSCRIBE): _S.IN_SYNC,
    (_S.REJECTED, _E.CHANGED): _S.QUEUED,
    (_S.REJECTED, _E.REVERTED): _S.IN_SYNC,
    (_S.REJECTED, _E.UNSUBSCRIBE): _S.IN_SYNC,
}
"""The next state; a pair that is not in the table cannot occur."""
