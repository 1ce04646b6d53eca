"""The verdict on each pattern of the corpus, a third of which are from public configurations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import re2
from tests.random_origin_patterns import BAD, second_opinion

from crossgate.lint.proof import MatchMode, Proof, Verdict, prove, prove_pattern
from crossgate.policy.origin import Origin, is_well_formed
from crossgate.policy.origin_pattern import WildcardOrigin, parse_origin_pattern

CORPUS = json.loads((Path(__file__).parents[2] / "data" / "origin-regex-corpus.json").read_text())
CASES = pytest.mark.parametrize("case", CORPUS, ids=[str(case["id"]) for case in CORPUS])


def _prove(case: dict[str, Any]) -> Proof:
    if case["mode"] == "wildcard":
        pattern = parse_origin_pattern(case["pattern"])
        assert isinstance(pattern, WildcardOrigin)
        return prove_pattern(pattern)
    return prove(case["pattern"], MatchMode(case["mode"]))


@CASES
def test_the_verdict_facts_domains_witness_and_cause(case: dict[str, Any]) -> None:
    proof, expect = _prove(case), case["expect"]
    assert proof.verdict in expect["verdict"]
    facts = {fact.code.value for fact in proof.facts}
    assert facts >= set(expect.get("flags", ()))
    assert not facts & set(expect.get("no_flags", ()))
    if "domains" in expect:
        assert sorted(expect["domains"]) == list(proof.domains)
    if "witness" in expect:
        assert proof.witness == expect["witness"]
    assert expect.get("cause_contains", "") in (proof.cause or "")


@CASES
def test_a_witness_is_matched_by_re2_and_can_be_registered(case: dict[str, Any]) -> None:
    proof = _prove(case)
    if proof.verdict not in {*BAD, Verdict.UNOWNED}:
        assert proof.witness is None
        return
    assert proof.witness is not None
    assert is_well_formed(proof.witness)
    assert _admitted(case, proof.witness)
    if proof.verdict is Verdict.UNOWNED:
        assert proof.witness_domain is None
        return
    assert second_opinion(Origin.of(proof.witness).host) == proof.witness_domain


@CASES
def test_the_example_of_a_fact_is_matched_by_re2(case: dict[str, Any]) -> None:
    for fact in _prove(case).facts:
        assert fact.example is None or _admitted(case, fact.example), fact


def _admitted(case: dict[str, Any], origin: str) -> bool:
    pattern = case["pattern"]
    if case["mode"] == "wildcard":
        wildcard = parse_origin_pattern(pattern)
        assert isinstance(wildcard, WildcardOrigin)
        pattern = wildcard.regex
    methods = {"search": re2.search, "prefix": re2.match}
    return methods.get(case["mode"], re2.fullmatch)(pattern, origin) is not None


def test_none_exhausts_its_budget() -> None:
    assert not [case["id"] for case in CORPUS if _prove(case).verdict is Verdict.UNPROVEN]
