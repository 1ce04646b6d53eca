"""Requests from several clients at once, each answer judged; who waits is told of every answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tests.raw_http import Http1, RawRequest, RawResponse, http1

_SECONDS = 90.0
Judge = Callable[[RawResponse], int]
"""The number that the answer carries; raises AssertionError for a bad one."""


class Load:
    """What several clients, each with a connection of its own, have been answered so far."""

    def __init__(
        self, port: int, requests: Sequence[RawRequest], judge: Judge, clients: int, pause: float
    ) -> None:
        self._port = port
        self._requests = requests
        self._judge = judge
        self._pause = pause
        self._stopping = threading.Event()
        self._news = threading.Condition()
        self._answers = [0] * clients
        self._latest = [0] * clients
        self.failures: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._run, args=(client,), name=f"client-{client}")
            for client in range(clients)
        ]

    @property
    def answers(self) -> int:
        """How many there were in all."""
        return sum(self._answers)

    def wait_for(self, number: int) -> None:
        """Return once the latest answer of every client carries ``number``."""
        self._wait(lambda: all(latest == number for latest in self._latest))

    def wait_for_more(self, answers: int) -> None:
        """Return once every client had that many answers more."""
        with self._news:
            goal = [before + answers for before in self._answers]
        self._wait(lambda: all(now >= then for now, then in zip(self._answers, goal, strict=True)))

    def _wait(self, reached: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(lambda: self.failures or reached(), _SECONDS), "no such answer came"
        self.check()

    def check(self) -> None:
        """Fail if any request did."""
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
                with http1(self._port) as connection:
                    self._ask(client, connection)
        except BaseException as failure:  # noqa: BLE001 - the test's own thread reports it
            with self._news:
                self.failures.append(failure)
                self._news.notify_all()

    def _ask(self, client: int, connection: Http1) -> None:
        closing = False
        while not (closing or self._stopping.is_set()):
            answer = connection.send(self._requests[self._answers[client] % len(self._requests)])
            number = self._judge(answer)
            closing = "close" in answer.all("connection")
            with self._news:
                # One connection is one worker of Envoy's, and that never goes back to an older policy.
                assert number >= self._latest[client], f"{number} after {self._latest[client]}"
                self._latest[client] = number
                self._answers[client] += 1
                self._news.notify_all()
            if self._pause:
                self._stopping.wait(self._pause)


@contextmanager
def load(
    port: int, requests: Sequence[RawRequest], judge: Judge, clients: int = 4, pause: float = 0
) -> Iterator[Load]:
    """``clients`` asking while the block lasts; fails if any request fails.

    ``pause`` are seconds between two requests of a client, for those who want steady traffic and no race.
    """
    made = Load(port, requests, judge, clients, pause)
    try:
        made.start()
        yield made
    finally:
        made.stop()
    made.check()
