"""Plans: which objects change, and which origins gain or lose access."""

from __future__ import annotations

from dataclasses import replace

from tests.catalogues import api, application, catalogue, policy
from tests.refusal_groups import allowed, group

from crossgate.catalogue.model import Gateway, Settings
from crossgate.policy import Mode, read_server_policy
from crossgate.service.access import AccessChange, AccessMode
from crossgate.service.changes import (
    Change,
    DeleteApi,
    PutApi,
    PutApplication,
    PutGateway,
    PutPolicy,
    PutSettings,
    RemovePolicy,
    SuspendApplication,
)
from crossgate.service.plan import make_plan
from crossgate.service.replay import TelemetryRecords
from crossgate.service.snapshot import Snapshot

PETS = api("pets", policy("https://a.example", "https://*.b.example"))
SHOP = api("shop", policy("*"))
NEWS = api("news")
WEB = application("web", "https://web.example", "https://a.example", apis=["pets/1.0", "shop/1.0"])
BASE = Snapshot.of(3, catalogue([PETS, SHOP, NEWS], [WEB]))


def access(*changes: Change) -> tuple[AccessChange, ...]:
    return make_plan(BASE, changes).access


def test_added_changed_and_removed_objects() -> None:
    plan = make_plan(BASE, [PutApi(api("new")), PutPolicy("pets/1.0", policy()), DeleteApi("news/1.0")])
    assert plan.base == 3
    assert [one.key for one in plan.added] == ["new/1.0"]
    assert [one.key for one in plan.modified] == ["pets/1.0"]
    assert [one.key for one in plan.removed] == ["news/1.0"]


def test_gained_and_lost_origins_are_named() -> None:
    changed = policy("https://*.c.example", "https://x.b.example", {"regex": "https://r[0-9]"})
    assert access(PutPolicy("pets/1.0", changed)) == (
        AccessChange(
            "pets/1.0",
            AccessMode.POLICY,
            AccessMode.POLICY,
            # The wildcard allowed x.b.example before; the application still allows a.example.
            gains=("https://*.c.example", "r:https://r[0-9]"),
            loses=("https://*.b.example",),
        ),
    )


def test_origins_of_an_application_affect_apis_that_do_not_allow_them_otherwise() -> None:
    assert access(SuspendApplication("web")) == (
        AccessChange("pets/1.0", AccessMode.POLICY, AccessMode.POLICY, loses=("https://web.example",)),
    )
    moved = replace(WEB, apis=("news/1.0", "pets/1.0"))
    assert access(PutApplication(moved)) == ()


def test_any_origin_is_lost() -> None:
    assert access(PutPolicy("shop/1.0", policy("https://a.example"))) == (
        AccessChange("shop/1.0", AccessMode.POLICY, AccessMode.POLICY, loses=("*",)),
    )


def test_access_modes() -> None:
    observing = replace(policy("https://a.example"), mode=Mode.OBSERVE)
    assert access(RemovePolicy("pets/1.0"), PutPolicy("shop/1.0", observing), DeleteApi("news/1.0")) == (
        AccessChange("news/1.0", AccessMode.NATIVE, AccessMode.ABSENT),
        AccessChange("pets/1.0", AccessMode.POLICY, AccessMode.NATIVE),
        AccessChange("shop/1.0", AccessMode.POLICY, AccessMode.OBSERVED),
    )


def test_new_api_gains_all_origins_of_its_policy() -> None:
    assert access(PutApi(api("new", policy("null", "https://a.example")))) == (
        AccessChange("new/1.0", AccessMode.ABSENT, AccessMode.POLICY, gains=("https://a.example", "null")),
    )


def test_public_origin_affects_every_api_with_a_policy() -> None:
    assert access(PutGateway(Gateway(public_origins=("https://me.example",)))) == (
        AccessChange("pets/1.0", AccessMode.POLICY, AccessMode.POLICY, gains=("https://me.example",)),
    )


def test_server_policy_replaces_the_policies_of_all_apis() -> None:
    written = {"watt.server.cors.enabled": True, "watt.server.cors.allowedOrigins": "https://a.example"}
    server, _ = read_server_policy(written, lambda _: [])
    assert [(one.api, one.after, one.loses) for one in access(PutSettings(Settings(written, server)))] == [
        ("news/1.0", AccessMode.SERVER, ()),
        ("pets/1.0", AccessMode.SERVER, ("https://*.b.example", "https://web.example")),
        ("shop/1.0", AccessMode.SERVER, ("*", "https://web.example")),
    ]


def test_a_plan_is_replayed_on_what_is_recorded() -> None:
    base = Snapshot.of(3, catalogue([api("petstore", policy("https://old.example.com"))]))
    records = TelemetryRecords([group("https://new.example.com")], [allowed("https://old.example.com")])
    change = PutPolicy("petstore/1.0", policy("https://new.example.com"))
    found = make_plan(base, [change], records=records).replay
    assert found is not None
    assert [one.record for one in found.gained] == [records.groups[0]]
    assert [one.record for one in found.lost] == [records.allowed[0]]


def test_without_records_there_is_no_replay() -> None:
    base = Snapshot.of(3, catalogue([api("petstore", policy("https://old.example.com"))]))
    change = PutPolicy("petstore/1.0", policy("https://new.example.com"))
    assert make_plan(base, [change], records=TelemetryRecords()).replay is None
    assert make_plan(base, [change]).replay is None
