"""Server-sent events: what changes about refusals and statistics, for clients that stay connected.

https://html.spec.whatwg.org/multipage/server-sent-events.html

One task reads what all clients need, at most once a second, and only while there are clients. It puts the
changed items into a queue for each client, which holds the newest state of each item: so a client that reads
slowly misses states in between and no last one, until its queue is full. Then the oldest items are dropped,
and an event says how many. An event's id is a time: a client that returns with it (`Last-Event-ID`) gets what
changed since.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from time import monotonic
from typing import Final

from starlette.concurrency import run_in_threadpool

from crossgate.admin.workers import WorkRefused
from crossgate.diagnostics import Diagnostic
from crossgate.service.errors import StoreUnavailable
from crossgate.service.log import Log
from crossgate.service.refusal_query import can_see
from crossgate.service.tokens import Token, Tokens

OVERLAP: Final = timedelta(seconds=30)
"""How far back each read goes: other control planes store what they learn some seconds later."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How many clients are served, and how; times in seconds."""

    clients: int = 64
    clients_of_token: int = 8
    queue: int = 1000
    """Items that wait for one client."""
    heartbeat: float = 15.0
    interval: float = 1.0
    """Between two reads, at least."""
    poll: float = 5.0
    """Between two reads if nothing is noticed, for what other control planes store. Tokens are checked as
    often."""
    retry_ms: int = 3000
    """After which clients connect again."""
    share: float = 0.1
    """Of the time that reading may take: with very many groups, events come less often."""


class Topic(StrEnum):
    """What a stream is about, and the type of its events."""

    REFUSAL = "refusal"
    STATS = "stats"
    REVISION = "revision"
    """The newest revision."""
    NODE = "node"
    """A node that is connected to this control plane: whether it enforces the newest revision."""


@dataclass(frozen=True, slots=True)
class StreamItem:
    """One thing that a stream tells the state of."""

    key: str
    api: str
    """Which callers can see it follows from this."""
    source: object
    """What it shows, for filters."""
    body: Mapping[str, object]
    for_all: bool = False
    """Whether callers with a limit see it too, whatever its API."""


Read = Callable[[datetime, Sequence[str]], Sequence[StreamItem]]
"""Returns what changed at that time or later, and the items with those keys; blocks."""


class TooManyStreams(WorkRefused):
    """As many clients are connected as are served at the same time."""

    def __init__(self, remedy: str) -> None:
        diagnostic = Diagnostic("too-many-streams", "too many event streams at the same time", remedy)
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, diagnostic)


