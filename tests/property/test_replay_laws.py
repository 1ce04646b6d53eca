"""Replay is right: what it predicts of recorded requests is what the engine then decides on each of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from tests.catalogues import api, application, catalogue, server_policy
from tests.differential.generate import Sample, random_public_origins, random_request, random_sample
from tests.refusal_groups import NOON, replay
from tests.telemetry import allowed_key, refusal_key

from crossgate.catalogue.effective import Associations, effective_policy
from crossgate.catalogue.model import Api, Application, Catalogue, Gateway
from crossgate.compiler.route_names import SERVER_LEVEL, DecisionSeries
from crossgate.diagnostics import Diagnostic
from crossgate.policy import (
    Answer,
    CorsPolicy,
    Mode,
    Reason,
    Request,
    SameOrigin,
    build_policy,
    decide,
    is_well_formed,
    parse_origin_pattern,
)
from crossgate.service.refusals import AllowedKey, AllowedOrigin, GroupKey, RefusalGroup, SeenIn
from crossgate.service.replay import Fate, FateKind, Replay
from crossgate.telemetry.evidence import FETCH_SITES
from crossgate.telemetry.group_keys import REFUSALS, has_allowed_origin
from crossgate.telemetry.sampled_request import SampledRequest

APIS: Final = ("one", "two", "three")
HOST: Final = "api.example.com"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request to one of the catalogue's endpoints."""

    endpoint: str
    request: Request


@dataclass(frozen=True, slots=True)
class Scene:
    """A catalogue, a plan for it, and what was sent before the plan."""

    before: Catalogue
    after: Catalogue
    sent: tuple[Sent, ...]


def scene(random: Random) -> Scene:
    public = random_public_origins(random)
    samples = {name: random_sample(random, public) for name in APIS}
    before = _catalogue(random, samples, public)
    sent = tuple(
        Sent(random.choice(served.endpoints), _request(random, samples[served.name]))
        for served in before.apis.values()
        for _ in range(12)
    )
    return Scene(before, _plan(random, before, samples), sent)


def _catalogue(random: Random, samples: dict[str, Sample], public: tuple[str, ...]) -> Catalogue:
    apis: list[Api] = []
    applications: list[Application] = []
    for name, sample in samples.items():
        cors = None if sample.policy is None else build_policy(**sample.policy)
        endpoints = random.choice(((), (), (f"/{name}",), (f"/{name}/a", f"/{name}/b")))
        apis.append(api(name, cors, endpoints=endpoints))
        applications.append(application(f"of-{name}", *sample.application_origins, apis=[f"{name}/1.0"]))
    gateway = Gateway(public_origins=public, same_origin=random.choice(tuple(SameOrigin)))
    return _with_server(random, catalogue(apis, applications, gateway=gateway), samples)


def _with_server(random: Random, found: Catalogue, samples: dict[str, Sample]) -> Catalogue:
    """The catalogue, in some cases with server-level CORS for some of the origins that are near."""
    if random.random() < 0.75:
        return replace(found, settings=replace(found.settings, policy=None))
    near = [one for sample in samples.values() for one in sample.near if is_well_formed(one)]
    origins = random.sample(near, min(len(near), 3)) or ["https://app.example.com"]
    policy = server_policy(
        " ".join(origins),
        host=random.choice(("", HOST)),
        supportedMethods=random.choice(("", "GET, POST", "GET, PUT, OPTIONS")),
        supportedHeaders=random.choice(("", "Content-Type, X-One")),
    )
    return replace(found, settings=replace(found.settings, policy=policy))


def _request(random: Random, sample: Sample) -> Request:
    request = replace(random_request(random, sample).parsed(), path="")
    if random.random() < 0.5:
        request = replace(request, host=HOST)
    if request.sec_fetch_site not in FETCH_SITES:
        # What no browser sends is not recorded. The specification takes a part of it for same-origin.
        request = replace(request, sec_fetch_site="")
    return replace(
        request, content_type=random.choice(("", "", "text/plain", "application/json", "text/xml"))
    )


def _plan(random: Random, before: Catalogue, samples: dict[str, Sample]) -> Catalogue:
    after = before
    for _ in range(random.choice((1, 1, 2, 3))):
        after = _changed(random, after, samples)
    return after


