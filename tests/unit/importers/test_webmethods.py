"""Exports of the reference product: whole ones against expectations, and single points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from tests.unit.importers.webmethods_exports import (
    DATA,
    archive_of,
    by_name,
    cors_action,
    export,
    file_source,
    global_policy,
    json_source,
    shown,
)

from crossgate.diagnostics import InvalidInput
from crossgate.importers.result import NO_OPTIONS, Imported, ImportOptions
from crossgate.importers.source import Source
from crossgate.importers.webmethods.reader import read_export
from crossgate.service.imports import import_sources

NATIVE = {
    "v10.7": "https://rates.internal.example",
    "real.petstore": "https://petstore.swagger.io/v2",
}


@pytest.mark.parametrize("expected", sorted(path.stem for path in (DATA / "expected").glob("*.yaml")))
def test_an_export_gives_what_was_written_by_hand(expected: str) -> None:
    wanted = yaml.safe_load((DATA / f"expected/{expected}.yaml").read_text())
    name = expected.replace(".", "/", 1) if expected.startswith(("real", "rest")) else expected
    source = file_source(f"{name}.json") if expected.startswith("rest") else archive_of(name)
    native = NATIVE.get(expected)
    imported = import_sources([source], None, ImportOptions(natives={} if native is None else {"": native}))
    assert imported.kinds == ("webmethods",)
    assert by_name(imported.document["apis"]) == wanted["apis"]
    applications = by_name(imported.document.get("applications", []))
    for application in applications.values():
        if "apis" in application:
            application["apis"] = sorted(application["apis"])
    assert applications == wanted["applications"]
    assert shown(imported.diagnostics) == sorted(wanted["diagnostics"])


def test_values_and_diagnostics_have_their_place_in_the_archive() -> None:
    imported = import_sources([archive_of("team")])
    (options,) = (one for one in imported.diagnostics if one.code == "method-not-needed")
    assert options.place.file is not None
    assert options.place.file.startswith("team.zip:API/API.")
    assert options.place.line == 47
    assert options.place.json_path == "$.parameters[0].parameters[4].values[2]"
    native = next(
        one for one in imported.taken if one.value == "http://shop.internal.example:8080/storefront"
    )
    assert native.reason == "endpoint URI of the routing, with the alias shop_backend"


def read(source: Source, options: ImportOptions = NO_OPTIONS) -> Imported:
    return import_sources([source], "webmethods", options)


def policy_of(imported: Imported) -> dict[str, Any]:
    policy = by_name(imported.document["apis"])["pets"].get("cors")
    assert isinstance(policy, dict)
    return policy


@pytest.mark.parametrize(
    ("origin", "taken", "code"),
    [
        ("https://app.example.com", "https://app.example.com", "origins-literal"),
        ("http://[::1]:8080", "http://[::1]:8080", "origins-literal"),
        ("null", "null", None),
        (r"https://app\.example\.com", "https://app.example.com", "origin-regex"),
        (
            r"^https://app\.example\.com(:8443)?$",
            {"regex": r"https://app\.example\.com(?::8443)?"},
            "origin-regex",
        ),
        ("https://*.example.com", None, "origin-wildcard-like"),
        ("http://localhost:*", None, "origin-wildcard-like"),
        ("HTTPS://*.Example.com", None, "origin-wildcard-like"),
        ("*.example.com", None, "regex-untranslatable"),
        ("app.example.com", None, "origin-invalid"),
        ("10.60.20.30", None, "origin-invalid"),
        ("https://app.example.com/", None, "origin-invalid"),
        ("https://app.example.com:443", None, "origin-invalid"),
        ("https://App.example.com", None, "origin-invalid"),
        ("https://a.example.com,https://b.example.com", None, "origin-invalid"),
        (" https://app.example.com", None, "origin-invalid"),
        (r"https://(?!evil)\w+\.example\.com", None, "regex-untranslatable"),
        (r"https://(a)\1\.example\.com", None, "regex-untranslatable"),
        ("https://(app.example.com", None, "regex-untranslatable"),
    ],
)
def test_an_allowed_origin_is_an_origin_or_an_expression_by_the_rule(
    origin: str, taken: object, code: str | None
) -> None:
    imported = read(export(cors_action(allowedOrigins=[origin])))
    assert policy_of(imported)["allowed_origins"] == ([] if taken is None else [taken])
    codes = {one.code: one for one in imported.diagnostics}
    assert set(codes) == ({code} if code else set())
    if taken is None and code is not None:
        assert codes[code].severity.value == "warning"
        assert codes[code].found == origin
        assert codes[code].place.json_path.endswith("parameters[0].values[0]")
        assert codes[code].remedy


def test_a_host_of_which_only_expressions_have_the_characters_is_an_expression() -> None:
    contents = read_export(export(cors_action(allowedOrigins=["https://pr-.+.example.com"])))
    assert contents.apis[0].cors is not None
    assert [one.value for one in contents.apis[0].cors.origins] == [{"regex": "https://pr-.+.example.com"}]


def test_what_reads_like_a_wildcard_is_proposed_as_one() -> None:
    imported = read(export(cors_action(allowedOrigins=["https://*.example.com"])))
    assert "Add https://*.example.com to the allowed origins" in imported.diagnostics[0].remedy


def test_any_origin_with_credentials_is_left_out() -> None:
    imported = read(export(cors_action(allowedOrigins=["*"], allowCredentials=["true"])))
    assert policy_of(imported) == {"allowed_origins": [], "allow_credentials": True}
    assert shown(imported.diagnostics) == ["warning origin-star-credentials: *"]


@pytest.mark.parametrize(
    ("method", "taken", "code"),
    [
        ("GET", True, None),
        ("PATCH", True, None),
        ("HEAD", True, "method-undocumented"),
        ("MERGE", True, "method-undocumented"),
        ("OPTIONS", False, "method-not-needed"),
        ("*", False, "method-unclear"),
        ("TRACE", False, "method-unclear"),
        ("get", False, "method-case"),
        ("GET, POST", False, "method-invalid"),
    ],
)
def test_methods(method: str, taken: bool, code: str | None) -> None:
    imported = read(export(cors_action(allowMethods=[method])))
    assert policy_of(imported).get("allowed_methods", []) == ([method] if taken else [])
    left_out = {one.code for one in imported.diagnostics}
    assert (code is None) == (left_out == set())
    if code:
        assert any(found.startswith(code) for found in left_out)


def test_values_without_the_mapping_around_them_and_of_other_types() -> None:
    flat = cors_action()
    flat["parameters"] = [
        {"templateKey": "allowedOrigins", "values": ["https://app.example.com", 7]},
        {"templateKey": "allowHeaders", "values": ["X-A", "application/json"]},
        {"templateKey": "allowCredentials", "values": ["yes"]},
        {"templateKey": "maxAge", "values": ["one hour"]},
    ]
    imported = read(export(flat))
    assert policy_of(imported) == {"allowed_origins": ["https://app.example.com"], "allow_headers": ["X-A"]}
    assert sorted(one.code for one in imported.diagnostics if one.severity.value == "warning") == [
        "header-invalid",
        "wrong-type",
        "wrong-type",
        "wrong-type",
    ]


@pytest.mark.parametrize("value", ["", "12", "-1", "99999999999"])
def test_max_age(value: str) -> None:
    imported = read(export(cors_action(maxAge=[value])))
    assert policy_of(imported).get("max_age") == (12 if value == "12" else None)
    assert bool(imported.diagnostics) == (value not in ("", "12"))


def test_an_action_in_another_stage_is_not_in_force() -> None:
    source = json_source(
        [
            {"apiName": "pets", "type": "REST", "id": "api", "policies": ["policy"],
             "nativeEndpoint": [{"uri": "https://pets.example.com"}]},
            {"id": "policy", "policyEnforcements": [{"stageKey": "IAM", "enforcements": [
                {"enforcementObjectId": "action"}]}]},
            cors_action(allowedOrigins=["https://app.example.com"]),
        ]
    )  # fmt: skip
    imported = read(source)
    assert "cors" not in by_name(imported.document["apis"])["pets"]
    assert "warning policy-unused: CORS" in shown(imported.diagnostics)


@pytest.mark.parametrize(
    ("scope", "applies"),
    [
        ({}, True),
        ({"applicableAPITypes": ["REST", "SOAP"]}, True),
        ({"applicableAPITypes": ["SOAP", "ODATA"]}, False),
        ({"scopeConditions": [("API_NAME", "EQUALS", "pets")]}, True),
        ({"scopeConditions": [("API_NAME", "NOT_EQUALS", "pets")]}, False),
        ({"scopeConditions": [("API_NAME", "EQUALS", "Pets")]}, None),
        ({"scopeConditions": [("API_VERSION", "ENDS_WITH", ".0")]}, True),
        ({"scopeConditions": [("API_VERSION", "GREATER_THAN", "0.9")]}, None),
        ({"scopeConditions": [("API_TAG", "EQUALS", "zoo")]}, True),
        ({"scopeConditions": [("METHOD_TAG", "EQUALS", "zoo")]}, None),
        ({"scopeConditions": [("METHOD_TAG", "EQUALS", "zoo"), ("API_NAME", "EQUALS", "cats")]}, False),
        (
            {
                "logicalConnector": "OR",
                "scopeConditions": [("METHOD_TAG", "EQUALS", "zoo"), ("API_NAME", "CONTAINS", "pet")],
            },
            True,
        ),
        ({"methods": ["GET", "POST", "PUT", "DELETE", "PATCH"]}, True),
        ({"methods": ["GET", "POST"]}, True),
        ({"methods": ["GET"]}, None),
        ({"methods": ["DELETE"]}, False),
    ],
)
def test_a_global_policy_applies_where_its_filters_say(
    scope: Mapping[str, Any], applies: bool | None
) -> None:
    conditions: list[object] = [
        {"filterType": "API", "logicalConnector": "AND",
         "attributes": [{"attributeName": name, "operation": operation, "value": value}]}
        for name, operation, value in scope.get("scopeConditions", ())
    ]  # fmt: skip
    if "methods" in scope:
        attributes = [{"attributeName": method, "value": "true"} for method in scope["methods"]]
        conditions.append({"filterType": "HTTP_METHOD", "attributes": attributes})
    whole = {key: value for key, value in scope.items() if key != "methods"} | {"scopeConditions": conditions}
    definition = {"apiTags": ["zoo"], "paths": {"/pets": {"get": {}, "post": {}}}}
    imported = read(export(*global_policy(whole), policies=[], apiDefinition=definition))
    api = by_name(imported.document["apis"])["pets"]
    wanted = {"allowed_origins": ["https://global.example.com"]} if applies else None
    assert api.get("cors") == wanted
    assert ("policy-scope" in {one.code for one in imported.diagnostics}) == (applies is None)


def test_a_global_policy_overrides_that_of_the_api_unless_it_is_inactive() -> None:
    own = cors_action(allowedOrigins=["https://own.example.com"])
    overridden = read(export(own, *global_policy({})))
    assert policy_of(overridden)["allowed_origins"] == ["https://global.example.com"]
    assert "info policy-overridden: pets" in shown(overridden.diagnostics)
    inactive = read(export(own, *global_policy({}, active=False)))
    assert policy_of(inactive)["allowed_origins"] == ["https://own.example.com"]
    assert "info policy-inactive: Global CORS" in shown(inactive.diagnostics)


def test_two_cors_policies_for_one_api_are_reported() -> None:
    second = {**cors_action(allowedOrigins=["https://two.example.com"]), "id": "second"}
    policy = {
        "id": "other",
        "policyScope": "SERVICE",
        "policyEnforcements": [
            {"stageKey": "responseProcessing", "enforcements": [{"enforcementObjectId": "second"}]}
        ],
    }
    own = cors_action(allowedOrigins=["https://one.example.com", "https://two.example.com"])
    imported = read(export(own, second, policy, policies=["policy", "other"]))
    # Which of them the product takes is not documented.
    assert policy_of(imported)["allowed_origins"] == ["https://two.example.com"]
    assert "warning policy-twice: pets" in shown(imported.diagnostics)


@pytest.mark.parametrize("scope", ["PACKAGE", "TEMPLATE", "RESOURCE"])
def test_a_policy_of_no_api_is_reported_with_its_scope(scope: str) -> None:
    policy = {
        "id": "other",
        "policyScope": scope,
        "policyEnforcements": [
            {"stageKey": "responseProcessing", "enforcements": [{"enforcementObjectId": "action"}]}
        ],
    }
    imported = read(export(policy, cors_action(allowedOrigins=["https://one.example.com"]), policies=[]))
    assert "cors" not in by_name(imported.document["apis"])["pets"]
    unused = [one for one in imported.diagnostics if one.code == "policy-unused"]
    assert len(unused) == 2
    assert any(f"whose scope is {scope}" in one.message for one in unused)


def routing(key: str, *uris: str) -> dict[str, object]:
    routes = [
        {"templateKey": "routeTo", "parameters": [{"templateKey": "endpointUri", "values": [uri]}]}
        for uri in uris
    ]
    return {"id": "action", "templateKey": key, "parameters": routes}


@pytest.mark.parametrize(
    ("uri", "native", "code"),
    [
        ("https://pets.example.com/v3/${sys:resource_path}", "https://pets.example.com/v3", None),
        ("${route}/v3/${sys:resource_path}", "http://10.0.0.7:8080/v3", None),
        ("${whole}", "https://pets.example.com/v4", None),
        ("https://pets.example.com/v3", "https://pets.example.com/v3", "routing-fixed"),
        (
            "https://pets.example.com/${sys:resource_path}?tenant=a",
            "https://pets.example.com",
            "routing-suffix",
        ),
        ("${unknown}/${sys:resource_path}", None, "alias-missing"),
        ("https://${request.headers.host}/${sys:resource_path}", None, "alias-missing"),
        ("${loop}/${sys:resource_path}", None, "alias-missing"),
    ],
)
def test_the_native_service_is_where_the_routing_sends_requests(
    uri: str, native: str | None, code: str | None
) -> None:
    aliases = [
        {"name": "route", "type": "endpoint", "endPointURI": "http://10.0.0.7:8080"},
        {"name": "whole", "type": "simple", "value": "https://pets.example.com/v4/${sys:resource_path}"},
        {"name": "loop", "type": "simple", "value": "${loop}"},
    ]
    given = ImportOptions(natives={} if native else {"": "https://given.example.com"})
    imported = read(export(routing("straightThroughRouting", uri), *aliases), given)
    assert by_name(imported.document["apis"])["pets"]["native"] == (native or "https://given.example.com")
    assert {one.code for one in imported.diagnostics} == ({code} if code else set())


def test_of_several_routes_the_first_is_taken_and_the_others_are_reported() -> None:
    uris = ["https://a.example.com/${sys:resource_path}", "https://b.example.com/${sys:resource_path}"]
    imported = read(export(routing("loadBalancerRouting", *uris)))
    assert by_name(imported.document["apis"])["pets"]["native"] == "https://a.example.com"
    assert "warning routing-simplified: loadBalancerRouting" in shown(imported.diagnostics)


@pytest.mark.parametrize(
    "application",
    [
        {"id": "app", "consumingAPIs": ["api"]},
        {"applicationID": "app", "apiAssociations": [{"apiId": "api"}]},
        {"applicationID": "app", "registered": {"applicationId": "app", "apiIds": ["api"]}},
        {"id": "app", "of_api": ["app"]},
        {"id": "app", "of_api": [{"id": "app"}]},
    ],
)
def test_an_application_is_associated_from_either_side(application: dict[str, Any]) -> None:
    registered = application.pop("registered", None)
    of_api = application.pop("of_api", [])
    asset = {"name": "web", "jsOrigins": ["https://web.example.com"], "isSuspended": False, **application}
    others = [asset] if registered is None else [asset, registered]
    imported = read(export(cors_action(), *others, applications=of_api))
    assert imported.document["applications"] == [
        {"name": "web", "javascript_origins": ["https://web.example.com"], "apis": ["pets/1.0"]}
    ]


def test_nobody_is_associated_by_the_empty_application() -> None:
    association = {"applicationId": "EmptyRegisteredApplication", "apiIds": ["api"], "lastUpdated": 0}
    imported = read(export(cors_action(), association))
    assert "applications" not in imported.document
    assert imported.diagnostics == ()


def test_an_association_with_an_application_that_was_not_exported_is_reported() -> None:
    imported = read(export(cors_action(), {"applicationId": "app", "apiIds": ["api"]}))
    assert shown(imported.diagnostics) == ["warning application-missing: app"]


@pytest.mark.parametrize("origins", [["https://a.example.com"], {"jsOrigins": ["https://a.example.com"]}])
def test_shapes_of_javascript_origins(origins: object) -> None:
    application = {"id": "app", "name": "web", "jsOrigins": origins, "consumingAPIs": ["api"]}
    imported = read(export(cors_action(), application))
    assert by_name(imported.document["applications"])["web"]["javascript_origins"] == [
        "https://a.example.com"
    ]


@pytest.mark.parametrize(
    "origin", ["*", "null", r"https://.*\.example\.com", "https://*.example.com", "app", 7]
)
def test_only_exact_origins_of_applications_are_taken(origin: object) -> None:
    application = {"id": "app", "name": "web", "jsOrigins": [origin], "consumingAPIs": ["api"]}
    imported = read(export(cors_action(), application))
    assert by_name(imported.document["applications"])["web"] == {"apis": ["pets/1.0"]}
    (warning,) = imported.diagnostics
    assert warning.severity.value == "warning"
    assert warning.place.json_path.endswith("jsOrigins[0]")


@pytest.mark.parametrize(
    ("endpoints", "wanted"),
    [
        ({}, None),
        ({"default": "/gateway/pets/1.0"}, None),
        ({"short": "/pets"}, ["/gateway/pets/1.0", "/pets"]),
        ({"template": "/v/${apiName}/${apiVersion}/"}, ["/gateway/pets/1.0", "/v/pets/1.0"]),
        ([{"gatewayEndpoint": "http://gateway:5555/zoo/pets"}], ["/gateway/pets/1.0", "/zoo/pets"]),
        (["http://[gateway/x"], None),
    ],
)
def test_endpoints(endpoints: object, wanted: list[str] | None) -> None:
    imported = read(export(cors_action(), gatewayEndpoints=endpoints))
    assert by_name(imported.document["apis"])["pets"].get("endpoints") == wanted


def test_a_policy_action_alone_is_the_policy_of_an_api_that_the_options_name() -> None:
    options = ImportOptions(natives={"": "https://facts.example.com"}, name="facts", version="2")
    imported = import_sources([file_source("rest/policy_action.json")], None, options)
    assert by_name(imported.document["apis"])["facts"]["cors"]["allowed_methods"] == ["GET"]
    assert "policy-without-api" in {one.code for one in imported.diagnostics}


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("rest/api.json", "warning asset-missing: 99a1bd1b-a3a2-45d2-81d3-7c2d58e33e6d"),
        ("rest/apis.json", "warning policies-unknown: ChuckNorris"),
        ("rest/applications.json", "warning api-not-found: c3f57a3d-0e3c-4a9a-9d8a-2f1f3c1e7a10"),
    ],
)
def test_an_answer_alone_says_what_is_missing(name: str, warning: str) -> None:
    options = ImportOptions(natives={"": "https://api.chucknorris.io/jokes"} if "api" in name[5:8] else {})
    imported = import_sources([file_source(name)], None, options)
    assert imported.kinds == ("webmethods",)
    assert warning in shown(imported.diagnostics)


def test_of_two_answers_about_one_api_the_fuller_one_counts() -> None:
    summary = {"apiName": "pets", "apiVersion": "1.0", "type": "REST", "id": "api"}
    full = {**summary, "policies": [], "nativeEndpoint": [{"uri": "https://pets.example.com"}]}
    for order in ([summary, full], [full, summary]):
        imported = read(json_source([{"apiResponse": [{"api": one} for one in order]}]))
        assert by_name(imported.document["apis"])["pets"]["native"] == "https://pets.example.com"
        assert imported.diagnostics == ()
    differs = {**summary, "apiVersion": "2.0"}
    assert "asset-repeated" in {one.code for one in read(json_source([full, differs])).diagnostics}


@pytest.mark.parametrize("kind", ["GRAPHQL", "WEBSOCKET", "GRPC"])
def test_apis_of_other_types_are_left_out_and_reported(kind: str) -> None:
    other = {"apiName": "ticker", "apiVersion": "1.0", "type": kind, "id": "other", "policies": []}
    imported = read(export(cors_action(), other))
    assert list(by_name(imported.document["apis"])) == ["pets"]
    assert shown(imported.diagnostics) == ["warning api-type: ticker"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"policy": {}}', "nothing-found"),
        (b"[1, 2]", "nothing-found"),
        (b"null", "nothing-found"),
        (b'<?xml version="1.0"?><asset_composite name="APIGatewayAssets"/>', "archive-manifest"),
        (b'{"apiName": ', "json-syntax"),
    ],
)
def test_what_has_no_asset_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        import_sources([Source("export.json", data)], "webmethods")
    assert [one.code for one in refused.value.diagnostics] == [code]