@dataclass(eq=False, slots=True)
class _Client:
    token: Token
    topics: frozenset[Topic]
    matches: Callable[[StreamItem], bool]
    waiting: OrderedDict[tuple[Topic, str], str] = field(default_factory=OrderedDict)
    dropped: int = 0
    end: str = ""
    """Why the stream ends; empty while it goes on."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, key: tuple[Topic, str], body: str, limit: int) -> None:
        self.waiting.pop(key, None)
        self.waiting[key] = body
        if len(self.waiting) > limit:
            self.waiting.popitem(last=False)
            self.dropped += 1
        self.wake.set()

    def finish(self, why: str) -> None:
        self.end = why
        self.wake.set()


class EventStreams:
    """The clients of all streams, and the task that serves them. All calls are on one event loop."""

    def __init__(
        self,
        feeds: Mapping[Topic, Read],
        watch: Callable[[Callable[[str], None]], Callable[[], None]],
        tokens: Tokens,
        limits: StreamLimits | None = None,
    ) -> None:
        """``watch`` registers a callback that is called from any thread, with the key of an item or none."""
        self._feeds = feeds
        self._sent: dict[Topic, dict[str, str]] = {topic: {} for topic in feeds}
        """The newest state of each item that was read lately, as JSON."""
        self._watch = watch
        self._tokens = tokens
        self._limits = StreamLimits() if limits is None else limits
        self._clients: dict[_Client, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._begun = asyncio.Event()
        """Set when the task knows what was there before the clients came."""
        self._noticed = asyncio.Event()
        self._keys: set[str] = set()

    @property
    def clients(self) -> int:
        """How many clients are connected."""
        return len(self._clients)

    def open(
        self,
        topics: frozenset[Topic],
        token: Token,
        matches: Callable[[StreamItem], bool],
        last_event_id: str = "",
    ) -> tuple[AsyncIterator[bytes], Callable[[], None]]:
        """The stream for a new client, from now on or from what the client has seen last.

        The function gives the client's place back: call it at the end, also if the stream was never read.

        Raises:
            TooManyStreams: too many are connected.

        """
        limits = self._limits
        if sum(one.token.name == token.name for one in self._clients) >= limits.clients_of_token:
            raise TooManyStreams(f"Close some of this token's {limits.clients_of_token} streams, then retry")
        if len(self._clients) >= limits.clients:
            raise TooManyStreams("Retry later")
        client = _Client(token, topics, matches)
        self._clients[client] = None
        if self._task is None:
            self._begun.clear()
            self._task = asyncio.create_task(self._serve())
            self._task.add_done_callback(self._on_end)
        return self._stream(client, _parse_event_id(last_event_id)), lambda: self._leave(client)

    def _leave(self, client: _Client) -> None:
        self._clients.pop(client, None)
        if not self._clients and self._task is not None:
            self._task.cancel()
            self._task = None

    def _on_end(self, task: asyncio.Task[None]) -> None:
        if self._task is task:
            self._task = None
            self._begun.set()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            Log("admin").error("Event streams failed", error=repr(error))
            for client in self._clients:
                client.finish("failed")

    async def close(self) -> None:
        """End all streams."""
        for client in self._clients:
            client.finish("stopping")
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _stream(self, client: _Client, since: datetime | None) -> AsyncIterator[bytes]:
        await self._begun.wait()
        yield f"retry: {self._limits.retry_ms}\n: connected\n\n".encode()
        if since is not None:
            await self._catch_up(client, since)
        while True:
            if client.dropped:
                dropped, client.dropped = client.dropped, 0
                yield _event("dropped", json.dumps({"dropped": dropped}))
            while client.waiting and not client.end:
                (topic, _), body = client.waiting.popitem(last=False)
                yield _event(topic, body, _event_id())
            if client.end:
                yield _event("end", json.dumps({"code": client.end}))
                return
            client.wake.clear()
            try:
                await asyncio.wait_for(client.wake.wait(), self._limits.heartbeat)
            except TimeoutError:
                yield b": heartbeat\n\n"

    async def _catch_up(self, client: _Client, since: datetime) -> None:
        for topic in sorted(client.topics):
            try:
                items = await run_in_threadpool(self._feeds[topic], since - OVERLAP, ())
            except StoreUnavailable:
                return  # It gets what changes from now on.
            for item in items:
                self._offer(client, topic, item, _json(item))

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()

        def note(key: str) -> None:
            if key:
                self._keys.add(key)
            self._noticed.set()

        def note_from_thread(key: str) -> None:
            # A loop that has ended did not always remove this; nobody listens there any more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(note, key)

        remove = self._watch(note_from_thread)
        read_at = datetime.now(UTC)
        try:
            await self._read(read_at - OVERLAP, (), hands_over=False)
            self._begun.set()
            while True:
                began = monotonic()
                keys, self._keys = sorted(self._keys), set()
                now = datetime.now(UTC)
                if await self._read(read_at - OVERLAP, keys):
                    read_at = now
                await self._check_tokens()
                took = monotonic() - began
                await asyncio.sleep(max(self._limits.interval, took / self._limits.share))
                if not self._noticed.is_set():
                    await self._wait(self._limits.poll)
                self._noticed.clear()
        finally:
            remove()

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._noticed.wait(), seconds)
        except TimeoutError:
            return

    async def _read(self, since: datetime, keys: Sequence[str], *, hands_over: bool = True) -> bool:
        """Read and hand over what changed; False if the store is not available."""
        topics = set(self._feeds)
        if hands_over:
            topics = {topic for one in self._clients for topic in one.topics}
        for topic in sorted(topics):
            try:
                items = await run_in_threadpool(self._feeds[topic], since, keys)
            except StoreUnavailable:
                self._keys.update(keys)
                return False
            sent, newest = self._sent[topic], dict[str, str]()
            self._sent[topic] = newest
            for item in items:
                body = newest[item.key] = _json(item)
                if sent.get(item.key) == body or not hands_over:
                    continue
                for client in self._clients:
                    if topic in client.topics:
                        self._offer(client, topic, item, body)
        return True

    def _offer(self, client: _Client, topic: Topic, item: StreamItem, body: str) -> None:
        visible = item.for_all or can_see(client.token.permission, item.api)
        if visible and client.matches(item):
            client.put((topic, item.key), body, self._limits.queue)

    async def _check_tokens(self) -> None:
        """End the streams whose token was revoked or has expired."""
        try:
            tokens = await run_in_threadpool(self._tokens.all)
        except StoreUnavailable:
            tokens = ()
        now = self._tokens.clock()
        known = {(one.name, one.created): one for one in tokens}
        for client in self._clients:
            token = known.get((client.token.name, client.token.created), client.token)
            if token.revoked is not None:
                client.finish("token-revoked")
            elif not token.valid(now):
                client.finish("token-expired")


def _json(item: StreamItem) -> str:
    # In ASCII, so that nothing from a request ends a line or controls a terminal.
    return json.dumps(item.body, default=str)


def _event(kind: str, data: str, event_id: str = "") -> bytes:
    lines = [f"event: {kind}", *([f"id: {event_id}"] if event_id else []), f"data: {data}"]
    return ("\n".join(lines) + "\n\n").encode("ascii")


def _event_id() -> str:
    return str(int(datetime.now(UTC).timestamp() * 1000))


def _parse_event_id(value: str) -> datetime | None:
    if not (value.isascii() and value.isdigit() and len(value) <= 14):
        return None
    return datetime.fromtimestamp(int(value) / 1000, UTC)
