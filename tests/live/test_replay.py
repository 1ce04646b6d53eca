"""What replay predicts of requests that a real Envoy decided is what it does once the plan is applied."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.differential.generate import random_pairs
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of, live_gateway
from tests.live.test_differential import Pair, exchange
from tests.native_services import ScriptedNative
from tests.refusal_groups import NOON, replay
from tests.telemetry import allowed_key, refusal_key

from crossgate.catalogue.model import Application, Catalogue
from crossgate.compiler.route_names import DecisionSeries
from crossgate.policy import CorsPolicy, ExactOrigin, Mode, build_policy, decide, is_well_formed
from crossgate.service.refusals import AllowedKey, AllowedOrigin, GroupKey, RefusalGroup, SeenIn
from crossgate.service.replay import FateKind
from crossgate.telemetry.evidence import FETCH_SITES
from crossgate.telemetry.group_keys import REFUSALS, has_allowed_origin
from crossgate.telemetry.sampled_request import SampledRequest

pytestmark = pytest.mark.live

SAMPLES, REQUESTS = 40, 20
REFUSED = (403, 405)


def test_envoy_does_what_replay_predicts() -> None:
    drawn = list(random_pairs(7, SAMPLES, REQUESTS))
    samples = [sample for sample, _ in drawn]
    pairs = [
        Pair(sample, f"s{index}", replace(request, path=""), "")
        for index, (sample, requests) in enumerate(drawn)
        for request in requests
    ]
    pairs = [pair for pair in pairs if pair.request.parsed().sec_fetch_site in ("", *FETCH_SITES)]
    with ScriptedNative() as native, live_gateway() as gateway:
        policies = [
            build_policy(**sample.policy) if sample.policy is not None else None for sample in samples
        ]
        before = catalogue_of(
            gateway.port,
            [api(f"s{index}", native.port, policy) for index, policy in enumerate(policies)],
            applications=[
                Application(f"app{index}", sample.application_origins, (f"s{index}/1",))
                for index, sample in enumerate(samples)
            ],
            public_origins=samples[0].public_origins,
            same_origin=samples[0].same_origin,
        )
        changed = {
            key: one if one.cors is None else replace(one, cors=edited(number, one.cors, pairs, one.name))
            for number, (key, one) in enumerate(before.apis.items())
        }
        after = replace(before, apis=changed)
        then = statuses(gateway, before, pairs)
        now = statuses(gateway, after, pairs)

    records = recorded(pairs, then)
    found = replay(
        before,
        after,
        [
            RefusalGroup(key, 1, 1, 0, NOON, NOON, 1, SeenIn(fetch_sites=sites(pairs, numbers)))
            for key, numbers in records.items()
            if isinstance(key, GroupKey)
        ],
        [AllowedOrigin(key, 1, NOON) for key in records if isinstance(key, AllowedKey)],
    )
    unknown = {record.key for record in found.unknown}
    predicted = {one.record.key: one.after.kind for one in (*found.gained, *found.lost)}
    seen: Counter[str] = Counter()
    for record_key, numbers in records.items():
        if record_key in unknown:
            continue
        for number in numbers:
            expected = predicted.get(record_key)
            refused = then[number] in REFUSED if expected is None else expected is FateKind.REFUSED
            assert (now[number] in REFUSED) == refused, (record_key, expected, pairs[number].request)
            seen[str(expected)] += 1
    assert min(seen[kind] for kind in ("None", "allowed", "observed", "refused")) > 0, seen


def edited(number: int, policy: CorsPolicy, pairs: Sequence[Pair], name: str) -> CorsPolicy:
    """The policy of every third API with all that was sent, without its first entry, or enforced."""
    match number % 3:
        case 0:
            origins = [pair.request.parsed().origin for pair in pairs if pair.api == name]
            added = [ExactOrigin(origin) for origin in dict.fromkeys(origins) if is_well_formed(origin)]
            return replace(policy, allowed_origins=(*policy.allowed_origins, *added))
        case 1:
            return replace(policy, allowed_origins=policy.allowed_origins[1:])
        case _:
            mode = Mode.ENFORCE if policy.mode is Mode.OBSERVE else Mode.OBSERVE
            return replace(policy, mode=mode)


def statuses(gateway: LiveGateway, catalogue: Catalogue, pairs: Sequence[Pair]) -> list[int]:
    """What Envoy answers to each request under the catalogue."""
    outcome = gateway.publish(catalogue)
    assert outcome.applied, outcome.rejections
    return [answer.status for answer in exchange(gateway.port, pairs)]


def recorded(pairs: Sequence[Pair], answered: Sequence[int]) -> dict[GroupKey | AllowedKey, list[int]]:
    """The positions of the requests in each record that telemetry makes of them."""
    found: dict[GroupKey | AllowedKey, list[int]] = defaultdict(list)
    for number, (pair, status) in enumerate(zip(pairs, answered, strict=True)):
        request = pair.request.parsed()
        decision = decide(pair.sample.prepared(), request)
        would = getattr(decision, "would", None)
        series = DecisionSeries(f"{pair.api}/1", "", "", decision.reason, observed=would is not None)
        sample = SampledRequest(
            series,
            node="",
            time=0,
            request_id="",
            method=request.method,
            path="",
            status=status,
            origin=request.origin,
            request_method=request.request_method,
            request_headers=request.request_headers,
            fetch_site=request.sec_fetch_site,
        )
        if status in REFUSED or (would is not None and decision.reason in REFUSALS):
            if decision.reason in REFUSALS:
                found[refusal_key(sample)].append(number)
        elif status == 200 and has_allowed_origin(sample):
            found[allowed_key(sample)].append(number)
    return found


def sites(pairs: Sequence[Pair], numbers: Sequence[int]) -> tuple[str, ...]:
    return tuple({pairs[number].request.parsed().sec_fetch_site for number in numbers} - {""})
