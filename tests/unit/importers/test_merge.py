"""Merging what an import makes with the objects that exist."""

from __future__ import annotations

from typing import Any

import pytest

from crossgate.catalogue.document import read_document
from crossgate.catalogue.model import Catalogue
from crossgate.catalogue.serialise import api_to_dict, application_to_dict
from crossgate.diagnostics import InvalidInput, Place
from crossgate.importers.merge import MergedImport, merge_imported
from crossgate.importers.result import Imported, LeftOut, Taken
from crossgate.importers.source import Source
from crossgate.service.imports import import_sources

EXISTING = """\
settings:
  watt.server.cors.enabled: false
  watt.server.cors.maxAge: 10
apis:
  - name: pets
    version: "1"
    type: rest
    native: https://pets.example
    owner: Ann
    labels: {team: pets}
    trusted_domains: [example.com]
    native_timeout: 5
    cors:
      allowed_origins: [https://shop.example.com]
      allowed_methods: [GET, POST]
      allow_credentials: true
      max_age: 60
      mode: observe
    lint:
      allow: [{code: maxage-unset, reason: known}]
  - {name: users, version: "1", type: rest, native: https://users.example}
applications:
  - name: shop
    javascript_origins: [https://shop.example.com]
    apis: [pets/1, users/1]
    owner: Ben
"""


def catalogue(text: str = EXISTING) -> Catalogue:
    found = read_document(text)
    assert found.catalogue is not None, found.diagnostics
    return found.catalogue


def pets(**changes: Any) -> dict[str, Any]:
    cors = {"allowed_methods": ["POST", "GET"], **changes.pop("cors", {})}
    stated = {"name": "pets", "version": "1", "type": "rest", "native": "https://pets.example"}
    return {**stated, "cors": cors, **changes}


def merge(document: dict[str, Any], *, update: bool = False, taken: tuple[Taken, ...] = ()) -> MergedImport:
    return merge_imported(catalogue(), Imported(("openapi",), document, taken), update=update)


def test_new_objects_are_added_and_the_others_stay() -> None:
    new = pets(version="2")
    merged = merge({"apis": [pets(), new]})
    assert merged.added.document == {"apis": [new]}
    assert merged.written.document == {"apis": [new]}
    assert [one.key for one in merged.kept] == ["pets/1"]
    assert list(merged.catalogue.apis) == ["pets/1", "users/1", "pets/2"]
    assert merged.catalogue.applications == catalogue().applications
    assert merged.catalogue.settings == catalogue().settings


def test_equal_objects_have_no_difference_whatever_the_order_of_their_lists() -> None:
    for update in (False, True):
        merged = merge({"apis": [pets()]}, update=update)
        assert merged.kept[0].differences == ()
        assert merged.changed == ()
        assert merged.catalogue == catalogue()


def test_differences_are_listed_and_nothing_changes() -> None:
    imported = pets(
        native="https://new.example", cors={"allow_headers": ["X-Pet"], "allow_credentials": False}
    )
    merged = merge({"apis": [imported]})
    assert merged.catalogue == catalogue()
    assert merged.added.document == merged.written.document == {}
    assert merged.kept[0].as_json() == {
        "kind": "api",
        "key": "pets/1",
        "differences": [
            {"path": "$.native", "existing": "https://pets.example", "imported": "https://new.example"},
            {"path": "$.cors.allow_credentials", "existing": True, "imported": None},
            {"path": "$.cors.allow_headers", "existing": None, "imported": ["X-Pet"]},
        ],
    }


def test_an_update_takes_what_the_source_states_and_keeps_the_rest() -> None:
    imported = pets(native="https://new.example", cors={"allowed_methods": ["GET"], "allowed_origins": []})
    merged = merge({"apis": [imported]}, update=True)
    assert merged.kept == ()
    assert [one.key for one in merged.changed] == ["pets/1"]
    expected = api_to_dict(catalogue().apis["pets/1"])
    expected["native"] = "https://new.example"
    expected["cors"] = {**expected["cors"], "allowed_methods": ["GET"]}  # type: ignore[dict-item]
    assert api_to_dict(merged.catalogue.apis["pets/1"]) == expected
    assert merged.written.document == {"apis": [expected]}
    again = merge_imported(merged.catalogue, Imported(("openapi",), {"apis": [imported]}), update=True)
    assert again.changed == ()


@pytest.mark.parametrize(
    ("stated", "result"),
    [
        ({"allowed_origins": ["https://new.example.com"]}, ["https://new.example.com"]),
        ({"allowed_origins": []}, ["https://shop.example.com"]),
        ({}, ["https://shop.example.com"]),
    ],
)
def test_origins_stay_if_the_source_has_none(stated: dict[str, Any], result: list[str]) -> None:
    merged = merge({"apis": [pets(cors=stated)]}, update=True)
    cors = api_to_dict(merged.catalogue.apis["pets/1"])["cors"]
    assert isinstance(cors, dict)
    assert cors["allowed_origins"] == result


def test_a_policy_stays_if_the_source_has_none_and_is_added_if_the_api_has_none() -> None:
    without = {key: value for key, value in pets().items() if key != "cors"}
    assert merge({"apis": [without]}, update=True).catalogue == catalogue()
    users = {"name": "users", "version": "1", "type": "rest", "native": "https://users.example"}
    merged = merge({"apis": [{**users, "cors": {"allowed_methods": ["GET"]}}]}, update=True)
    assert api_to_dict(merged.catalogue.apis["users/1"])["cors"] == {"allowed_methods": ["GET"]}


