"""Arbitrary valid policies, and requests that come near to what they allow."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import strategies as st
from tests.differential.generate import Sample, random_public_origins, random_request, random_sample

from crossgate.policy import Answer, Decision, Request

_TEXTS = st.text(max_size=30)


def _sample(random: Random) -> Sample:
    while True:
        sample = random_sample(random, random_public_origins(random))
        if sample.policy is not None:
            return sample


# Seeds, for hypothesis can't shrink through hundreds of random choices anyway, and takes long to record them.
_randoms = st.integers(0, 2**64).map(Random)

samples = _randoms.map(_sample)
"""Policies of every form, none of them pass-through."""


@st.composite
def requests_near(draw: st.DrawFn, sample: Sample) -> Request:
    """Mostly near-misses of what the sample allows; sometimes with any characters in a field."""
    request = random_request(draw(_randoms), sample).parsed()
    match draw(st.integers(0, 9)):
        case 0:
            return replace(request, origin=draw(_TEXTS))
        case 1:
            return replace(request, request_method=draw(_TEXTS))
        case 2:
            return replace(request, request_headers=draw(_TEXTS))
        case _:
            return request


@st.composite
def policies_and_requests(draw: st.DrawFn) -> tuple[Sample, Request]:
    """A policy and a request that comes near to it."""
    sample = draw(samples)
    return sample, draw(requests_near(sample))


def is_refused(decision: Decision) -> bool:
    """Whether the client gets a refusal of the policy's."""
    return isinstance(decision, Answer) and decision.status >= 400
