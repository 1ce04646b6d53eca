"""Endpoint claims find the conflicts that a look at every pair finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.catalogues import api

from crossgate.catalogue.claims import EndpointClaims

SEGMENT = st.sampled_from(["a", "b", "a-", "a.b"])
ENDPOINT = st.lists(SEGMENT, min_size=1, max_size=3).map(lambda segments: "/" + "/".join(segments))


def conflict(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


@given(st.lists(ENDPOINT, max_size=6), ENDPOINT)
def test_conflicts(endpoints: list[str], new: str) -> None:
    apart = [one for at, one in enumerate(endpoints) if not any(conflict(one, e) for e in endpoints[:at])]
    apis = {f"x{at}/1.0": api(f"x{at}", endpoints=(one,)) for at, one in enumerate(apart)}
    claims = EndpointClaims.of(apis)
    after = {**apis, "new/1.0": api("new", endpoints=(new,))}
    moved, found = claims.advance(apis, after, ["new/1.0"])
    assert {one.other_endpoint for one in found} == {one for one in apart if conflict(one, new)}
    if not found:
        assert moved == EndpointClaims.of(after)
        assert moved.advance(after, apis, ["new/1.0"]) == (claims, [])
