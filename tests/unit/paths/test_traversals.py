"""The spellings of a traversal are what they claim to be, and the engine refuses them, and no legal path."""

from __future__ import annotations

import os
import random
from collections import defaultdict

import pytest
from tests.live.paths.endpoints import BASE, received_path
from tests.paths.legal_paths import LEGAL_PATHS
from tests.paths.native_rules import has_dot_segment, leaves
from tests.paths.traversals import TRAVERSALS, random_paths, random_traversals

from crossgate.policy.request import is_malformed_path

SEED = int(os.environ.get("CROSSGATE_SEED", random.SystemRandom().randrange(2**31)))
ENDPOINT = "/gateway/o/1"


def test_there_are_thousands_each_once() -> None:
    assert len({one.spelling for one in TRAVERSALS}) == len(TRAVERSALS) > 4000


def test_each_leads_some_native_service_out_of_its_base_path() -> None:
    assert not [one for one in TRAVERSALS if not leaves(BASE, BASE + one.spelling)]


def test_each_kind_would_lead_out_if_the_gateway_only_normalised_it() -> None:
    """The control: without the refusal, the tests of what is forwarded would fail for every kind."""
    leads_out: dict[str, bool] = defaultdict(bool)
    for one in TRAVERSALS:
        received = received_path(ENDPOINT + one.spelling, ENDPOINT)
        leads_out[one.kind] |= received is not None and leaves(BASE, received)
    removed = {kind for kind in leads_out if not leads_out[kind]}
    assert {kind for kind in removed if not _is_removed_by_normalisation(kind)} == set()
    assert len(removed) < len(leads_out) / 20


def _is_removed_by_normalisation(kind: str) -> bool:
    """Dots that Envoy decodes, alone in their segment; and literal ones with a parameter."""
    dots = ("literal dot", "escaped dot", "half escaped dots")
    alone = kind.startswith(dots) and "nothing" in kind.split(", ")
    return alone or (kind.startswith("literal dots") and "parameter" in kind.split(", "))


@pytest.mark.parametrize("spellings", ["all", "random", "random paths"])
def test_the_engine_lets_none_lead_out(spellings: str) -> None:
    chosen = {
        "all": [one.spelling for one in TRAVERSALS],
        "random": [one.spelling for one in random_traversals(SEED, 2000)],
        "random paths": random_paths(SEED, 5000),
    }[spellings]
    received = {spelling: received_path(ENDPOINT + spelling, ENDPOINT) for spelling in chosen}
    led_out = [spelling for spelling, path in received.items() if path is not None and leaves(BASE, path)]
    assert led_out
    assert not [spelling for spelling in led_out if not is_malformed_path(ENDPOINT + spelling)], (
        f"seed {SEED}"
    )


def test_the_engine_refuses_nothing_but_dot_segments() -> None:
    received = {path: received_path(ENDPOINT + path, ENDPOINT) for path in random_paths(SEED, 10000)}
    refused = [
        path for path, target in received.items() if target is not None and is_malformed_path(ENDPOINT + path)
    ]
    assert refused
    assert not [path for path in refused if not has_dot_segment(received[path] or "")], f"seed {SEED}"


def test_legal_paths_are_many_and_not_refused() -> None:
    assert len(set(LEGAL_PATHS)) == len(LEGAL_PATHS) > 60
    assert not [path for path in LEGAL_PATHS if is_malformed_path(ENDPOINT + path)]
    assert not [path for path in LEGAL_PATHS if leaves(BASE, BASE + path)]
