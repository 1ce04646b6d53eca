"""Serves one application for as long as a context lasts, and logs the requests."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from examples.natives.http_message import Answer, Application, Request
from examples.natives.http_server import Server

Observer = Callable[[str, Request, Answer], None]


class RequestLog:
    """The requests that a service received, in their order; each is logged before its response is sent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[Request] = []

    def add(self, request: Request) -> None:
        """Log a request."""
        with self._lock:
            self._requests.append(request)

    def seen(self) -> tuple[Request, ...]:
        """All requests so far."""
        with self._lock:
            return tuple(self._requests)

    def with_marker(self, marker: str) -> tuple[Request, ...]:
        """The requests that carry ``marker`` in their target or in a header's value."""
        return tuple(
            request
            for request in self.seen()
            if marker in request.target or any(marker in value for _, value in request.headers)
        )

    def clear(self) -> None:
        """Remove all requests."""
        with self._lock:
            self._requests.clear()


class PortInUse(OSError):  # noqa: N818 - it says what happened
    """Another process listens on a port that the example needs."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(
            f"port {port}, for {name}, is in use. "
            f"Stop the process that listens there; ss -ltnp 'sport = :{port}' shows it"
        )


class Service:
    """An HTTP server on ``127.0.0.1`` that serves while the context lasts.

    It listens from the moment it is created; port 0 picks a free one. ``observer`` is called with each
    exchange before the response is sent. Raises ``PortInUse``.
    """

    def __init__(
        self, name: str, application: Application, port: int = 0, *, observer: Observer | None = None
    ) -> None:
        self.name = name
        self.log = RequestLog()
        self._application = application
        self._observer = observer
        try:
            self._server = Server(self._exchange, port)
        except OSError as error:
            raise (PortInUse(name, port) if error.errno == errno.EADDRINUSE else error) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), name=name, daemon=True
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Scheme, host and port, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, close every connection, and wait for all threads."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.end_connections()
        self._server.server_close()

    def _exchange(self, request: Request) -> Answer:
        self.log.add(request)
        answer = self._application(request)
        if self._observer is not None:
            self._observer(self.name, request, answer)
        return answer

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
