"""Concurrent requests from several clients, each response checked, while the test waits for versions."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tests.raw_http import Http1, RawRequest, RawResponse, http1

_SECONDS = 90.0
Check = Callable[[RawResponse], int]
"""The version in the response; raises AssertionError for a wrong response."""


class Load:
    """The responses that several clients have got so far, each over a connection of its own."""

    def __init__(
        self,
        port: int,
        requests: Sequence[RawRequest],
        check: Check,
        clients: int,
        pause: float,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._port = port
        self._tls = tls
        self._requests = requests
        self._check = check
        self._pause = pause
        self._stopping = threading.Event()
        self._answered = threading.Condition()
        self._answers = [0] * clients
        self._latest = [0] * clients
        self.failures: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._run, args=(client,), name=f"client-{client}")
            for client in range(clients)
        ]

    @property
    def answers(self) -> int:
        """The number of responses."""
        return sum(self._answers)

    def wait_for(self, number: int) -> None:
        """Return when the latest response of every client has the version ``number``."""
        self._wait(lambda: all(latest == number for latest in self._latest))

    def wait_for_more(self, answers: int) -> None:
        """Return when every client has got that many more responses."""
        with self._answered:
            goal = [before + answers for before in self._answers]
        self._wait(lambda: all(now >= then for now, then in zip(self._answers, goal, strict=True)))

    def _wait(self, reached: Callable[[], bool]) -> None:
        with self._answered:
            assert self._answered.wait_for(lambda: self.failures or reached(), _SECONDS), "no such response"
        self.check()

    def check(self) -> None:
        """Raise AssertionError if a request failed."""
        if self.failures:
            raise AssertionError(f"after {self.answers} answers") from self.failures[0]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        self.wait_for_more(1)

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(_SECONDS)

    def _run(self, client: int) -> None:
        try:
            while not self._stopping.is_set():
                with http1(self._port, self._tls) as connection:
                    self._send(client, connection)
        except BaseException as failure:  # noqa: BLE001 - the test's own thread reports it
            with self._answered:
                self.failures.append(failure)
                self._answered.notify_all()

    def _send(self, client: int, connection: Http1) -> None:
        closing = False
        while not (closing or self._stopping.is_set()):
            answer = connection.send(self._requests[self._answers[client] % len(self._requests)])
            number = self._check(answer)
            closing = "close" in answer.all("connection")
            with self._answered:
                # A connection belongs to one worker of Envoy, which never returns to an older policy.
                assert number >= self._latest[client], f"{number} after {self._latest[client]}"
                self._latest[client] = number
                self._answers[client] += 1
                self._answered.notify_all()
            if self._pause:
                self._stopping.wait(self._pause)


@contextmanager
def load(
    port: int,
    requests: Sequence[RawRequest],
    check: Check,
    clients: int = 4,
    pause: float = 0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Load]:
    """Requests of ``clients`` clients during the block; raises AssertionError if one fails.

    ``pause`` is the seconds between two requests of a client, for steady traffic.
    """
    running = Load(port, requests, check, clients, pause, tls)
    try:
        running.start()
        yield running
    finally:
        running.stop()
    running.check()
