"""Whatever a node subscribes to and unsubscribes from, it ends with every good resource that it follows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from tests.model_node import is_bad

from crossgate.compiler.resource import Resource, ResourceKey
from crossgate.xds.cache import Cache
from crossgate.xds.messages import EVERYTHING, DiscoveryRequest, DiscoveryResponse, Effect
from crossgate.xds.resource_types import CLUSTER, ENDPOINTS, LISTENER, SCOPED_ROUTES
from crossgate.xds.stream import Stream

TYPES = (CLUSTER, LISTENER, SCOPED_ROUTES, ENDPOINTS)
NAMES = tuple("abcde")
KEYS = st.tuples(st.sampled_from(TYPES), st.sampled_from(NAMES))
BODIES = st.one_of(st.none(), st.sampled_from(["good 1", "good 2", "good 3", "bad"]))
SUBSCRIPTIONS = st.lists(st.sampled_from([EVERYTHING, *NAMES]), max_size=3, unique=True).map(tuple)


class Node(RuleBasedStateMachine):
    """A node with explicit subscriptions; it accepts or rejects each response as a whole."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = Cache()
        self.stream = Stream(self.cache, longest=2)
        self.follows: dict[str, set[str]] = {}
        self.held: dict[ResourceKey, str] = {}
        self.unanswered: deque[DiscoveryResponse] = deque()
        self.once_bad = False
        self.cache.watch(lambda keys: self.receive(self.stream.changed(keys)))

    def receive(self, effects: Iterable[Effect]) -> None:
        self.unanswered += [effect for effect in effects if isinstance(effect, DiscoveryResponse)]

    @rule(changes=st.dictionaries(KEYS, BODIES, max_size=6))
    def change(self, changes: dict[ResourceKey, str | None]) -> None:
        self.once_bad = self.once_bad or "bad" in changes.values()
        # A route needs the cluster of its name.
        self.cache.update(
            {
                key: None
                if text is None
                else Resource.of(*key, text.encode(), ((CLUSTER, key[1]),) if key[0] == SCOPED_ROUTES else ())
                for key, text in changes.items()
            }
        )

    @rule(type_url=st.sampled_from(TYPES), subscribe=SUBSCRIPTIONS, unsubscribe=SUBSCRIPTIONS)
    def subscribe(self, type_url: str, subscribe: tuple[str, ...], unsubscribe: tuple[str, ...]) -> None:
        if type_url not in self.follows:
            # In its first request, a node has nothing to unsubscribe from.
            subscribe, unsubscribe = subscribe or (EVERYTHING,), ()
        names = self.follows.setdefault(type_url, set())
        names -= set(unsubscribe)
        for key in [key for key in self.held if key[0] == type_url and not self.is_followed(key)]:
            del self.held[key]
        names |= set(subscribe)
        request = DiscoveryRequest(type_url, subscribe=subscribe, unsubscribe=unsubscribe)
        self.receive(self.stream.receive(request))

    @rule(times=st.integers(1, 4))
    def answer(self, times: int) -> None:
        for _ in range(min(times, len(self.unanswered))):
            response = self.unanswered.popleft()
            bad = any(is_bad(resource) for resource in response.resources)
            if not bad:
                self.apply(response)
            request = DiscoveryRequest(
                response.type_url, nonce=response.nonce, error="bad resource" if bad else None
            )
            self.receive(self.stream.receive(request))

    def apply(self, response: DiscoveryResponse) -> None:
        for resource in response.resources:
            key = (response.type_url, resource.name)
            if self.is_followed(key):
                self.held[key] = resource.version
        for name in response.removed:
            self.held.pop((response.type_url, name), None)

    def is_followed(self, key: ResourceKey) -> bool:
        names = self.follows.get(key[0], set())
        return key[1] in names or EVERYTHING in names

    def teardown(self) -> None:
        for _ in range(1000):
            if not self.unanswered:
                break
            self.answer(1)
        assert not self.unanswered
        for key in [(type_url, name) for type_url in TYPES for name in NAMES]:
            wanted = self.cache.get(*key)
            if wanted is not None and self.is_followed(key):
                assert is_bad(wanted) or self.held.get(key) == wanted.version
            elif not self.once_bad:
                # While a resource is rejected, removals wait for its next good version.
                assert key not in self.held


TestNode = Node.TestCase
TestNode.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
