"""A policy from which something is removed never allows more; sets of origins add up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.differential.generate import Sample
from tests.property.policy.arbitrary import is_refused, policies_and_requests, requests_near, samples

from crossgate.policy import EffectivePolicy, OriginSet, Request, build_policy, decide

LISTS = ("allowed_origins", "allowed_methods", "allow_headers")


@given(policies_and_requests(), st.data())
def test_taking_an_entry_away_never_allows_more(pair: tuple[Sample, Request], data: st.DataObject) -> None:
    sample, request = pair
    assert sample.policy is not None
    filled = [name for name in LISTS if sample.policy[name]]
    if not filled:
        return
    name = data.draw(st.sampled_from(filled))
    entries = list(sample.policy[name])
    del entries[data.draw(st.integers(0, len(entries) - 1))]
    less = sample.with_policy(**{name: entries}).prepared()
    if is_refused(decide(sample.prepared(), request)):
        assert is_refused(decide(less, request))


@given(policies_and_requests(), st.data())
def test_taking_an_application_away_never_allows_more(
    pair: tuple[Sample, Request], data: st.DataObject
) -> None:
    sample, request = pair
    assert sample.policy is not None
    kept = data.draw(st.sets(st.sampled_from(sample.application_origins or ("https://none.example",))))
    less = EffectivePolicy.of(build_policy(**sample.policy), kept, sample.public_origins)
    more = EffectivePolicy.of(
        build_policy(**sample.policy), {*kept, *sample.application_origins}, sample.public_origins
    )
    if is_refused(decide(more, request)):
        assert is_refused(decide(less, request))


@given(samples, samples, st.data())
def test_sets_of_origins_add_up(one: Sample, other: Sample, data: st.DataObject) -> None:
    first, second = one.prepared(), other.prepared()
    assert first is not None
    assert second is not None
    both = OriginSet.of(
        [*first.policy.allowed_origins, *second.policy.allowed_origins],
        first.application_origins | second.application_origins,
    )
    for sample in (one, other):
        origin = data.draw(requests_near(sample)).origin
        assert (origin in both) == (origin in first.origins or origin in second.origins)


@given(policies_and_requests())
def test_the_order_of_origins_does_not_matter(pair: tuple[Sample, Request]) -> None:
    sample, request = pair
    assert sample.policy is not None
    turned = sample.with_policy(allowed_origins=sample.policy["allowed_origins"][::-1])
    assert decide(sample.prepared(), request) == decide(turned.prepared(), request)


@given(samples)
def test_a_policy_survives_being_written_down(sample: Sample) -> None:
    assert sample.policy is not None
    policy = build_policy(**sample.policy)
    raw = policy.to_dict()
    assert build_policy(**raw) == policy  # type: ignore[arg-type]  # raw values
