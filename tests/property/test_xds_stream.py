"""Whatever the order of changes, answers and reconnects, a node ends with what it would get from scratch."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.model_node import TYPES, ModelNode, cluster, is_bad, replace, route

from crossgate.compiler.resource import Resource
from crossgate.xds.cache import Cache
from crossgate.xds.ledger import Connection, Ledger
from crossgate.xds.messages import DiscoveryRequest
from crossgate.xds.resource_types import CLUSTER, LISTENER, SCOPED_ROUTES, WHOLE_FIRST_RESPONSE
from crossgate.xds.rollout_wait import wait_until_decided
from crossgate.xds.stream import Stream

LONGEST = 3


@dataclass(frozen=True)
class Published:
    """One API: its policy, which may be one that Envoy rejects, and the native service it goes to."""

    policy: int
    native: int
    bad_policy: bool


APIS = st.dictionaries(
    st.integers(0, 6),
    st.builds(
        Published,
        policy=st.integers(0, 2),
        native=st.integers(0, 2),
        bad_policy=st.integers(0, 2).map(lambda number: number == 2),
    ),
)
# By native service, which several APIs share, the text of its cluster.
NATIVES = st.lists(st.sampled_from([*["good"] * 5, "good 2", "bad"]), min_size=3, max_size=3)


def compiled(apis: dict[int, Published], natives: list[str]) -> list[Resource]:
    resources = [Resource.of(LISTENER, "listener", b"good")]
    used = {api.native for api in apis.values()}
    resources += [cluster(f"n{number}", natives[number]) for number in used]
    for number, api in apis.items():
        text = f"{'bad' if api.bad_policy else 'good'} {api.policy}"
        resources.append(route(f"{number}", text, to=f"n{api.native}"))
    return resources


class Conversation(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.cache = Cache()
        self.node = ModelNode()
        self.ledger = Ledger(self.cache)
        self.session: Connection | None = None
        self.once_bad: set[str] = set()
        # Clusters kept out of a rejected response; then the connection was lost, and with it that knowledge.
        self.unknown: dict[str, Resource] = {}
        self.cache.watch(self.wanted_changed)
        self.publish({}, ["good"] * 3)

    def wanted_changed(self, keys: tuple[tuple[str, str], ...]) -> None:
        if self.node.stream is not None:
            self.node.perform(self.node.stream.changed(keys))

    @rule(apis=APIS, natives=NATIVES)
    def publish(self, apis: dict[int, Published], natives: list[str]) -> None:
        resources = compiled(apis, natives)
        self.once_bad.update(resource.name for resource in resources if is_bad(resource))
        replace(self.cache, resources)

    @rule(number=st.integers(0, 6), policy=st.integers(0, 9))
    def edit_one_policy(self, number: int, policy: int) -> None:
        resource = self.cache.get(SCOPED_ROUTES, str(number))
        if resource is not None:
            to = resource.body.decode().split()[-1]
            changed = route(str(number), f"good edited {policy}", to=to)
            self.cache.update({(SCOPED_ROUTES, str(number)): changed})

    @rule(number=st.integers(0, 6), native=st.integers(0, 2))
    def move_one_api(self, number: int, native: int) -> None:
        """To a native service that others may have: its cluster is then perhaps in flight already."""
        name = f"n{native}"
        changes = [route(str(number), "good moved", to=name)]
        if self.cache.get(CLUSTER, name) is None:
            changes.append(cluster(name))
        self.cache.update({(one.type_url, one.name): one for one in changes})

    @rule()
    def connect(self) -> None:
        self.lose_connection()
        self.session = self.ledger.connect("node")
        self.node.listener = partial(self.ledger.record, self.session)
        self.node.connect(Stream(self.cache, longest=LONGEST))

    @rule()
    def lose_connection(self) -> None:
        known = self.node.versions[CLUSTER]
        kept = self.node.serving[CLUSTER].items()
        self.unknown |= {name: one for name, one in kept if known.get(name) != one.version}
        self.node.disconnect()
        self.forget_session()

    @rule()
    def restart_node(self) -> None:
        self.node.restart()
        self.forget_session()

    def forget_session(self) -> None:
        if self.session is not None:
            self.ledger.disconnect(self.session)
            self.session = None

    @rule(times=st.integers(1, 8))
    def deliver_requests(self, times: int) -> None:
        for _ in range(times):
            self.node.deliver_request()

    @rule(times=st.integers(1, 8))
    def deliver_responses(self, times: int) -> None:
        for _ in range(times):
            self.node.deliver_response()

    @precondition(lambda self: self.node.stream is not None)
    @rule(type_url=st.sampled_from(TYPES), error=st.sampled_from([None, "stale"]))
    def answer_something_stale(self, type_url: str, error: str | None) -> None:
        if type_url in self.node.requested:
            self.node.to_stream.append(DiscoveryRequest(type_url, nonce="stale", error=error))

    @rule()
    def run_until_idle(self) -> None:
        if self.node.stream is None:
            self.connect()
        self.node.run()
        self.check_everything()

    def check_everything(self) -> None:
        for type_url in TYPES:
            serving, wanted = self.node.serving[type_url], self.cache.names(type_url)
            unknown = {name for name, one in serving.items() if self.unknown.get(name) == one}
            for name in wanted:
                resource = self.cache.get(type_url, name)
                assert resource is not None
                assert is_bad(resource) or serving.get(name) == resource or name in unknown
            superfluous = serving.keys() - wanted - unknown
            # An outdated cluster stays for as long as Envoy rejects what would replace its last user.
            rejected = any(is_bad(resource) for resource in wanted_routes(self.cache))
            assert not superfluous or (type_url == CLUSTER and rejected)
        before = len(self.node.sent)
        self.node.run()
        assert len(self.node.sent) == before
        asyncio.run(self.no_wait_is_left())

    async def no_wait_is_left(self) -> None:
        """When nothing is sent any more, no wait for the node is left."""
        waiting = asyncio.create_task(wait_until_decided(self.ledger))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        decided = waiting.done()
        waiting.cancel()
        assert decided

    @invariant()
    def no_route_names_a_missing_cluster(self) -> None:
        for resource in self.node.serving[SCOPED_ROUTES].values():
            named = resource.body.decode().split()[-1]
            assert named in self.node.serving[CLUSTER] or named in self.once_bad

    @invariant()
    def responses_are_short(self) -> None:
        assert all(
            len(send.resources) + len(send.removed) <= LONGEST
            for send in self.node.to_node
            if send.type_url not in WHOLE_FIRST_RESPONSE or self.node.versions[send.type_url]
        )

    def teardown(self) -> None:
        self.run_until_idle()


def wanted_routes(cache: Cache) -> list[Resource]:
    found = [cache.get(SCOPED_ROUTES, name) for name in cache.names(SCOPED_ROUTES)]
    return [resource for resource in found if resource is not None]


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