def test_an_application_keeps_associations_of_which_the_source_knows_nothing() -> None:
    shop = {"name": "shop", "javascript_origins": ["https://new.example.com"], "apis": ["pets/2"]}
    merged = merge({"apis": [pets(), pets(version="2")], "applications": [shop]}, update=True)
    assert application_to_dict(merged.catalogue.applications["shop"]) == {
        "name": "shop",
        "javascript_origins": ["https://new.example.com"],
        "apis": ["users/1", "pets/2"],
        "owner": "Ben",
    }
    assert merge({"apis": [pets()], "applications": [shop | {"apis": ["pets/1"]}]}).kept[1].key == "shop"


def test_settings_are_added_kept_or_updated() -> None:
    settings = {"watt.server.cors.maxAge": "10", "watt.server.cors.supportedMethods": "GET"}
    kept = merge({"settings": settings})
    assert [one.path for one in kept.kept[0].differences] == [("watt.server.cors.supportedMethods",)]
    assert kept.catalogue == catalogue()
    updated = merge({"settings": settings}, update=True)
    assert updated.catalogue.settings.values == {
        "watt.server.cors.enabled": False,
        "watt.server.cors.maxAge": 10,
        "watt.server.cors.supportedMethods": "GET",
    }
    empty = merge_imported(catalogue("apis: []\n"), Imported((), {"settings": settings}))
    assert empty.added.document == {"settings": settings}
    assert empty.catalogue.settings.values == settings


def test_what_was_taken_follows_its_object() -> None:
    place = Place(file="api.yaml", line=3, column=1)
    taken = (
        Taken(("apis", 0, "native"), "https://pets.example", "server", place),
        Taken(("apis", 1, "version"), "2", "version", place),
        Taken(("apis", 1, "cors", "allowed_methods", 1), "GET", "GET /pets", place),
    )
    merged = merge({"apis": [pets(), pets(version="2")]}, taken=taken)
    assert [one.path for one in merged.added.taken] == [
        ("apis", 0, "version"),
        ("apis", 0, "cors", "allowed_methods", 1),
    ]


def test_what_was_taken_is_found_in_a_list_that_kept_its_order() -> None:
    place = Place(file="api.yaml", line=3, column=1)
    taken = (Taken(("apis", 0, "cors", "allowed_methods", 0), "POST", "POST /pets", place),)
    merged = merge({"apis": [pets(native="https://new.example")]}, update=True, taken=taken)
    assert merged.written.taken[0].path == ("apis", 0, "cors", "allowed_methods", 1)


def test_a_conflict_with_what_exists_is_an_error_at_its_place_in_the_source() -> None:
    place = Place(file="api.yaml", line=9, column=5)
    taken = (Taken(("apis", 0, "endpoints", 0), "/gateway/users/1/x", "path", place),)
    with pytest.raises(InvalidInput) as refused:
        merge({"apis": [pets(version="2", endpoints=["/gateway/users/1/x"])]}, taken=taken)
    (one,) = refused.value.diagnostics
    assert one.place == place
    assert "users/1" in one.message
    assert "exists already" in one.message


def test_an_update_that_contradicts_what_stays_is_an_error() -> None:
    with pytest.raises(InvalidInput) as refused:
        merge({"apis": [pets(cors={"allowed_origins": ["*"]})]}, update=True)
    assert [one.code for one in refused.value.diagnostics] == ["origin-star-credentials"]


def test_an_application_of_an_unknown_api_is_an_error() -> None:
    with pytest.raises(InvalidInput) as refused:
        merge({"applications": [{"name": "other", "apis": ["pets/9"]}]})
    assert [one.code for one in refused.value.diagnostics] == ["unknown-api"]


def test_an_unsafe_entry_that_was_accepted_before_stays() -> None:
    """The import leaves it out; the object has it, with an acceptance of the finding."""
    path = ("apis", 0, "cors", "allowed_origins", 1)
    left_out = LeftOut(path, "https://shop.example.com", "x-cors", None, 1, ())
    stated = pets(cors={"allowed_origins": ["https://new.example.com"]})
    imported = Imported(("openapi",), {"apis": [stated]}, left_out=(left_out,))
    merged = merge_imported(catalogue(), imported, update=True)
    cors = api_to_dict(merged.catalogue.apis["pets/1"])["cors"]
    assert isinstance(cors, dict)
    assert cors["allowed_origins"] == ["https://shop.example.com", "https://new.example.com"]
    assert merged.written.left_out == (left_out,)
    assert merged.added.left_out == ()


def test_entries_that_stay_keep_their_order() -> None:
    merged = merge({"apis": [pets(cors={"allowed_methods": ["PUT", "POST", "GET"]})]}, update=True)
    cors = api_to_dict(merged.catalogue.apis["pets/1"])["cors"]
    assert isinstance(cors, dict)
    assert cors["allowed_methods"] == ["GET", "POST", "PUT"]


def test_an_update_takes_over_that_a_gateway_does_not_allow_credentials() -> None:
    text = """
services:
- name: s
  url: http://n.example
  routes: [{name: r, paths: [/x], plugins: [{name: cors, config: {%s}}]}]
"""

    def of_kong(config: str) -> Imported:
        return import_sources([Source("kong.yaml", (text % config).encode())], "kong")

    first = of_kong(
        'origins: ["https://a.example"], credentials: true, exposed_headers: [X-A], methods: [PUT]'
    )
    existing = merge_imported(Catalogue(), first).catalogue
    second = of_kong('origins: ["https://a.example", "https://b.example"], credentials: false, methods: []')
    updated = merge_imported(existing, second, update=True).catalogue.apis["s/1"].cors
    assert updated is not None
    assert not updated.allow_credentials
    after = merge_imported(existing, second, update=True).written.document["apis"]
    assert isinstance(after, list)
    assert not after[0]["cors"].keys() & {"allow_credentials", "expose_headers", "allowed_methods"}
