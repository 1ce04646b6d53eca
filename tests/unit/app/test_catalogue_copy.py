"""The copy of a catalogue in another process follows every revision."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.catalogues import api, application, catalogue, policy

from crossgate.app.catalogue_copy import CatalogueCopy, CatalogueFeed
from crossgate.catalogue.model import Catalogue, Gateway
from crossgate.catalogue.reader import read_settings
from crossgate.net.address import HostPort
from crossgate.policy import OriginArgument
from crossgate.service.objects import ObjectKind
from crossgate.service.snapshot import Snapshot

MANY = [api(f"a{number}") for number in range(600)]
USERS = [application(f"u{number}", "https://a.example", apis=["a0/1.0"]) for number in range(300)]


def heads() -> list[Snapshot]:
    """Revisions of one catalogue: filled, changed in a few places, moved and emptied."""
    filled = Snapshot.of(1, catalogue(MANY, USERS))
    changed = filled.advance(
        2,
        {
            (ObjectKind.API, "a1/1.0"): api("a1", policy("https://b.example")),
            (ObjectKind.API, "a2/1.0"): None,
            (ObjectKind.API, "new/1.0"): api("new", endpoints=("/gateway/a2/1.0",)),
            (ObjectKind.APPLICATION, "u7"): None,
        },
    )
    moved = replace(changed.catalogue, gateway=Gateway(HostPort("127.0.0.1", 8099)))
    return [filled, changed, Snapshot.of(3, moved), Snapshot.of(4, Catalogue())]


ORIGINS = [
    ["*"],
    ["https://a.example", "null"],
    ["https://*.a.example", "https://a.example:*", "https://b.example"],
    [{"regex": r"https://pr-[0-9]+\.a\.example"}],
    [{"regex": r"https://pr-[0-9]+\.a\.example"}, "https://*.a.example", "null"],
]
SETTINGS = ["*", "https://a.example, null", r"r:https://pr-[0-9]+\.a\.example, https://b.example"]


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("listed", SETTINGS)
@pytest.mark.parametrize("origins", ORIGINS)
def test_copy_takes_every_form_of_origins(
    origins: list[OriginArgument], listed: str, *, enabled: bool
) -> None:
    settings = read_settings({"watt.server.cors.enabled": enabled, "watt.server.cors.allowedOrigins": listed})
    one = replace(catalogue([api("a", policy(*origins))]), settings=settings)
    copy = CatalogueCopy()
    for update in CatalogueFeed().updates(Snapshot.of(1, one), new=True):
        copy.take(update)

    assert copy.snapshot.catalogue == one
    there = copy.snapshot.catalogue.settings
    for copied, own in ((there.policy, settings.policy), (there.disabled_policy, settings.disabled_policy)):
        assert (copied is None) == (own is None)
        for origin in ("https://a.example", "https://pr-7.a.example", "https://evil.example", "null"):
            assert (
                copied is None or own is None or copied.origins.admits(origin) == own.origins.admits(origin)
            )


def test_copy_follows_every_revision() -> None:
    feed, copy = CatalogueFeed(), CatalogueCopy()
    for head in heads():
        updates = list(feed.updates(head, new=head.revision == 1))

        assert [copy.take(one) for one in updates] == [False] * (len(updates) - 1) + [True]
        assert copy.snapshot == head
        assert [*copy.snapshot.catalogue.apis] == [*head.catalogue.apis]
        assert list(feed.updates(head, new=False)) == []


def test_new_copy_gets_everything() -> None:
    feed = CatalogueFeed()
    for head in heads():
        copy = CatalogueCopy()
        for one in feed.updates(head, new=True):
            copy.take(one)

        assert copy.snapshot == head


def test_update_has_what_changed_only() -> None:
    feed = CatalogueFeed()
    filled, changed, *_ = heads()

    everything = sum(len(one) for one in feed.updates(filled, new=True))

    assert sum(len(one) for one in feed.updates(changed, new=False)) < everything / 20
