"""Parts that show a proof, and the page of a rule."""

from __future__ import annotations

from typing import Any

import pytest
from tests.console_site import Site

from crossgate.console.render import environment

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