def _changed(random: Random, found: Catalogue, samples: dict[str, Sample]) -> Catalogue:
    if not found.apis:
        return found
    one = found.apis[random.choice(sorted(found.apis))]
    near = [near for near in samples[one.name].near if is_well_formed(near)]
    match random.randrange(10):
        case 0:
            return _without(found, one)
        case 1:
            taken = api(f"new-{one.name}", _other_policy(random), endpoints=one.endpoints)
            samples[taken.name] = samples[one.name]
            return _with(_without(found, one), taken)
        case 2:
            public = tuple(random.sample(near, min(len(near), 1)))
            return replace(found, gateway=replace(found.gateway, public_origins=public))
        case 3:
            same = random.choice(tuple(SameOrigin))
            return replace(found, gateway=replace(found.gateway, same_origin=same))
        case 4:
            return _with_server(random, found, samples)
        case 5:
            name = random.choice(sorted(found.applications))
            toggled = found.applications[name]
            toggled = replace(toggled, suspended=not toggled.suspended)
            return replace(found, applications={**found.applications, name: toggled})
        case 6:
            moved = ((f"/{one.name}/a",), (f"/moved/{one.name}",), (*one.endpoints, f"/new/{one.name}"))
            return _with(found, replace(one, endpoints=random.choice(moved)))
        case _ if one.cors is None or random.random() < 0.2:
            return _with(found, replace(one, cors=random.choice((None, _other_policy(random)))))
        case _:
            return _with(found, replace(one, cors=_edited(random, one.cors, near)))


def _edited(random: Random, policy: CorsPolicy, near: list[str]) -> CorsPolicy:
    match random.randrange(4):
        case 0:
            return replace(policy, mode=random.choice(tuple(Mode)))
        case 1:
            return replace(policy, allowed_origins=policy.allowed_origins[1:])
        case _ if near:
            added = parse_origin_pattern(random.choice(near))
            assert not isinstance(added, Diagnostic)
            return replace(policy, allowed_origins=(*policy.allowed_origins, added))
        case _:
            return replace(policy, allowed_methods=policy.allowed_methods[1:])


def _with(found: Catalogue, one: Api) -> Catalogue:
    return replace(found, apis={**found.apis, one.key: one})


def _without(found: Catalogue, one: Api) -> Catalogue:
    applications = {
        name: replace(owner, apis=tuple(key for key in owner.apis if key != one.key))
        for name, owner in found.applications.items()
    }
    apis = {key: other for key, other in found.apis.items() if key != one.key}
    return replace(found, apis=apis, applications=applications)


def _other_policy(random: Random) -> CorsPolicy | None:
    sample = random_sample(random)
    return None if sample.policy is None else build_policy(**sample.policy)


def decided(found: Catalogue, sent: Sent) -> tuple[str, Fate]:
    """What decides on the request, as a record names it, and what becomes of it."""
    serving = [
        one
        for one in found.apis.values()
        if any(f"{sent.endpoint}/".startswith(f"{endpoint}/") for endpoint in one.endpoints)
    ]
    owner = serving[0].key if serving else ""
    server = found.server_policy
    if server is not None:
        fate = _fate(decide(server, sent.request))
        if fate.kind is FateKind.ALLOWED and not owner:
            fate = Fate(FateKind.NOT_SERVED)
        return SERVER_LEVEL, fate
    if not owner:
        return "", Fate(FateKind.NOT_SERVED)
    policy = effective_policy(found, Associations.of(found.applications), owner)
    return owner, _fate(decide(policy, sent.request))


def _fate(decision: object) -> Fate:
    if isinstance(decision, Answer):
        if decision.reason is Reason.PREFLIGHT_ALLOWED:
            return Fate(FateKind.ALLOWED)
        return Fate(FateKind.REFUSED, decision.reason)
    would = getattr(decision, "would", None)
    if would is not None and would.reason is not Reason.PREFLIGHT_ALLOWED:
        return Fate(FateKind.OBSERVED, would.reason)
    return Fate(FateKind.ALLOWED)


def _fate_of(key: Key, found: Catalogue, sent: Sent) -> Fate:
    """What becomes of the request; of a record of server-level CORS, by that alone."""
    if key.api == SERVER_LEVEL and found.server_policy is not None:
        return _fate(decide(found.server_policy, sent.request))
    return decided(found, sent)[1]


Key = GroupKey | AllowedKey


