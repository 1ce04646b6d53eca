"""One delta ADS stream as a state machine: requests and changes in, effects out. No socket, no clock.

**Delta xDS.** A node opens one stream and subscribes to resource types. A request of the node can do two
things at once: change a subscription, and answer a response. A response carries the resources of one type
that are new or changed, each with its version, and the names of removed ones. What it does not mention stays
as it is.

**Nonce, ACK and NACK.** Each response has a nonce, and the request that repeats it is the answer: an ACK, or
with ``error_detail`` a NACK. Envoy acknowledges after it has activated the resources, so an ACK means
"enforced". A request without nonce, or with an older one, does not answer anything.

**One unanswered response per type.** The protocol allows several. With one, a slow node costs a bounded
queue; changes meanwhile coalesce, because a name is queued and its newest version is looked up when it is
sent; and each answer is about exactly one set of versions.

**All or nothing.** A NACK rejects the response as a whole and does not say reliably which resource is at
fault. Of scoped routes Envoy then activates none; of clusters and listeners it activates the good ones. So
after a NACK of several resources the node's state of each is unknown: all are sent again, and their later
removal is sent even if no version was ever acknowledged.

**Bisecting.** A rejected response is halved until the bad resource stands alone, in about log2(n) responses
for each. Two resources may be valid only together: two scopes that exchange their keys are each rejected
without the other. So what was rejected alone is tried once more, together, when everything else is sent.
What is rejected then is reported once and not sent again on this stream until its version changes.

**Marks.** Scoped routes never travel twice with equal bytes, because Envoy would skip them; `wire` says why.

**Reconnects.** The state of a stream ends with its connection. In its first request of a type a node lists
the versions that it holds, and only the differences are sent, removals included. Versions are hashes of the
content, so this holds across restarts and between control planes. Two things are lost: a rejected version is
sent, and rejected, once more; and the good clusters that Envoy kept of a rejected response are not listed,
so one that is no longer wanted is not removed.

**Order between types.** Within one change, clusters precede listeners and these precede routes; removals go
the other way (`ordering`). A node that reconnects names its clusters before its routes, so the removal of
its clusters is postponed until it has answered once, when its routes are known.

Source: "xDS REST and gRPC protocol", incremental xDS,
https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol.
"""

from __future__ import annotations

from collections.abc import Iterable

