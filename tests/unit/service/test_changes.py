"""Applying changes: the difference, the catalogue afterwards, and inconsistencies."""

from __future__ import annotations

import pytest
from tests.catalogues import api, application, catalogue, policy

from crossgate.catalogue.model import Gateway, Settings
from crossgate.net.address import HostPort
from crossgate.policy import SameOrigin, read_server_policy
from crossgate.service.changes import (
    Associate,
    Change,
    DeleteApi,
    DeleteApplication,
    Dissociate,
    PutApi,
    PutApplication,
    PutGateway,
    PutPolicy,
    PutSettings,
    RemovePolicy,
    ReplaceAll,
    ResumeApplication,
    SuspendApplication,
)
from crossgate.service.errors import InvalidChange, NotFound
from crossgate.service.objects import ObjectKind
from crossgate.service.plan import apply_changes
from crossgate.service.snapshot import Snapshot

PETS = api("pets", policy("https://a.example"))
SHOP = api("shop")
WEB = application("web", "https://web.example", apis=["pets/1.0"])
BASE = Snapshot.of(7, catalogue([PETS, SHOP], [WEB]))


def test_put_and_delete() -> None:
    new = api("news")
    difference, after = apply_changes(BASE, [PutApi(new), DeleteApi("shop/1.0")])
    assert [(one.kind, one.key, one.before, one.after) for one in difference] == [
        (ObjectKind.API, "news/1.0", None, new),
        (ObjectKind.API, "shop/1.0", SHOP, None),
    ]
    assert after.apis.keys() == {"pets/1.0", "news/1.0"}
    assert after.applications is BASE.catalogue.applications


@pytest.mark.parametrize(
    "changes",
    [
        [PutApi(PETS)],
        [PutPolicy("pets/1.0", policy("https://a.example"))],
        [RemovePolicy("shop/1.0")],
        [ResumeApplication("web")],
        [SuspendApplication("web"), ResumeApplication("web")],
        [Associate("web", "pets/1.0")],
        [Associate("web", "shop/1.0"), Dissociate("web", "shop/1.0")],
        [PutApi(api("new")), DeleteApi("new/1.0")],
        [ReplaceAll(BASE.catalogue, prune=True)],
        [ReplaceAll(catalogue())],
    ],
)
def test_equal_objects_make_no_difference(changes: list[Change]) -> None:
    assert apply_changes(BASE, changes)[0] == ()


def test_policy_and_suspension() -> None:
    stricter = policy("https://b.example")
    _, after = apply_changes(BASE, [PutPolicy("pets/1.0", stricter), SuspendApplication("web")])
    assert after.apis["pets/1.0"].cors == stricter
    assert after.applications["web"].suspended
    _, open_again = apply_changes(BASE, [RemovePolicy("pets/1.0")])
    assert open_again.apis["pets/1.0"].cors is None


@pytest.mark.parametrize(
    "change",
    [
        DeleteApi("none/1"),
        PutPolicy("none/1", policy()),
        RemovePolicy("none/1"),
        DeleteApplication("none"),
        SuspendApplication("none"),
        ResumeApplication("none"),
        Associate("none", "pets/1.0"),
        Dissociate("web", "shop/1.0"),
    ],
)
def test_unknown_objects_are_not_found(change: Change) -> None:
    with pytest.raises(NotFound):
        apply_changes(BASE, [change])


def test_all_inconsistencies_are_reported_together() -> None:
    with pytest.raises(InvalidChange) as refused:
        apply_changes(
            BASE,
            [
                PutApi(api("deep", endpoints=("/free", "/gateway/pets/1.0/dogs"))),
                PutApi(api("wide", endpoints=("/gateway/shop",))),
                PutApi(api("twin", endpoints=("/free",))),
                PutApplication(application("app", apis=["pets/1.0", "none/1"])),
                DeleteApi("pets/1.0"),
            ],
        )
    found = {(one.code, one.place.json_path) for one in refused.value.diagnostics}
    assert found == {
        ("endpoint-conflict", "$.apis['twin/1.0'].endpoints[0]"),
        ("endpoint-conflict", "$.apis['wide/1.0'].endpoints[0]"),
        ("unknown-api", "$.applications.app.apis[0]"),
        ("unknown-api", "$.applications.app.apis[1]"),
        ("api-in-use", "$.apis['pets/1.0']"),
    }


