"""What a node still receives when a newer Envoy takes its place: policies, and no listener.

It finishes its requests, and refuses none under a policy that was changed since. But routes belong to the
listener that reads them: another version of Crossgate, or other settings, may need another one. A second
listener must not come up in an Envoy that goes. So the node follows changes while its listener is the one
that is wanted; otherwise it keeps what it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crossgate.compiler.names import CLIENT_LISTENER
from crossgate.compiler.resource import ResourceKey
from crossgate.xds.cache import Cache
from crossgate.xds.messages import DiscoveryRequest
from crossgate.xds.resource_types import LISTENER

MOST_WAITING: Final = 100
"""Requests that wait for the one about listeners. Envoy sends one for each type."""


class ReplacedNode:
    """Decides which requests and changes of one connection reach its stream."""

    def __init__(self, cache: Cache, *, connecting: bool) -> None:
        """``connecting``: its requests say first which listener it has."""
        self._cache = cache
        self._waiting: list[DiscoveryRequest] | None = [] if connecting else None
        self._follows = True

    def requests(self, request: DiscoveryRequest) -> Sequence[DiscoveryRequest]:
        """The requests to answer now."""
        if self._waiting is not None:
            self._waiting.append(request)
            if request.type_url != LISTENER and len(self._waiting) < MOST_WAITING:
                return ()
            waited, self._waiting = self._waiting, None
            self._follows = request.held.get(CLIENT_LISTENER[1]) == self._cache.version(CLIENT_LISTENER)
            return waited if self._follows else ()
        return (request,) if self._follows else ()

    def changes(self, keys: tuple[ResourceKey, ...]) -> tuple[ResourceKey, ...]:
        """The changes to send."""
        self._follows = self._follows and CLIENT_LISTENER not in keys
        return keys if self._follows and self._waiting is None else ()
