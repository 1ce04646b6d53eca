"""The key names of other gateways and libraries lead to the property that is meant."""

from __future__ import annotations

import pytest

from crossgate.catalogue.fields import API, APPLICATION, DOCUMENT, SETTINGS
from crossgate.catalogue.reader import (
    read_api,
    read_application,
    read_sections,
    read_settings,
    refuse_files,
)
from crossgate.diagnostics import InvalidInput
from crossgate.policy import read_policy
from crossgate.policy.cors_policy import POLICY
from crossgate.record import Record

NAMES = {
    "nginx ingress": {
        "cors-allow-origin": "allowed_origins",
        "cors-allow-methods": "allowed_methods",
        "cors-allow-headers": "allow_headers",
        "cors-expose-headers": "expose_headers",
        "cors-allow-credentials": "allow_credentials",
        "cors-max-age": "max_age",
        "nginx.ingress.kubernetes.io/cors-allow-origin": "allowed_origins",
    },
    "nginx": {
        "add_header": "the property for the header that it adds?",
        "Access-Control-Allow-Origin": "allowed_origins",
        "Access-Control-Allow-Methods": "allowed_methods",
        "Access-Control-Allow-Headers": "allow_headers",
        "Access-Control-Expose-Headers": "expose_headers",
        "Access-Control-Allow-Credentials": "allow_credentials",
        "Access-Control-Max-Age": "max_age",
    },
    "Kong": {
        "origins": "allowed_origins",
        "methods": "allowed_methods",
        "headers": "allow_headers",
        "exposed_headers": "expose_headers",
        "credentials": "allow_credentials",
        "preflight_continue": "plain_options",
    },
    "Apache APISIX": {
        "allow_origins": "allowed_origins",
        "allow_origins_by_regex": "allowed_origins with {regex: ...}",
        "allow_methods": "allowed_methods",
        "allow_credential": "allow_credentials",
    },
    "Traefik": {
        "accessControlAllowOriginList": "allowed_origins",
        "accessControlAllowOriginListRegex": "allowed_origins with {regex: ...}",
        "accessControlAllowMethods": "allowed_methods",
        "accessControlAllowHeaders": "allow_headers",
        "accessControlExposeHeaders": "expose_headers",
        "accessControlAllowCredentials": "allow_credentials",
        "accessControlMaxAge": "max_age",
    },
    "Envoy": {
        "allow_origin_string_match": "allowed_origins with {regex: ...}",
        "allowOrigins": "allowed_origins",
    },
    "Spring Cloud Gateway": {
        "allowedOrigins": "allowed_origins",
        "allowed-origin-patterns": "allowed_origins with {regex: ...}",
        "allowedMethods": "allowed_methods",
        "allowedHeaders": "allow_headers",
        "exposedHeaders": "expose_headers",
        "allowCredentials": "allow_credentials",
        "maxAge": "max_age",
    },
    "AWS": {
        "AllowOrigins": "allowed_origins",
        "AllowedOrigins": "allowed_origins",
        "AllowedMethods": "allowed_methods",
        "AllowedHeaders": "allow_headers",
        "ExposeHeaders": "expose_headers",
        "MaxAgeSeconds": "max_age",
    },
    "Azure API Management": {
        "allowed-origins": "allowed_origins",
        "allowed-methods": "allowed_methods",
        "allowed-headers": "allow_headers",
        "expose-headers": "expose_headers",
        "allow-credentials": "allow_credentials",
        "preflight-result-max-age": "max_age",
    },
    "Express": {
        "origin": "allowed_origins",
        "methods": "allowed_methods",
        "exposedHeaders": "expose_headers",
        "credentials": "allow_credentials",
        "preflightContinue": "plain_options",
    },
    "Starlette": {
        "allow_origin_regex": "allowed_origins with {regex: ...}",
        "allow_methods": "allowed_methods",
    },
    "Flask-CORS and django-cors-headers": {
        "supports_credentials": "allow_credentials",
        "CORS_ALLOWED_ORIGINS": "allowed_origins",
        "CORS_ALLOWED_ORIGIN_REGEXES": "allowed_origins with {regex: ...}",
        "CORS_PREFLIGHT_MAX_AGE": "max_age",
    },
}
CASES = [(gateway, theirs, ours) for gateway, names in NAMES.items() for theirs, ours in names.items()]


@pytest.mark.parametrize(("gateway", "theirs", "ours"), CASES)
def test_a_property_of_a_policy(gateway: str, theirs: str, ours: str) -> None:
    _, (found,) = read_policy({theirs: []})
    assert (found.code, found.found) == ("unknown-key", theirs), gateway
    assert found.remedy.startswith(f"Did you mean {ours}"), gateway
    assert "The keys are" in found.remedy


def test_all_keys_of_a_foreign_policy_get_a_suggestion() -> None:
    _, found = read_policy(dict.fromkeys(NAMES["Traefik"]))
    assert len(found) == len(NAMES["Traefik"])
    assert all("Did you mean" in one.remedy for one in found)


def test_what_is_known_nowhere_gets_none() -> None:
    _, (found,) = read_policy({"frobnicate": 1})
    assert "Did you mean" not in found.remedy


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("upstream_url", "native"),
        ("enable-cors", "cors?"),
        ("nginx.ingress.kubernetes.io/enable-cors", "cors?"),
        ("nginx.ingress.kubernetes.io/cors-allow-origin", "cors, under which"),
        ("proxy_read_timeout", "native_idle_timeout"),
        ("proxy_pass", "native?"),
        ("serviceUrl", "native"),
        ("listen_path", "endpoints"),
        ("corsConfiguration", "cors"),
        ("allowed_origins", "cors, under which"),
        ("allowOrigins", "cors, under which"),
    ],
)
def test_a_key_of_an_api(theirs: str, ours: str) -> None:
    raw = {"name": "a", "version": "1", "type": "rest", "native": "http://127.0.0.1", theirs: "x"}
    with pytest.raises(InvalidInput) as refused:
        read_api(raw)
    (found,) = refused.value.diagnostics
    assert found.remedy.startswith(f"Did you mean {ours}")


def test_keys_of_other_objects() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_application({"name": "a", "origins": []})
    assert refused.value.diagnostics[0].remedy.startswith("Did you mean javascript_origins?")
    with pytest.raises(InvalidInput) as refused:
        read_settings({"allowed_origins": "*"})
    assert refused.value.diagnostics[0].remedy.startswith("Did you mean watt.server.cors.allowedOrigins?")
    _, errors = read_sections({"services": []}, None, refuse_files)
    assert errors[0].remedy.startswith("Did you mean apis?")


@pytest.mark.parametrize(
    "record", [POLICY, API, APPLICATION, DOCUMENT, SETTINGS], ids=lambda record: str(record.name)
)
def test_no_name_is_there_twice_or_a_spelling_of_a_key(record: Record[object]) -> None:
    keys = [*record.other_names, *(field.name for field in record.fields)]
    spellings = [key.replace("_", "").replace("-", "").lower() for key in keys]
    assert [key for key, one in zip(keys, spellings, strict=True) if spellings.count(one) > 1] == []
