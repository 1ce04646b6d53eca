"""The connections of an HTTP server: how long they may wait, and how many of them one client may hold.

uvicorn limits neither the time that a request head takes nor the connections of one address, so that clients
which send half a head and wait could hold every connection. Here a new connection is always accepted: if its
address or the server has too many, the oldest connection that waits for its client is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from crossgate.net.address import client_network


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The limits of connections; times in seconds."""

    head: float = 10.0
    """From the connection, or from the first byte of a further head, to the end of the head."""
    idle: int = 60
    """Between a response and the next request."""
    body: float = 30.0
    """Without a byte of the body, while the server reads."""
    response: float = 30.0
    """Without the client reading a byte, while the server has something to send."""
    total: int = 512
    """Below the usual limit of 1,024 open files."""
    per_address: int = 256
    """Half of all: behind a TLS proxy, all clients have its address."""


class _Use(IntEnum):
    """What a connection is used for, in the order in which connections are closed if there are too many."""

    CLOSING = 0
    HEAD = 1
    REST = 2
    """The response is sent; what is left of the request is discarded."""
    IDLE = 3
    REQUEST = 4
    """Never closed for others."""


class ConnectionTable:
    """The open connections of one server."""

    def __init__(self, limits: ConnectionLimits, busy: Any) -> None:
        """``busy`` is the ASGI application that answers while no connection can be closed for another."""
        self.limits = limits
        self.busy = busy
        # Dictionaries as ordered sets: first comes the connection that has waited longest.
        self._all: dict[LimitedConnection, None] = {}
        self._by_address: dict[str, dict[LimitedConnection, None]] = {}

    def add(self, connection: LimitedConnection) -> bool:
        """Add a connection, and close another one if there are too many; False if none could be closed."""
        same_address = self._by_address.setdefault(connection.network, {})
        has_room = (len(same_address) < self.limits.per_address or self._evict(same_address)) and (
            len(self._all) < self.limits.total or self._evict(self._all)
        )
        self._all[connection] = None
        # Not `same_address`: if that became empty, it was removed.
        self._by_address.setdefault(connection.network, {})[connection] = None
        return has_room

    def move_to_end(self, connection: LimitedConnection) -> None:
        """Note that the connection begins to wait for its client."""
        if connection in self._all:
            self.remove(connection)
            self._all[connection] = None
            self._by_address.setdefault(connection.network, {})[connection] = None

    def remove(self, connection: LimitedConnection) -> None:
        """Forget a connection; nothing happens if it is not in the table."""
        self._all.pop(connection, None)
        same_address = self._by_address.get(connection.network, {})
        same_address.pop(connection, None)
        if not same_address:
            self._by_address.pop(connection.network, None)

    def _evict(self, connections: Iterable[LimitedConnection]) -> bool:
        found, found_use = None, _Use.REQUEST
        for connection in connections:
            use = connection.use
            if use < found_use:
                found, found_use = connection, use
            if use <= _Use.HEAD:
                break
        if found is None:
            return False
        # It leaves the table at once: the event loop closes it later, and more may arrive until then.
        self.remove(found)
        found.end()
        return True


class LimitedConnection(H11Protocol):
    """uvicorn's HTTP/1.1 connection with timeouts for heads, bodies and responses."""

    network: str
    """The client's address; with IPv6 its network, of which it usually controls all addresses."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        table: ConnectionTable,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._table = table
        self._limits = table.limits
        self.timeout_keep_alive = table.limits.idle
        self._head_begun = False
        self._input_timer: asyncio.TimerHandle | None = None
        self._output_timer: asyncio.TimerHandle | None = None

    @property
    def use(self) -> _Use:
        """What the connection is used for now."""
        if self.transport.is_closing():
            return _Use.CLOSING
        cycle = self._current_cycle()
        if cycle is None or cycle.response_complete:
            return _Use.HEAD if cycle is None or self._head_begun else _Use.IDLE
        if cycle.response_started and self.conn.their_state is h11.SEND_BODY:
            return _Use.REST
        return _Use.REQUEST

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self.network = client_network(self.client[0]) if self.client else ""
        if not self._table.add(self):
            self.app = self._table.busy
        self._wait_for_input(self._limits.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._table.remove(self)
        self._wait_for_input(None)
        self._stop_output_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the time of a further head from its first byte, and that of a body from its last one."""
        if self.use is _Use.IDLE:
            self._begin_head()
        super().data_received(data)
        self._update_timer()

    def on_response_complete(self) -> None:
        """Wait for the next head, a part of which may have arrived already."""
        self._head_begun = False
        super().on_response_complete()
        if self.use is _Use.IDLE:
            self._table.move_to_end(self)
            if self.conn.trailing_data[0]:
                self._begin_head()
        self._update_timer()

    def pause_writing(self) -> None:
        """Begin to watch whether the client reads."""
        super().pause_writing()
        self._watch_output()

    def resume_writing(self) -> None:
        """The client has read most of what was to be sent."""
        self._stop_output_timer()
        super().resume_writing()

    def end(self) -> None:
        """Close the connection, without waiting for a client that does not read."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _current_cycle(self) -> RequestResponseCycle | None:
        # uvicorn declares it without None, which it is before the first request.
        return self.cycle

    def _begin_head(self) -> None:
        self._head_begun = True
        self._table.move_to_end(self)
        self._wait_for_input(self._limits.head)

    def _update_timer(self) -> None:
        use = self.use
        if use is _Use.HEAD:
            return
        sends_body = use is _Use.REQUEST and self.conn.their_state is h11.SEND_BODY
        self._wait_for_input(self._limits.body if sends_body else None)

    def _wait_for_input(self, seconds: float | None) -> None:
        if self._input_timer is not None:
            self._input_timer.cancel()
            self._input_timer = None
        if seconds is not None:
            self._input_timer = self.loop.call_later(seconds, self._no_input)

    def _no_input(self) -> None:
        self._input_timer = None
        use = self.use
        if use is _Use.REQUEST and self.flow.read_paused:
            # The server has not read what the client sent: nobody waits for the client.
            self._wait_for_input(self._limits.body)
        elif use is _Use.HEAD and self.conn.trailing_data[0] and self.conn.our_state is h11.IDLE:
            self.transport.write(_timeout_response(self.conn))
            self.end()
        elif use is not _Use.CLOSING:
            self.end()

    def _watch_output(self) -> None:
        waiting = self.transport.get_write_buffer_size()

        def check() -> None:
            if self.transport.get_write_buffer_size() < waiting:
                self._watch_output()
            else:
                self.transport.abort()

        self._stop_output_timer()
        self._output_timer = self.loop.call_later(self._limits.response, check)

    def _stop_output_timer(self) -> None:
        if self._output_timer is not None:
            self._output_timer.cancel()
            self._output_timer = None


def _timeout_response(connection: h11.Connection) -> bytes:
    """RFC 9110, §15.5.9: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.9."""
    headers = [("Content-Length", "0"), ("Connection", "close")]
    response = h11.Response(
        status_code=HTTPStatus.REQUEST_TIMEOUT, headers=headers, reason=b"Request Timeout"
    )
    return connection.send(response) + connection.send(h11.EndOfMessage())
