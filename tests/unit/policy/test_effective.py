"""The effective policy validates what a program passes, as the policy does."""

from __future__ import annotations

from typing import Any

import pytest

from crossgate.diagnostics import InvalidInput
from crossgate.policy import EffectivePolicy, SameOrigin, build_policy

POLICY = build_policy(allowed_origins=["https://app.example.com"])


def test_all_errors_are_raised_at_once_with_their_places() -> None:
    wrong: Any = "sometimes"
    with pytest.raises(InvalidInput) as refused:
        EffectivePolicy.of(
            POLICY,
            application_origins=["https://ok.example", "*"],
            public_origins=["http://x.example/", "https://X.example.com:443"],
            same_origin=wrong,
        )
    places = [found.place.json_path for found in refused.value.diagnostics]
    assert places == [
        "$.application_origins[1]",
        "$.public_origins[0]",
        "$.public_origins[1]",
        "$.same_origin",
    ]
    assert "Browsers send http://x.example: write that" in str(refused.value)


@pytest.mark.parametrize("wrong", ["https://app.example.com", b"https://app.example.com", None, 7])
@pytest.mark.parametrize("name", ["application_origins", "public_origins"])
def test_a_string_is_no_list_of_origins(name: str, wrong: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        EffectivePolicy.of(POLICY, **{name: wrong})
    (found,) = refused.value.diagnostics
    assert (found.code, found.place.json_path) == ("wrong-type", f"$.{name}")


def test_any_collection_is_accepted() -> None:
    origins = ("https://a.example", "app://.")
    collections: list[Any] = [list(origins), set(origins), iter(origins), dict.fromkeys(origins)]
    for collection in collections:
        made = EffectivePolicy.of(POLICY, public_origins=collection, same_origin="listed")
        assert (made.public_origins, made.same_origin) == (frozenset(origins), SameOrigin.LISTED)