def test_endpoint_can_move_between_apis_in_one_change() -> None:
    changes = [
        PutApi(api("pets", endpoints=("/old",))),
        PutApi(api("dogs", endpoints=("/gateway/pets/1.0",))),
    ]
    _, after = apply_changes(BASE, changes)
    assert after.apis["dogs/1.0"].endpoints == ("/gateway/pets/1.0",)


def test_api_can_be_replaced_at_its_own_endpoint() -> None:
    apply_changes(BASE, [PutApi(api("pets"))])


def test_api_can_be_removed_together_with_its_last_association() -> None:
    _, after = apply_changes(BASE, [DeleteApi("pets/1.0"), Dissociate("web", "pets/1.0")])
    assert "pets/1.0" not in after.apis


def test_prune_removes_objects_missing_from_the_document() -> None:
    desired = catalogue([PETS])
    assert {one.key for one in apply_changes(BASE, [ReplaceAll(desired, prune=True)])[0]} == {
        "shop/1.0",
        "web",
    }
    assert apply_changes(BASE, [ReplaceAll(desired)])[0] == ()


def test_missing_sections_change_nothing_without_prune() -> None:
    base = Snapshot.of(1, apply_changes(BASE, [PutGateway(Gateway(HostPort("127.0.0.1", 9)))])[1])
    assert apply_changes(base, [ReplaceAll(BASE.catalogue, gateway=False)])[0] == ()
    assert {one.kind for one in apply_changes(base, [ReplaceAll(BASE.catalogue)])[0]} == {ObjectKind.GATEWAY}
    pruned, _ = apply_changes(base, [ReplaceAll(BASE.catalogue, prune=True, gateway=False)])
    assert {one.kind for one in pruned} == {ObjectKind.GATEWAY}


def test_server_policy_includes_the_own_origins_of_the_gateway() -> None:
    written = {"watt.server.cors.enabled": True, "watt.server.cors.allowedOrigins": "https://a.example"}
    server, _ = read_server_policy(written, lambda _: [])
    gateway = Gateway(public_origins=("https://me.example",), same_origin=SameOrigin.LISTED)
    _, after = apply_changes(BASE, [PutSettings(Settings(written, server)), PutGateway(gateway)])
    assert after.server_policy is not None
    assert after.server_policy.public_origins == {"https://me.example"}
    assert after.server_policy.same_origin is SameOrigin.LISTED
    again, _ = apply_changes(Snapshot.of(1, after), [PutSettings(Settings(written, server))])
    assert again == ()


def test_snapshot_is_not_affected_by_later_ones() -> None:
    difference, _ = apply_changes(BASE, [PutApi(api("pets", endpoints=("/moved",)))])
    later = BASE.advance(8, {(one.kind, one.key): one.after for one in difference})
    assert BASE.catalogue.apis["pets/1.0"] is PETS
    apply_changes(later, [PutApi(api("free", endpoints=("/gateway/pets/1.0",)))])
    with pytest.raises(InvalidChange):
        apply_changes(BASE, [PutApi(api("free", endpoints=("/gateway/pets/1.0",)))])


def test_stored_setting_cannot_refer_to_a_file() -> None:
    written = {"watt.server.cors.enabled": True, "watt.server.cors.allowedOrigins": "file:origins.txt"}
    server, _ = read_server_policy(written, lambda _: ["https://a.example"])
    with pytest.raises(InvalidChange) as refused:
        apply_changes(BASE, [PutSettings(Settings(written, server))])
    assert [one.code for one in refused.value.diagnostics] == ["setting-names-file"]
