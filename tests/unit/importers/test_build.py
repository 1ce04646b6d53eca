"""Objects built from what a reader found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

import pytest

from crossgate.catalogue.model import ApiType
from crossgate.catalogue.reader import read_sections, refuse_files
from crossgate.diagnostics import Place
from crossgate.importers.build import build, join_contents
from crossgate.importers.found import Contents, Found, FoundApi, FoundApplication, FoundPolicy
from crossgate.importers.result import NO_OPTIONS, Imported, ImportOptions

_Value = TypeVar("_Value")


def found(value: _Value, line: int = 1) -> Found[_Value]:
    return Found(value, Place(("x",), "api.yaml", line, 1), f"line {line}")


def api(name: str = "petstore", **fields: object) -> FoundApi:
    one = FoundApi(
        fields.pop("id", name),  # type: ignore[arg-type]  # a string
        found(name),
        found("1.0"),
        found(ApiType.REST),
        natives=(found("http://127.0.0.1:9101"),),
    )
    return replace(one, **fields)  # type: ignore[arg-type]  # of any field


def built(*apis: FoundApi, options: ImportOptions = NO_OPTIONS, **fields: object) -> Imported:
    contents = Contents(apis, **fields)  # type: ignore[arg-type]  # of any field
    imported = build(contents, options)
    if not errors(imported):
        assert read_sections(imported.document, None, refuse_files)[1] == []
    return imported


def errors(imported: Imported) -> list[str]:
    return codes(imported, "error")


def codes(imported: Imported, severity: str) -> list[str]:
    return [one.code for one in imported.diagnostics if one.severity.value == severity]


def entry(imported: Imported, index: int = 0) -> Mapping[str, object]:
    apis = imported.document["apis"]
    assert isinstance(apis, list)
    return apis[index]  # type: ignore[no-any-return]  # a mapping


def names(imported: Imported) -> list[str]:
    apis = imported.document["apis"]
    assert isinstance(apis, list)
    return [f"{one['name']}/{one['version']}" for one in apis]


@pytest.mark.parametrize(
    ("title", "name", "reported"),
    [
        ("petstore", "petstore", False),
        ("PetStore_v1", "PetStore_v1", False),
        ("Swagger Petstore", "swagger-petstore", False),
        ("  Öffentliche Straße / API!", "offentliche-strasse-api", True),
        ("宠物", "api", True),
        ("..", "api", True),
        ("", "api", True),
        ("a" * 300, "a" * 200, True),
    ],
)
def test_a_title_becomes_a_valid_name(title: str, name: str, reported: bool) -> None:
    imported = built(api(title))
    assert entry(imported)["name"] == name
    assert codes(imported, "info") == (["name-changed"] if reported else [])


def test_a_missing_version_is_1_and_the_report_says_so() -> None:
    imported = built(api(version=found("")))
    assert names(imported) == ["petstore/1"]
    assert codes(imported, "info") == ["version-changed"]


def test_names_that_collide_get_a_number() -> None:
    imported = built(api("Pet Store"), api("pet-store", id="2"), api("pet store", id="3"))
    assert names(imported) == ["pet-store/1.0", "pet-store-2/1.0", "pet-store-3/1.0"]
    assert codes(imported, "info") == ["name-in-use", "name-in-use"]
    same_name = built(api(), api(id="2", version=found("2.0")))
    assert names(same_name) == ["petstore/1.0", "petstore/2.0"]


def test_the_first_usable_native_service_counts() -> None:
    urls = ("/v2", "https://{region}.example.com", "https://a.example/v2/?x=1", "https://a.example/v2/")
    imported = built(api(natives=tuple(map(found, urls))))
    assert entry(imported)["native"] == "https://a.example/v2"
    assert codes(imported, "info") == ["native-chosen"]


def test_no_native_service_is_an_error_that_names_the_option() -> None:
    imported = built(api(natives=(found("/v2", 7),)))
    (error,) = imported.diagnostics
    assert error.code == "native-missing"
    assert error.place.line == 7
    assert "--native petstore=" in error.remedy


@pytest.mark.parametrize("name", ["petstore/1.0", "petstore", ""])
def test_the_option_names_the_native_service(name: str) -> None:
    imported = built(api(), options=ImportOptions(natives={name: "http://10.0.0.1/x"}))
    assert entry(imported)["native"] == "http://10.0.0.1/x"


def test_a_native_service_for_an_unknown_api_or_an_invalid_one_is_an_error() -> None:
    options = ImportOptions(natives={"pets": "http://10.0.0.1", "": "ftp://x"})
    assert errors(built(api(), options=options)) == ["native-unknown", "native-invalid"]


def test_an_endpoint_that_is_invalid_or_taken_is_left_out() -> None:
    imported = built(
        api("a", endpoints=(found("/shop"), found("/"), found("/gateway/b/1.0"))),
        api("b", endpoints=(found("/shop/v1"),)),
    )
    assert entry(imported)["endpoints"] == ["/shop"]
    assert "endpoints" not in entry(imported, 1)
    assert codes(imported, "warning") == ["endpoint-left-out"] * 3


def test_equal_headers_are_one_with_the_first_spelling() -> None:
    policy = FoundPolicy(allow_headers=(found("X-Key", 1), found("x-key", 2), found("Accept", 3)))
    imported = built(api(cors=policy))
    assert entry(imported)["cors"] == {"allowed_origins": [], "allow_headers": ["X-Key", "Accept"]}
    taken = {one.path: one for one in imported.taken}
    assert taken["apis", 0, "cors", "allow_headers", 0].places == 2


def test_invalid_values_are_left_out_with_the_reason_of_the_catalogue() -> None:
    policy = FoundPolicy(
        origins=(found("https://a.example/"), found("*"), found("https://a.example"), found({"regex": "("})),
        methods=(found("TRACE"), found("GET")),
        allow_headers=(found("a b"),),
        expose_headers=(found("*"), found("ETag")),
        credentials=found(True),
        max_age=found(-1),
    )
    imported = built(api(cors=policy))
    assert entry(imported)["cors"] == {
        "allowed_origins": ["https://a.example"],
        "allowed_methods": ["GET"],
        "expose_headers": ["ETag"],
        "allow_credentials": True,
    }
    assert codes(imported, "warning") == [
        "origin-invalid",
        "origin-star-credentials",
        "origin-regex",
        "method-forbidden",
        "header-invalid",
        "expose-star-credentials",
        "max-age-invalid",
    ]


def test_the_options_for_origins_and_observe() -> None:
    options = ImportOptions(origins=("https://a.example",), observe=True)
    imported = built(api("a", cors=FoundPolicy()), api("b"), options=options)
    assert entry(imported)["cors"] == {"allowed_origins": ["https://a.example"], "mode": "observe"}
    assert "cors" not in entry(imported, 1)
    assert errors(built(api(), options=ImportOptions(origins=("https://a.example/",)))) == ["origin-invalid"]


def test_the_options_for_the_name_are_for_one_api() -> None:
    options = ImportOptions(name="shop", version="2")
    assert names(built(api(), options=options)) == ["shop/2"]
    assert errors(built(api("a"), api("b"), options=options)) == ["option-for-one-api"] * 2


def test_applications_refer_to_the_keys_of_their_apis() -> None:
    application = FoundApplication(
        found("Web\nshop"),
        origins=(found("https://a.example"), found("*")),
        apis=(found("id-1"), found("id-9")),
        suspended=found(True),
    )
    imported = built(api("Pet Store", id="id-1"), applications=(application,))
    assert imported.document["applications"] == [
        {
            "name": "Web shop",
            "javascript_origins": ["https://a.example"],
            "apis": ["pet-store/1.0"],
            "suspended": True,
        }
    ]
    assert codes(imported, "warning") == ["origin-invalid", "api-not-found"]


def test_settings_become_lists_of_valid_words() -> None:
    settings = {
        "watt.server.cors.enabled": found("true"),
        "watt.server.cors.allowedOrigins": found("https://a.example, * r:("),
        "watt.server.cors.supportsCredentials": found("true"),
        "watt.server.cors.maxAge": found("x"),
        "watt.server.port": found("1"),
    }
    imported = built(settings=settings)
    assert imported.document["settings"] == {
        "watt.server.cors.enabled": "true",
        "watt.server.cors.allowedOrigins": ["https://a.example"],
        "watt.server.cors.supportsCredentials": "true",
    }
    assert codes(imported, "warning") == ["server-setting"] * 3 + ["unknown-setting"]


def test_enabled_settings_without_an_origin_are_an_error() -> None:
    settings = {"watt.server.cors.enabled": found("true", 4)}
    imported = built(settings=settings)
    assert errors(imported) == ["settings-no-origin"]
    assert imported.diagnostics[0].place.line == 4
    added = built(settings=settings, options=ImportOptions(origins=("https://a.example",)))
    assert not errors(added)


def test_several_documents_are_joined() -> None:
    one = Contents((api(id="x"),), (FoundApplication(found("web"), apis=(found("x"), found("a b"))),))
    imported = build(join_contents([one, one]))
    assert names(imported) == ["petstore/1.0", "petstore-2/1.0"]
    applications = imported.document["applications"]
    assert isinstance(applications, list)
    assert [found["apis"] for found in applications] == [["petstore/1.0"], ["petstore-2/1.0"]]
    assert [one.found for one in imported.diagnostics if one.code == "api-not-found"] == ["a b", "a b"]


def test_defaults_that_push_others_aside_come_to_an_end() -> None:
    # Each API wants the default endpoint of the one after it; only the last has none of its own.
    names_ = [f"api-{number}" for number in range(30)]
    wanted = {name: f"/gateway/{after}/1.0" for name, after in pairwise(names_)}
    apis = [api(name, endpoints=(found(wanted[name]),) if name in wanted else ()) for name in names_]
    imported = built(*apis)
    assert not any("endpoints" in entry(imported, number) for number in range(23, 30))
    assert len(codes(imported, "warning")) >= 6
