"""One delta ADS stream as a state machine: `receive` a request or hear what `changed`, get effects back.

No socket, no clock, no protobuf: the shell performs the effects in their order and decides nothing.
Guaranteed:

- at most one unacknowledged response per kind, of at most `LONGEST_BATCH` resources unless it is the first of
  its kind and the node would serve by half of it; what changes meanwhile coalesces into the next;
- only differences travel: between wanted and acknowledged, and after a reconnect between wanted and what the
  node says it holds, removals included;
- a refused batch is halved until the bad resource stands alone; it is reported once, stays unsent until its
  version changes, and everything else gets through;
- within one change, clusters precede listeners, these precede routes, and removals go the other way;
- an empty subscription to everything is answered at once, or Envoy would wait for it on start.

Source: "xDS REST and gRPC protocol", incremental xDS, in Envoy's documentation.
"""

from __future__ import annotations

from collections.abc import Iterable

from crossgate.xds.cache import Key
from crossgate.xds.messages import (
    EVERYTHING,
    DiscoveryRequest,
    DiscoveryResponse,
    Effect,
    ResourcesApplied,
    SubscriptionChanged,
)
from crossgate.xds.ordering import Ordering
from crossgate.xds.resource_types import REMOVED_AFTER, WILDCARD_TYPES
from crossgate.xds.subscription import LONGEST_BATCH, Resources, Subscription


