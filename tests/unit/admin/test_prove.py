"""The proof of entries over REST: verdict, evidence and fix, one or many at once."""

from __future__ import annotations

from typing import Any

import pytest
from tests.admin_api import AdminApi

BARE_DOTS = r"https://pr-[0-9]+.preview.example.com"


def prove(api: AdminApi, **body: Any) -> list[dict[str, Any]]:
    response = api.viewer.post("/v1/prove", json=body)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


def marked(text: str, spans: list[list[int]]) -> list[str]:
    return [text[start:end] for start, end in spans]


def test_an_unsafe_expression_has_the_attackers_origin_and_a_proven_fix(api: AdminApi) -> None:
    (found,) = prove(api, kind="regex", value=BARE_DOTS)
    assert found["verdict"] == {
        "words": "Unsafe: pr-0.previewbexample.com passes",
        "safety": "unsafe",
        "witness": "https://pr-0.previewbexample.com",
    }
    assert found["sentence"] == "Anyone can register previewbexample.com and pass"
    assert found["explanation"] == "A bare . matches any character"
    assert marked(found["verdict"]["witness"], found["witness_spans"]) == ["b"]
    assert found["fix"] == r"https://pr-[0-9]+\.preview\.example\.com"
    assert marked(found["fix"], found["fix_spans"]) == [r"\.", r"\.", r"\."]
    assert [one["code"] for one in found["findings"]] == ["origin-unbounded"]
    (fixed,) = prove(api, kind="regex", value=found["fix"])
    assert fixed["verdict"]["words"] == "Only example.com"
    assert (fixed["domains"], fixed["domains_complete"], fixed["fix"]) == (["example.com"], True, None)
    assert fixed["admitted"] == ["https://pr-0.preview.example.com"]
    assert fixed["refused"][0] == "https://pr-x.preview.example.com"


@pytest.mark.parametrize(
    ("value", "deciding"),
    [
        (r"https://.*example\.com", ["evil"]),
        (r"https://example\.com.*", ["evil.net"]),
        (r"https://example-[0-9]\.com", ["0"]),
        (r"https://[a-z]+\.github\.io", ["evil"]),
    ],
)
def test_the_deciding_characters_are_those_that_the_expression_does_not_write(
    api: AdminApi, value: str, deciding: list[str]
) -> None:
    (found,) = prove(api, kind="regex", value=value)
    assert marked(found["verdict"]["witness"], found["witness_spans"]) == deciding


def test_many_patterns_make_a_table_in_which_an_invalid_one_is_named(api: AdminApi) -> None:
    found = prove(
        api,
        patterns=[
            {"kind": "exact", "value": "https://app.example.com"},
            {"kind": "wildcard", "value": "https://*.github.io"},
            {"kind": "exact", "value": "app.example.com"},
            {"kind": "regex", "value": "("},
            {"kind": "any"},
            {"kind": "null"},
        ],
    )
    assert [one["verdict"]["words"] for one in found] == [
        "Only this origin",
        "Shared domain: anyone can get a name",
        "Not an origin",
        "Not a regular expression",
        "Every origin",
        "Unsafe: any sandboxed frame passes",
    ]
    assert [one["invalid"] and one["invalid"]["code"] for one in found][2:4] == [
        "origin-invalid",
        "origin-regex",
    ]


def test_with_credentials_a_finding_is_worse(api: AdminApi) -> None:
    def severity(*, credentials: bool) -> str:
        (found,) = prove(api, kind="exact", value="http://shop.example.com", credentials=credentials)
        (finding,) = [one for one in found["findings"] if one["code"] == "http-origin"]
        return str(finding["severity"])

    assert severity(credentials=True) != severity(credentials=False)


def test_shared_domains_of_the_gateway_count(api: AdminApi) -> None:
    body = {"listen": "127.0.0.1:8080", "lint": {"shared_domains": ["example.org"]}}
    assert api.admin.put("/v1/gateway", json=body, headers={"If-Match": "*"}).status_code == 200
    (found,) = prove(api, kind="wildcard", value="https://*.example.org")
    assert found["verdict"]["safety"] == "unsafe"


def test_a_long_proof_is_left_to_a_worker(api: AdminApi) -> None:
    value = "https://(" + "|".join(f"a{i}[a-z]{{1,40}}.b{i}" for i in range(40)) + r")\.example\.com"
    (found,) = prove(api, kind="regex", value=value)
    assert found["verdict"]["words"]


def test_each_rule_can_be_read(api: AdminApi) -> None:
    found = api.viewer.get("/v1/rules/origin-unbounded").json()
    assert found["title"] == "An attacker can register a domain that is admitted"
    assert found["severity"] == "error"
    assert api.viewer.get("/v1/rules/allowance-unused").json()["remedy"] == "Remove the suppression"
    assert api.viewer.get("/v1/rules/made-up").status_code == 404


def test_an_unknown_kind_is_refused(api: AdminApi) -> None:
    assert api.viewer.post("/v1/prove", json={"kind": "glob", "value": "x"}).status_code == 422