from crossgate.compiler.resource import ResourceKey
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
    """One connection of one node: its subscriptions, and the order between them."""

    def __init__(self, resources: Resources, *, longest: int = LONGEST_BATCH) -> None:
        self._resources = resources
        self._longest = longest
        self._subscriptions: dict[str, Subscription] = {}
        self._order = Ordering()
        self._nonces = 0
        self._unanswered: dict[str, str] = {}
        # Types that must get a response even if there is nothing to send.
        self._owed: set[str] = set()

    def receive(self, request: DiscoveryRequest) -> list[Effect]:
        """The effects of a request of the node."""
        subscription = self._subscriptions.get(request.type_url)
        if subscription is None:
            return [*self._open(request), *self._pump()]
        return [*self._answer(subscription, request), *self._subscribe(subscription, request), *self._pump()]

    def changed(self, keys: Iterable[ResourceKey]) -> list[Effect]:
        """The effects of one change of the wanted versions of ``keys``; costs the number of keys."""
        effects: list[Effect] = []
        on_their_way: list[ResourceKey] = []
        followed = [key for key in keys if self._follows(key)]
        for key in followed:
            subscription = self._subscriptions[key[0]]
            effects += subscription.wanted_changed(key[1])
            if subscription.on_its_way(key[1]):
                on_their_way.append(key)
        # Clusters of an earlier change that are still on their way, and that only this change needs here.
        after = {need for key in on_their_way for need in self._needs(key) if self._on_its_way(need)}
        removes = any(key[0] in REMOVED_AFTER and self._is_removal(key) for key in on_their_way)
        removed_after = self._unsettled() if removes else []
        self._order.change(on_their_way, removed=self._is_removal, after=after, removed_after=removed_after)
        self._progress(followed)
        return [*effects, *self._pump()]

    def _open(self, request: DiscoveryRequest) -> list[Effect]:
        """The first request of a type: a new subscription, or one that is resumed after a reconnect."""
        type_url = request.type_url
        subscription = Subscription(type_url, self._resources, longest=self._longest)
        self._subscriptions[type_url] = subscription
        names = set(request.subscribe) - set(request.unsubscribe)
        if not request.subscribe and type_url in WILDCARD_TYPES:
            names.add(EVERYTHING)
        subscription.everything = EVERYTHING in names
        subscription.named = names - {EVERYTHING}
        held = {name: version for name, version in request.held.items() if subscription.follows(name)}
        subscription.acknowledged = dict(held)
        for name in subscription.named - held.keys():
            subscription.force(name)
        lacking = subscription.all_lacking()
        if type_url in REMOVED_AFTER:
            subscription.postpone(
                name for name in lacking if name in held and subscription.wanted(name) is None
            )
        # An empty subscription to everything is answered at once, or Envoy would wait for it on start.
        if subscription.postponed or (subscription.everything and not request.held):
            self._owed.add(type_url)
        self._enqueue(subscription, [name for name in lacking if name not in subscription.postponed])
        effects: list[Effect] = [SubscriptionChanged(type_url, added=tuple(sorted(names)))]
        if held:
            effects.append(ResourcesApplied(type_url, tuple(held.items())))
        return effects

    def _enqueue(self, subscription: Subscription, names: list[str]) -> None:
        """Queue what a subscription needs, behind everything that is on its way already."""
        keys = [(subscription.type_url, name) for name in names]
        unsettled = self._unsettled()
        # A rejected update will not arrive: only removals wait for what it left serving.
        after = [key for key in unsettled if self._on_its_way(key)]
        self._order.change(keys, removed=self._is_removal, after=after, removed_after=unsettled)
        subscription.queue(names)

    def is_rejected(self, key: ResourceKey) -> bool:
        """Whether the node rejected the wanted version of a resource for good."""
        subscription = self._subscriptions.get(key[0])
        return subscription is not None and subscription.is_rejected(key[1])

    def retry(self, keys: Iterable[ResourceKey]) -> list[Effect]:
        """Send rejected resources once more, as if the node subscribed to them again."""
        for type_url, name in keys:
            subscription = self._subscriptions[type_url]
            subscription.force(name)
            subscription.queue([name])
        return self._pump()

    def _answer(self, subscription: Subscription, request: DiscoveryRequest) -> list[Effect]:
        """Apply the ACK or NACK in ``request``, if it has one."""
        type_url = subscription.type_url
        if not request.nonce or self._unanswered.get(type_url) != request.nonce:
            return []
        del self._unanswered[type_url]
        effects: list[Effect]
        if request.error is None:
            names, effects = subscription.ack()
        else:
            names = subscription.nack(request.error)
            effects = [subscription.applied(name) for name in names if not subscription.on_its_way(name)]
        postponed = subscription.take_postponed()
        if postponed:
            self._enqueue(subscription, postponed)
        self._progress((type_url, name) for name in names)
        return effects

    def _subscribe(self, subscription: Subscription, request: DiscoveryRequest) -> list[Effect]:
        """Apply the changes that ``request`` makes to a subscription."""
        type_url = subscription.type_url
        for name in request.unsubscribe:
            if name == EVERYTHING:
                subscription.everything = False
                self._forget(subscription, subscription.known() - subscription.named)
                continue
            subscription.named.discard(name)
            if subscription.everything:
                # The node cannot know whether "everything" still covers the name: it needs an answer.
                subscription.force(name)
                subscription.queue([name])
            else:
                self._forget(subscription, [name])
        for name in request.subscribe:
            if name == EVERYTHING:
                subscription.everything = True
                self._owed.add(type_url)
                self._enqueue(subscription, subscription.all_lacking())
            else:
                subscription.named.add(name)
                subscription.force(name)
                subscription.queue([name])
        if not request.subscribe and not request.unsubscribe:
            return []
        return [SubscriptionChanged(type_url, added=request.subscribe, dropped=request.unsubscribe)]

    def _forget(self, subscription: Subscription, names: Iterable[str]) -> None:
        for name in names:
            subscription.forget(name)
            key = (subscription.type_url, name)
            self._release([*self._order.decided(key), *self._order.in_place(key)])

    def _unsettled(self) -> list[ResourceKey]:
        return [(type_url, name) for type_url, one in self._subscriptions.items() for name in one.unsettled()]

    def _needs(self, key: ResourceKey) -> Iterable[ResourceKey]:
        resource = self._resources.get(*key)
        return resource.needs if resource else ()

    def _follows(self, key: ResourceKey) -> bool:
        subscription = self._subscriptions.get(key[0])
        return subscription is not None and subscription.follows(key[1])

    def _on_its_way(self, key: ResourceKey) -> bool:
        subscription = self._subscriptions.get(key[0])
        return subscription is not None and subscription.on_its_way(key[1])

    def _is_removal(self, key: ResourceKey) -> bool:
        return self._resources.get(*key) is None

    def _progress(self, keys: Iterable[ResourceKey]) -> None:
        """Open the barriers that waited for ``keys``, as far as these have arrived."""
        for key in keys:
            subscription = self._subscriptions[key[0]]
            if self._is_removal(key) or not subscription.on_its_way(key[1]):
                self._release(self._order.decided(key))
            if subscription.in_place(key[1]):
                self._release(self._order.in_place(key))

    def _release(self, keys: Iterable[ResourceKey]) -> None:
        for type_url, name in keys:
            self._subscriptions[type_url].queue([name])

    def _pump(self) -> list[Effect]:
        """Send all that may go, and decide what is final; either may let something else go."""
        effects: list[Effect] = []
        progress = True
        while progress:
            progress = False
            for subscription in self._subscriptions.values():
                if self._launch(subscription):
                    effects.append(self._respond(subscription))
                    continue
                names, rejected = subscription.give_up()
                effects += rejected
                self._progress((subscription.type_url, name) for name in names)
                progress = progress or bool(names)
        return effects

    def _launch(self, subscription: Subscription) -> bool:
        """Put a batch in flight, an empty one if a response is owed and nothing is on its way."""
        type_url = subscription.type_url

        def held_back(name: str, removal: bool) -> bool:  # noqa: FBT001 - called by position, for each name
            return self._order.holds_back((type_url, name), removal=removal)

        if subscription.next_batch(held_back) is not None:
            return True
        if subscription.in_flight is not None or type_url not in self._owed:
            return False
        if any(
            subscription.on_its_way(name)
            for name in subscription.unsettled()
            if name not in subscription.postponed
        ):
            return False
        subscription.launch([])
        return True

    def _respond(self, subscription: Subscription) -> DiscoveryResponse:
        type_url = subscription.type_url
        self._owed.discard(type_url)
        self._nonces += 1
        self._unanswered[type_url] = nonce = str(self._nonces)
        resources = [(name, self._resources.get(type_url, name)) for name in subscription.in_flight or ()]
        return DiscoveryResponse(
            type_url,
            nonce,
            tuple(resource for _, resource in resources if resource is not None),
            tuple(name for name, resource in resources if resource is None),
        )
