"""Sends thousands of targets to a gateway, over a few persistent connections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Final

from tests.live.edge.requests import FROM_GOOD
from tests.raw_http import Http1, RawRequest, RawResponse, http1

_CONNECTIONS: Final = 16


def send_all(
    port: int, targets: Sequence[str], *headers: tuple[str, str], method: str = "GET"
) -> Iterator[tuple[str, RawResponse]]:
    """Each target with its response, in order. Every request has an allowed origin."""
    requests = [RawRequest(method, target, (FROM_GOOD, *headers)) for target in targets]
    connections = [_Reconnecting(port) for _ in range(_CONNECTIONS)]
    with ExitStack() as stack:
        for connection in connections:
            stack.callback(connection.close)
        for start in range(0, len(requests), _CONNECTIONS):
            sent = list(zip(connections, requests[start : start + _CONNECTIONS], strict=False))
            for connection, request in sent:
                connection.send(request)
            for connection, request in sent:
                yield request.target, connection.response_to(request)


class _Reconnecting:
    """A connection that is opened again when Envoy has closed it, as it does after a malformed request."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stack = ExitStack()
        self._connection: Http1 | None = None

    def send(self, request: RawRequest) -> None:
        if self._connection is None:
            self._connection = self._stack.enter_context(http1(self._port))
        self._connection.send_only(request)

    def response_to(self, request: RawRequest) -> RawResponse:
        assert self._connection is not None
        response = self._connection.read_response(request)
        if "close" in response.all("connection"):
            self.close()
        return response

    def close(self) -> None:
        self._stack.close()
        self._connection = None
