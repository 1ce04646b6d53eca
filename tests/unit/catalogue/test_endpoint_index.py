"""The index of endpoints finds the conflicts that a comparison of every pair finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.catalogues import api

from crossgate.catalogue.endpoint_index import Claim, EndpointIndex
from crossgate.diagnostics import Place

SEGMENT = st.sampled_from(["a", "b", "a-", "a.b"])
ENDPOINT = st.lists(SEGMENT, min_size=1, max_size=3).map(lambda segments: "/" + "/".join(segments))


def conflict(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


@given(st.lists(ENDPOINT, max_size=6), ENDPOINT)
def test_conflicts(endpoints: list[str], new: str) -> None:
    apart = [one for at, one in enumerate(endpoints) if not any(conflict(one, e) for e in endpoints[:at])]
    apis = {f"x{at}/1.0": api(f"x{at}", endpoints=(one,)) for at, one in enumerate(apart)}
    index = EndpointIndex.of(apis.values())
    after = {**apis, "new/1.0": api("new", endpoints=(new,))}
    moved, found = index.advance(apis, after, ["new/1.0"])
    against = {one for one in apart if conflict(one, new)}
    assert [one.claim for one in found] == [Claim(new, "new/1.0")] * bool(against)
    assert {one.earlier.endpoint for one in found} <= against
    if not found:
        assert moved == EndpointIndex.of(after.values())
        assert moved.advance(after, apis, ["new/1.0"]) == (index, [])


@given(st.lists(ENDPOINT, max_size=6))
def test_claims_made_at_once(endpoints: list[str]) -> None:
    claims = [Claim(endpoint, f"{at}", Place((at,))) for at, endpoint in enumerate(endpoints)]
    _, found = EndpointIndex().replace((), claims)
    expected = [
        later
        for later, endpoint in enumerate(endpoints)
        if any(conflict(endpoint, earlier) for earlier in endpoints[:later])
    ]
    assert sorted(one.claim.api for one in found) == [str(later) for later in expected]
    assert all(conflict(one.claim.endpoint, one.earlier.endpoint) for one in found)
    assert all(one.earlier.api < one.claim.api for one in found)


@pytest.mark.parametrize(
    ("endpoints", "conflicts"),
    [
        (["/a", "/b"], []),
        (["/gateway/pet/1", "/gateway/petstore/1"], []),
        (["/a/b", "/a/c", "/a/bc"], []),
        (["/a", "/a"], [(1, 0)]),
        (["/a", "/a/b"], [(1, 0)]),
        (["/a/b/c", "/a"], [(1, 0)]),
        (["/a/b", "/a/c", "/a", "/a/b/d"], [(2, 0), (3, 2)]),
    ],
)
def test_conflicts_between_claims(endpoints: list[str], conflicts: list[tuple[int, int]]) -> None:
    claims = [Claim(endpoint, "a/1", Place((at,))) for at, endpoint in enumerate(endpoints)]
    _, found = EndpointIndex().replace((), claims)
    pairs = [(one.claim.place.path[0], one.earlier.place.path[0]) for one in found]
    assert sorted(pairs) == conflicts
