"""Crossgate's supplement to the public suffix list, and hosts whose one origin many people share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import publicsuffixlist
import pytest
import re2
from tests.command import crossgate

from crossgate.catalogue.fields import GATEWAY
from crossgate.catalogue.model import Api, ApiType, Catalogue, Gateway, GatewayLint, NativeService
from crossgate.catalogue.reader import read_gateway
from crossgate.diagnostics import InvalidInput
from crossgate.lint.check import check_catalogue, check_subject
from crossgate.lint.proof import FactCode, Verdict, prove, prove_exact, prove_pattern, suffix_list
from crossgate.lint.proof.shared_domains import (
    ADDRESS_DOMAINS,
    SHARED_DOMAINS,
    SHARED_HOST_ENDS,
    SHARED_HOSTS,
)
from crossgate.lint.proof.suffix_trie import PRIVATE_SECTION, Section, build_trie, rules_of
from crossgate.lint.subject import Subject
from crossgate.policy import build_policy
from crossgate.policy.origin_pattern import WildcardOrigin, parse_origin_pattern
from crossgate.service.changes import PutApi
from crossgate.service.plan import make_plan
from crossgate.service.snapshot import Snapshot

TENANTS = {"wildcard-public-suffix", "wildcard-over-suffixes"}
PUBLIC = publicsuffixlist.PublicSuffixList()
SHARED = [host.replace("*", "eu-1") for host in SHARED_HOSTS]


@pytest.mark.parametrize("rule", SHARED_DOMAINS)
def test_an_entry_has_a_source_and_the_public_list_does_not_have_it(rule: str) -> None:
    assert SHARED_DOMAINS[rule].startswith("https://")
    domain = f"mine.{rule.replace('*', 'region')}"
    expected = f"www.{domain}" if rule in ADDRESS_DOMAINS else domain
    assert suffix_list().find_domain(f"www.{domain}") == expected
    assert PUBLIC.privatesuffix(f"www.{domain}") != domain


@pytest.mark.parametrize("rule", SHARED_DOMAINS)
def test_a_wildcard_over_it_is_a_tenant(rule: str) -> None:
    for host in {rule.removeprefix("*."), rule.replace("*", "region")}:
        pattern = parse_origin_pattern(f"https://*.{host}")
        assert isinstance(pattern, WildcardOrigin)
        for proof in (
            prove_pattern(pattern),
            prove(pattern.regex),
            prove(rf"https://.*\.{re2.escape(host)}"),
        ):
            assert proof.verdict is Verdict.TENANT
            assert proof.witness is not None


@pytest.mark.parametrize(
    "text",
    [
        "https://*.nip.io",
        "https://*.sslip.io",
        "https://*.cloudapp.azure.com",
        "https://*.westeurope.cloudapp.azure.com",
        "https://*.storage.googleapis.com",
        "https://*.atlassian.net",
    ],
)
def test_the_linter_refuses_tenants_of_companies_that_are_not_in_the_public_list(text: str) -> None:
    policy = build_policy(allowed_origins=[text])
    codes = {one.diagnostic.code for one in check_subject(Subject(policy))}
    assert codes & TENANTS


def test_the_witness_below_nip_io_resolves() -> None:
    assert prove(r"https://.*\.nip\.io").witness == "https://203-0-113-7.nip.io"


@pytest.mark.parametrize("domain", sorted(ADDRESS_DOMAINS))
@pytest.mark.parametrize(
    "template",
    [
        "https://*.1.{}",
        "https://*.10.0.0.1.{}",
        "https://*.a.b.10-0-0-1.{}",
        "http://*.10.0.0.1.{}",
        r"r:https://.*\.10\.0\.0\.1\.{}",
        r"r:https://(.+\.)?10\.0\.0\.1\.{}",
        r"r:https://(a\.)+10-0-0-1\.{}",
        r"r:https://((a|b)\.)+10-0-0-1\.{}",
        r"r:https://[a-z]+-1-2-3-4\.{}",
        r"r:https://app\.10-0-0-[1-9]\.{}",
        r"r:https://[ab]\.app\.10-0-0-1\.{}",
        r"r:https://(www\.example\.com|.*\.10-0-0-1\.{})",
    ],
)
def test_a_set_of_hosts_with_addresses_in_them_is_a_tenant(template: str, domain: str) -> None:
    """Each of these names leads to the address in it, and belongs to the holder of that address."""
    entry: str | dict[str, str] = template.format(domain)
    if template.startswith("r:"):
        regex = template.removeprefix("r:").format(re2.escape(domain))
        proof, entry = prove(regex), {"regex": regex}
    else:
        pattern = parse_origin_pattern(entry)
        assert isinstance(pattern, WildcardOrigin)
        proof = prove_pattern(pattern)
    assert proof.verdict is Verdict.TENANT
    assert proof.witness is not None
    assert proof.witness.endswith(domain)
    policy = build_policy(allowed_origins=[entry], allow_credentials=True)
    errors = [one for one in check_subject(Subject(policy)) if one.diagnostic.severity.value == "error"]
    assert errors


def test_hosts_with_addresses_in_them_that_the_author_spelled_out_are_proved() -> None:
    host = "app.10.0.0.1.nip.io"
    for proof in (prove_exact(f"https://{host}"), prove(re2.escape(f"https://{host}"))):
        assert proof.verdict is Verdict.PROVED
        assert proof.domains == (host,)
    both = prove(r"https://(a|b\.c)\.10-0-0-1\.nip\.io")
    assert both.verdict is Verdict.PROVED
    assert both.domains == ("a.10-0-0-1.nip.io", "b.c.10-0-0-1.nip.io")


def test_one_tenant_is_proved() -> None:
    assert prove(r"https://acme\.atlassian\.net").domains == ("acme.atlassian.net",)
    assert prove_exact("https://www.shop.westeurope.cloudapp.azure.com").domains == (
        "shop.westeurope.cloudapp.azure.com",
    )


@pytest.mark.parametrize("host", SHARED)
def test_a_shared_host_is_unowned_by_look_up_and_by_automaton(host: str) -> None:
    origin = f"https://{host}"
    assert any(host == end or host.endswith(f".{end}") for end in SHARED_HOST_ENDS)
    for proof in (prove_exact(origin), prove(re2.escape(origin)), prove(rf"{re2.escape(origin)}(:\d+)?")):
        assert proof.verdict is Verdict.UNOWNED
        assert proof.witness == origin
        assert proof.fact(FactCode.SHARED_HOST) is not None
    codes = {one.diagnostic.code for one in check_subject(Subject(build_policy(allowed_origins=[origin])))}
    assert "shared-host" in codes
    assert "suffix-host" not in codes


@pytest.mark.parametrize("host", ["oraclecloud.com", "eu-1.oraclecloud.com", "scw.cloud"])
def test_a_wildcard_over_shared_hosts_is_not_proved(host: str) -> None:
    pattern = parse_origin_pattern(f"https://*.{host}")
    assert isinstance(pattern, WildcardOrigin)
    assert prove_pattern(pattern).verdict in (Verdict.UNOWNED, Verdict.TENANT)


def test_the_operator_adds_and_removes() -> None:
    own = suffix_list(("apps.example.com", "*.region.example.net"), ("atlassian.net", "googleapis.com"))
    assert prove_exact("https://a.b.apps.example.com", own).domains == ("b.apps.example.com",)
    assert prove(r"https://.*\.apps\.example\.com", suffixes=own).verdict is Verdict.TENANT
    assert prove(r"https://.*\.eu\.region\.example\.net", suffixes=own).verdict is Verdict.TENANT
    assert prove(r"https://.*\.atlassian\.net", suffixes=own).domains == ("atlassian.net",)
    assert prove_exact("https://storage.googleapis.com", own).verdict is Verdict.PROVED
    assert prove(r"https://.*\.apps\.example\.com").verdict is Verdict.PROVED
    assert prove(r"https://.*\.atlassian\.net").verdict is Verdict.TENANT


def test_the_operator_cannot_remove_a_registry() -> None:
    assert suffix_list((), ("com", "uk")).find_domain("www.example.co.uk") == "example.co.uk"


def test_the_public_list_is_whole() -> None:
    lines = Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8").splitlines()
    assert any(PRIVATE_SECTION in line for line in lines)
    sections = [section for _, section in rules_of(lines)]
    assert sections.count(Section.ICANN) > 5_000
    assert sections.count(Section.PRIVATE) > 2_000
    assert build_trie(["com"]).children["com"].rule is Section.ICANN


def _catalogue(lint: GatewayLint) -> Catalogue:
    policy = build_policy(allowed_origins=["https://*.apps.example.com", "https://*.atlassian.net"])
    api = Api("a", "1", ApiType.REST, NativeService("http", "127.0.0.1", 80), cors=policy)
    return Catalogue(gateway=Gateway(lint=lint), apis={api.key: api})


CHANGED = GatewayLint(shared_domains=("apps.example.com",), single_owner_domains=("atlassian.net",))


def test_the_check_counts_with_the_domains_of_the_gateway_object() -> None:
    before = check_catalogue(_catalogue(GatewayLint()))
    after = check_catalogue(_catalogue(CHANGED), before)
    found = [
        {one.diagnostic.found for one in checked.of_api("a/1") if one.diagnostic.code in TENANTS}
        for checked in (before, after)
    ]
    assert found == [{"https://*.atlassian.net"}, {"https://*.apps.example.com"}]
    assert check_catalogue(_catalogue(CHANGED), after).checked == 0


def test_a_change_is_refused_by_the_domains_of_the_gateway_object() -> None:
    for lint, refused in (
        (GatewayLint(), "https://*.atlassian.net"),
        (CHANGED, "https://*.apps.example.com"),
    ):
        after = _catalogue(lint)
        head = Snapshot.of(1, replace(after, apis={}))
        (found,) = make_plan(head, [PutApi(after.apis["a/1"])]).refusing
        assert found.diagnostic.found == refused


def test_prove_counts_with_the_domains_of_a_document(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(
        "gateway:\n  lint:\n    shared_domains: [apps.example.com]\n    single_owner_domains: [nip.io]\n"
    )
    assert crossgate("prove", "https://*.apps.example.com").returncode == 0
    assert crossgate("prove", "https://*.apps.example.com", "--file", file).returncode == 1
    assert crossgate("prove", "https://*.nip.io").returncode == 1
    assert crossgate("prove", "https://*.nip.io", "--file", file).returncode == 0


@pytest.mark.parametrize("domain", ["Apps.example.com", "https://apps.example.com", "a.*.example.com", "", 7])
def test_what_is_not_a_domain_is_refused(domain: object) -> None:
    for key in ("shared_domains", "single_owner_domains"):
        with pytest.raises(InvalidInput) as refused:
            read_gateway({"lint": {key: [domain]}})
        assert refused.value.diagnostics[0].place.path == ("lint", key, 0)


def test_the_domains_are_written_as_they_were_read() -> None:
    raw = {"shared_domains": ["*.apps.example.com"], "single_owner_domains": ["atlassian.net"]}
    gateway = read_gateway({"lint": raw})
    assert gateway.lint.domains.shared == ("*.apps.example.com",)
    assert GATEWAY.write(gateway)["lint"] == raw