def recorded(one: Scene) -> dict[Key, list[Sent]]:
    """What was sent, by the record that telemetry makes of it."""
    found: dict[Key, list[Sent]] = defaultdict(list)
    for sent in one.sent:
        owner, fate = decided(one.before, sent)
        sample = _sample(one.before, owner, sent, fate)
        if fate.reason in REFUSALS:
            found[refusal_key(sample)].append(sent)
        elif fate.kind is FateKind.ALLOWED and has_allowed_origin(sample):
            found[allowed_key(sample)].append(sent)
    return found


def _sample(found: Catalogue, owner: str, sent: Sent, fate: Fate) -> SampledRequest:
    request = sent.request
    reason = fate.reason
    if fate.kind is FateKind.ALLOWED:
        policy = found.server_policy or effective_policy(found, Associations.of(found.applications), owner)
        reason = decide(policy, request).reason
    series = DecisionSeries(owner, sent.endpoint, "", reason, fate.kind is FateKind.OBSERVED)
    return SampledRequest(
        series,
        node="",
        time=NOON.timestamp(),
        request_id="",
        method=request.method,
        path=f"{sent.endpoint}/pets",
        status=403,
        origin=request.origin,
        request_method=request.request_method,
        request_headers=request.request_headers,
        fetch_site=request.sec_fetch_site,
    )


def replayed(one: Scene) -> tuple[Replay, dict[Key, list[Sent]]]:
    sent = recorded(one)
    groups = [
        RefusalGroup(
            key,
            sampled=len(requests),
            count=len(requests),
            variance=0,
            first_seen=NOON,
            last_seen=NOON,
            clients=1,
            seen_in=SeenIn(fetch_sites=tuple({one.request.sec_fetch_site for one in requests} - {""})),
        )
        for key, requests in sent.items()
        if isinstance(key, GroupKey)
    ]
    origins = [AllowedOrigin(key, 1, NOON) for key in sent if isinstance(key, AllowedKey)]
    return replay(one.before, one.after, groups, origins), sent


RANKS: Final = {FateKind.ALLOWED: 0, FateKind.OBSERVED: 1, FateKind.REFUSED: 2, FateKind.NOT_SERVED: 2}


def disagreements(one: Scene) -> Iterator[str]:
    """Every request about which the prediction is wrong."""
    found, sent = replayed(one)
    predicted = {replayed.record.key: replayed for replayed in (*found.gained, *found.lost)}
    unknown = {record.key for record in found.unknown}
    for key, requests in sent.items():
        if key in unknown:
            continue
        for request in requests:
            then, now = (_fate_of(key, side, request) for side in (one.before, one.after))
            prediction = predicted.get(key)
            if prediction is None:
                if RANKS[then.kind] != RANKS[now.kind]:
                    yield f"{request} of {key}: no change predicted, but {then} becomes {now}"
            elif (prediction.before.kind, prediction.after.kind) != (then.kind, now.kind) or (
                prediction.after.reason not in ("", now.reason)
            ):
                yield f"{request} of {key}: {prediction.before} -> {prediction.after}, not {then} -> {now}"


@given(st.integers(0, 2**64).map(Random))
def test_what_replay_predicts_is_what_the_engine_decides(random: Random) -> None:
    assert list(disagreements(scene(random))) == []


def test_the_scenes_have_every_kind_of_change() -> None:
    seen: Counter[str] = Counter()
    for seed in range(100):
        found, sent = replayed(scene(Random(seed)))  # noqa: S311 - reproducible on purpose
        seen.update(f"gained {one.before.kind} {one.after.kind}" for one in found.gained)
        seen.update(f"lost {one.before.kind} {one.after.kind}" for one in found.lost)
        seen["unknown"] += len(found.unknown)
        seen["unchanged"] += len(sent) - len(found.gained) - len(found.lost) - len(found.unknown)
        seen["server-level"] += sum(key.api == SERVER_LEVEL for key in sent)
    expected = {
        "gained refused allowed",
        "gained refused observed",
        "gained observed allowed",
        "lost allowed refused",
        "lost allowed observed",
        "lost allowed not-served",
        "lost observed refused",
        "unknown",
        "unchanged",
        "server-level",
    }
    assert {kind for kind in expected if seen[kind] < 3} == set(), seen
    # Most records of APIs that change must not be unknown, or the law says little.
    assert seen["unknown"] < sum(seen[kind] for kind in expected if kind.startswith(("gained", "lost")))
