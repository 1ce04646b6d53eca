"""A star among the trusted domains is an error of the linter, in its place; what is stored still loads."""

from __future__ import annotations

import pytest

from crossgate.catalogue.document import read_document
from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import Severity
from crossgate.lint.check import check_catalogue
from crossgate.service.changes import ReplaceAll
from crossgate.service.plan import make_plan
from crossgate.service.snapshot import Snapshot

CODE = "trusted-domain-wildcard"


def catalogue(*domains: str) -> Catalogue:
    cors = "{allowed_origins: [https://app.example.com], max_age: 600}"
    api = f"name: a, version: '1', type: rest, native: http://127.0.0.1:9101, cors: {cors}"
    read = read_document(f"apis: [{{{api}, trusted_domains: {list(domains)}}}]\n").catalogue
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("domain", "remedy"),
    [
        ("*.example.com", "Write example.com, which includes every name below it"),
        ("*.*.example.com", "Write example.com, which includes every name below it"),
        ("*", "Write a domain, such as example.com, which includes every name below it"),
        ("app*.example.com", "Write a domain, such as example.com, which includes every name below it"),
    ],
)
def test_it_is_found_in_its_place(domain: str, remedy: str) -> None:
    found = check_catalogue(catalogue("example.com", domain)).findings()
    (one,) = (each.diagnostic for each in found if each.diagnostic.code == CODE)
    assert (one.place.path, one.found) == (("apis", 0, "trusted_domains", 1), domain)
    assert (one.severity, one.remedy) == (Severity.ERROR, remedy)


def test_a_domain_is_not() -> None:
    assert CODE not in {one.diagnostic.code for one in check_catalogue(catalogue("example.com")).findings()}


def test_a_write_is_refused_unless_it_is_stored_already() -> None:
    stored, more = catalogue("example.com", "*"), catalogue("example.com", "*", "example.org")
    fresh = make_plan(Snapshot.of(1, Catalogue()), [ReplaceAll(stored)]).refusing
    assert [(one.diagnostic.code, one.diagnostic.place.path[-2:]) for one in fresh] == [
        (CODE, ("trusted_domains", 1))
    ]
    assert make_plan(Snapshot.of(1, stored), [ReplaceAll(more)]).refusing == ()