class Stream:
    """What one connection of one node has been told and has answered."""

    def __init__(self, resources: Resources, *, longest: int = LONGEST_BATCH) -> None:
        self._resources = resources
        self._longest = longest
        self._subscriptions: dict[str, Subscription] = {}
        self._order = Ordering()
        self._nonces = 0
        self._unanswered: dict[str, str] = {}
        # Kinds that must get a response even if there is nothing to send.
        self._owed: set[str] = set()
        # Removals that a reconnected node has to wait for, see `_open`.
        self._later: dict[str, frozenset[str]] = {}

    def receive(self, request: DiscoveryRequest) -> list[Effect]:
        """The node said something."""
        subscription = self._subscriptions.get(request.type_url)
        if subscription is None:
            return [*self._open(request), *self._pump()]
        return [
            *self._answered(subscription, request),
            *self._subscribe(subscription, request),
            *self._pump(),
        ]

    def changed(self, keys: Iterable[Key]) -> list[Effect]:
        """The wanted versions of ``keys`` changed, as one change; costs the number of keys."""
        effects: list[Effect] = []
        moving: list[Key] = []
        heard = [key for key in keys if (kind := self._subscriptions.get(key[0])) and kind.follows(key[1])]
        for key in heard:
            subscription = self._subscriptions[key[0]]
            effects += subscription.touch(key[1])
            if subscription.on_its_way(key[1]):
                moving.append(key)
        # A cluster of an earlier change that is on its way still, and that these are the first to need here.
        after = {key for one in moving for key in self._needs(one) if self._on_its_way(key)}
        goes = any(key[0] in REMOVED_AFTER and self._removed(key) for key in moving)
        before = self._unsettled() if goes else []
        self._order.change(moving, removed=self._removed, after=after, removed_after=before)
        self._progress(heard)
        return [*effects, *self._pump()]

    def _open(self, request: DiscoveryRequest) -> list[Effect]:
        """The first request of a kind: a new subscription, or one that is resumed after a reconnect."""
        kind = request.type_url
        subscription = self._subscriptions[kind] = Subscription(kind, self._resources, longest=self._longest)
        asked = set(request.subscribe) - set(request.unsubscribe)
        if not request.subscribe and kind in WILDCARD_TYPES:
            asked.add(EVERYTHING)
        subscription.everything = EVERYTHING in asked
        subscription.named = asked - {EVERYTHING}
        subscription.has = {
            name: version for name, version in request.held.items() if subscription.follows(name)
        }
        for name in subscription.named - subscription.has.keys():
            subscription.insist(name)
        lacking = subscription.all_lacking()
        # A resuming node names all its subscriptions at once, clusters first. Its clusters must not go before
        # the routes it is about to name are known, so their removal waits until it has answered once.
        later = frozenset(
            name for name in lacking if name in subscription.has and subscription.wanted(name) is None
        ).intersection(lacking if kind in REMOVED_AFTER else ())
        if later:
            self._later[kind] = later
        if later or (subscription.everything and not request.held):
            self._owed.add(kind)
        self._enqueue(subscription, [name for name in lacking if name not in later])
        effects: list[Effect] = [SubscriptionChanged(kind, added=tuple(sorted(asked)))]
        if subscription.has:
            effects.append(ResourcesApplied(kind, tuple(subscription.has.items())))
        return effects

    def _enqueue(self, subscription: Subscription, names: list[str]) -> None:
        """Queue what a subscription asks for, behind everything that is on its way already."""
        keys = [(subscription.type_url, name) for name in names]
        unsettled = self._unsettled()
        # A refused update will not arrive: only removals wait for what it left serving.
        after = [key for key in unsettled if self._subscriptions[key[0]].on_its_way(key[1])]
        self._order.change(keys, removed=self._removed, after=after, removed_after=unsettled)
        subscription.queue(names)

    def _unsettled(self) -> list[Key]:
        return [(kind, name) for kind, other in self._subscriptions.items() for name in other.unsettled()]

    def _answered(self, subscription: Subscription, request: DiscoveryRequest) -> list[Effect]:
        kind = subscription.type_url
        if not request.nonce or self._unanswered.get(kind) != request.nonce:
            return []  # No answer, or one to a response that is no longer of interest.
        del self._unanswered[kind]
        effects: list[Effect]
        if request.error is None:
            names, effects = subscription.taken()
        else:
            names = subscription.not_taken(request.error)
            effects = [subscription.news_of(name) for name in names if not subscription.on_its_way(name)]
        later = self._later.pop(kind, None)
        if later:
            self._enqueue(subscription, sorted(name for name in later if subscription.lacks(name)))
        self._progress((kind, name) for name in names)
        return effects

    def _subscribe(self, subscription: Subscription, request: DiscoveryRequest) -> list[Effect]:
        """Apply the changes that ``request`` makes to a subscription."""
        kind = subscription.type_url
        for name in request.unsubscribe:
            if name == EVERYTHING:
                dropped = {
                    *subscription.has,
                    *subscription.refused,
                    *subscription.unsettled(),
                } - subscription.named
                subscription.everything = False
                self._drop(subscription, dropped)
                continue
            subscription.named.discard(name)
            if subscription.everything:
                # The node cannot know whether "everything" still covers it: it must be told.
                subscription.insist(name)
                subscription.queue([name])
            else:
                self._drop(subscription, [name])
        for name in request.subscribe:
            if name == EVERYTHING:
                subscription.everything = True
                self._owed.add(kind)
                self._enqueue(subscription, subscription.all_lacking())
            else:
                subscription.named.add(name)
                subscription.insist(name)
                subscription.queue([name])
        if not request.subscribe and not request.unsubscribe:
            return []
        return [SubscriptionChanged(kind, added=request.subscribe, dropped=request.unsubscribe)]

    def _drop(self, subscription: Subscription, names: Iterable[str]) -> None:
        for name in names:
            subscription.forget(name)
            key = (subscription.type_url, name)
            self._release([*self._order.settled(key), *self._order.in_place(key)])

    def _needs(self, key: Key) -> Iterable[Key]:
        resource = self._resources.get(*key)
        return resource.needs if resource else ()

    def _on_its_way(self, key: Key) -> bool:
        subscription = self._subscriptions.get(key[0])
        return subscription is not None and subscription.on_its_way(key[1])

    def _removed(self, key: Key) -> bool:
        return self._resources.get(*key) is None

    def _progress(self, keys: Iterable[Key]) -> None:
        """Open the barriers that waited for ``keys``, as far as these have arrived."""
        for key in keys:
            subscription, name = self._subscriptions[key[0]], key[1]
            if self._removed(key) or not subscription.on_its_way(name):
                self._release(self._order.settled(key))
            if subscription.settle(name):
                self._release(self._order.in_place(key))

    def _release(self, keys: Iterable[Key]) -> None:
        for kind, name in keys:
            self._subscriptions[kind].queue([name])

    def _pump(self) -> list[Effect]:
        """DiscoveryResponse all that may go, and settle what is final; either may let something else go."""
        effects: list[Effect] = []
        moving = True
        while moving:
            moving = False
            for subscription in self._subscriptions.values():
                if self._launch(subscription):
                    effects.append(self._send(subscription))
                    continue
                names, news = subscription.verdicts()
                effects += news
                self._progress((subscription.type_url, name) for name in names)
                moving = moving or bool(names)
        return effects

    def _launch(self, subscription: Subscription) -> bool:
        """Put a batch in flight, an empty one if one is owed and nothing is coming."""
        kind = subscription.type_url
        later = self._later.get(kind, frozenset())

        def held_back(name: str) -> bool:
            removal = subscription.wanted(name) is None
            return (removal and name in later) or self._order.holds_back((kind, name), removal=removal)

        if subscription.next_batch(held_back) is not None:
            return True
        if subscription.flight is not None or kind not in self._owed:
            return False
        if any(subscription.on_its_way(name) for name in subscription.unsettled() if name not in later):
            return False
        subscription.launch([])
        return True

    def _send(self, subscription: Subscription) -> DiscoveryResponse:
        kind = subscription.type_url
        self._owed.discard(kind)
        self._nonces += 1
        self._unanswered[kind] = nonce = str(self._nonces)
        flight = subscription.flight or {}
        wanted = [(name, self._resources.get(kind, name)) for name in flight]
        return DiscoveryResponse(
            kind,
            nonce,
            tuple(resource for _, resource in wanted if resource is not None),
            tuple(name for name, resource in wanted if resource is None),
        )
