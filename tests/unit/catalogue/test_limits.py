"""The times that apply to an API: its own, or the gateway's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.catalogues import api

from crossgate.catalogue.effective import time_limits
from crossgate.catalogue.limits import Limits, TimeLimits
from crossgate.catalogue.reader import read_api
from crossgate.catalogue.serialise import api_to_dict

PETS = api("pets")
STORED = {"name": "pets", "version": "1.0", "type": "rest", "native": "http://127.0.0.1:9101"}


def test_an_api_has_the_times_of_the_gateway_unless_it_sets_its_own() -> None:
    defaults = Limits(native_timeout=1.0, native_idle_timeout=2.0, websocket_idle_timeout=3.0)
    assert time_limits(PETS, defaults) == TimeLimits(1.0, 2.0, 3.0)
    own = replace(PETS, native_timeout=0.0, native_idle_timeout=5.0, websocket_idle_timeout=0.0)
    assert time_limits(own, defaults) == TimeLimits(0.0, 5.0, 0.0)
    assert time_limits(PETS, Limits()) == TimeLimits(30.0, 300.0, None)


@pytest.mark.parametrize(
    ("native", "idle", "expected"), [(30, 300, 300), (600, 300, 600), (0, 300, 0), (30, 0, 0), (0, 0, 0)]
)
def test_an_answer_that_has_not_begun_is_not_cut_by_the_idle_time(
    native: float, idle: float, expected: float
) -> None:
    assert TimeLimits(native, idle, None).http_idle == expected


@pytest.mark.parametrize("stored", [0.001, 2.5, 30, 3600])
def test_a_timeout_that_an_earlier_version_stored_is_kept(stored: float) -> None:
    entry = {**STORED, "native_timeout": stored}
    assert time_limits(read_api(entry), Limits(native_timeout=7.0)).native == stored
    assert api_to_dict(read_api(entry)) == entry


def test_an_api_that_an_earlier_version_stored_without_a_timeout_has_the_default() -> None:
    assert time_limits(read_api(STORED), Limits()).native == 30
