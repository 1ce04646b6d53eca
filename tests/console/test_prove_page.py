"""Parts that show a proof, and the page of a rule."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from tests.console_site import Site

from crossgate.console.render import environment
from crossgate.service.permission import Role

HOSTILE = "https://\u202emoc.elpmaxe<img src=x>"
TEMPLATE = """
{% from "parts/verdict.html" import verdict %}
{% from "parts/proof_box.html" import proof_box %}
{% from "parts/finding.html" import findings %}
{{ verdict(found.verdict) }}{{ proof_box(found) }}{{ findings(found.findings) }}"""


def proof(**values: Any) -> dict[str, Any]:
    return {
        "verdict": {"words": "Unsafe: evilexample.com passes", "safety": "unsafe", "witness": "https://evilexample.com"},
        "sentence": "Anyone can register evilexample.com and pass",
        "explanation": "Other letters may precede the name",
        "domains": [],
        "witness_domain": "evilexample.com",
        "witness_spans": [[8, 12]],
        "fix": r"https://example\.com",
        "fix_spans": [[15, 17]],
        "admitted": ["https://evilexample.com"],
        "refused": [],
        "findings": [{"code": "origin-unbounded", "severity": "error", "message": "anybody is admitted"}] * 3,
        **values,
    }  # fmt: skip


def render(found: dict[str, Any]) -> str:
    return environment().from_string(TEMPLATE).render(found=found)


def test_the_deciding_characters_of_a_proof_are_marked() -> None:
    shown = render(proof())
    assert "https://<mark>evil</mark>example.com" in shown
    assert r"https://example<mark>\.</mark>com" in shown
    assert '<bdi class="origin" dir="ltr">evilexample.com</bdi> and pass' in shown
    assert "Error: " in shown
    assert "1 more" in shown


def test_hostile_values_in_a_proof_are_shown_as_what_they_are() -> None:
    verdict = {"words": f"Unsafe: {HOSTILE} passes", "safety": "unsafe", "witness": HOSTILE}
    shown = render(
        proof(verdict=verdict, sentence=f"Anyone {HOSTILE}", witness_domain=None, explanation=HOSTILE)
    )
    assert "<img" not in shown
    assert "\u202e" not in shown


def test_a_proven_entry_names_its_domains_and_examples() -> None:
    found = proof(
        verdict={"words": "Only example.com", "safety": "safe", "witness": None},
        sentence="Proven: every origin it admits belongs to example.com",
        domains=["example.com"],
        admitted=["https://a.example.com"],
        refused=["https://example.com"],
    )
    assert "belongs to <b>example.com</b>." in render(found)
    assert ", not <bdi" in render(found)


@pytest.mark.parametrize("code", ["origin-unbounded", "allowance-unused"])
def test_a_rule_has_a_page(site: Site, code: str) -> None:
    page = site.client().get(f"/rules/{code}")
    assert page.status_code == 200
    assert "What to do" in page.text


def test_a_pattern_in_the_url_is_proved_without_scripts(site: Site) -> None:
    client = site.client(Role.VIEWER)
    page = client.get("/prove", params={"kind": "regex", "value": r"https://pr-[0-9]+.preview.example.com"})
    assert "https://pr-0.preview<mark>b</mark>example.com" in page.text
    fix = re.search(r'href="(/prove\?[^"]+)" data-take="[^"]+">Use the proven pattern', page.text)
    assert fix
    assert "Only example.com" in client.get(unescape(fix[1])).text


def test_several_lines_make_a_table(site: Site) -> None:
    lines = "https://app.example.com\nhttps://*.github.io\nhttps://.*example\\.com\nnull\n<script>"
    page = site.client(Role.VIEWER).get("/prove", params={"value": lines})
    for expected in (
        "Only this origin",
        "Shared domain",
        "evilexample.com passes",
        "sandboxed frame",
        "Not an",
    ):
        assert expected in page.text, expected
    assert "<script>" not in page.text


def test_as_typed_only_the_result_is_sent(site: Site) -> None:
    query = {"kind": "exact", "value": "https://a.example.com"}
    part = site.client(Role.VIEWER).get("/prove", params=query, headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<section id="prove-result"')
    assert "No pattern yet" in site.client(Role.VIEWER).get("/prove").text
