"""Etags and preconditions."""

from __future__ import annotations

import pytest
from tests.catalogues import api, application, catalogue, policy

from crossgate.service.errors import PreconditionFailed
from crossgate.service.etag import Absent, Matches, PolicyOf, Precondition, Present, etag_of, require
from crossgate.service.objects import GATEWAY_KEY, ObjectKind

PETS = (ObjectKind.API, "pets/1.0")
BEFORE = catalogue([api("pets", policy("https://a.example")), api("open")], [application("web")])
AFTER = catalogue([api("pets", policy("https://b.example")), api("open")], [application("web")])
TAG = etag_of(BEFORE, PETS) or ""


def test_etag_changes_only_with_its_target() -> None:
    assert etag_of(BEFORE, PETS) != etag_of(AFTER, PETS)
    assert etag_of(BEFORE, PolicyOf("pets/1.0")) != etag_of(AFTER, PolicyOf("pets/1.0"))
    for same in ((ObjectKind.API, "open/1.0"), (ObjectKind.APPLICATION, "web"), GATEWAY_KEY):
        assert etag_of(BEFORE, same) == etag_of(AFTER, same) is not None


@pytest.mark.parametrize("nothing", [(ObjectKind.API, "none/1"), PolicyOf("open/1.0"), PolicyOf("none/1")])
def test_missing_target_has_no_etag(nothing: tuple[ObjectKind, str] | PolicyOf) -> None:
    assert etag_of(BEFORE, nothing) is None


@pytest.mark.parametrize(
    "precondition",
    [Present(PETS), Absent(PolicyOf("open/1.0")), Matches(PETS, (TAG,)), Matches(PETS, ("other", TAG))],
)
def test_satisfied_preconditions(precondition: Precondition) -> None:
    require(BEFORE, precondition)


@pytest.mark.parametrize(
    ("precondition", "wanted", "found"),
    [
        (Present(PolicyOf("open/1.0")), ("*",), None),
        (Absent(PETS), None, etag_of(AFTER, PETS)),
        (Matches(PETS, (TAG,)), (TAG,), etag_of(AFTER, PETS)),
        (Matches((ObjectKind.API, "none/1"), (TAG,)), (TAG,), None),
    ],
)
def test_failed_precondition_reports_both_etags(
    precondition: Precondition, wanted: tuple[str, ...] | None, found: str | None
) -> None:
    with pytest.raises(PreconditionFailed) as failed:
        require(AFTER, precondition)
    assert (failed.value.wanted, failed.value.found) == (wanted, found)
