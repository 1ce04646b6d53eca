"""The lint findings for a change, and those for which it is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.catalogues import api, application, catalogue, policy

from crossgate.catalogue.model import LintSettings, Suppression
from crossgate.lint.check import ORIGIN_CODES, find
from crossgate.lint.objects import Context
from crossgate.lint.rules import all_rules
from crossgate.policy import build_policy
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import (
    Associate,
    Change,
    DeleteApi,
    Dissociate,
    PutApi,
    PutApplication,
    PutPolicy,
    Restore,
    ResumeApplication,
)
from crossgate.service.errors import LintErrors
from crossgate.service.file_store import FileStore
from crossgate.service.objects import ObjectKind
from crossgate.service.plan import Plan, make_plan, refuse_errors
from crossgate.service.snapshot import Snapshot

ANYBODY = {"regex": "https://.*example\\.com"}
HERS = "https://www.example.com"
NOT_HERS = "https://shop.example.net"
OLD = api("old", policy(ANYBODY))
TRUSTING = replace(api("pets", policy(HERS)), trusted_domains=("example.com",))
PLAIN = api("plain")
OUTSIDE = application("outside", NOT_HERS, suspended=True, apis=["pets/1.0"])
FREE = application("free", NOT_HERS)
BASE = Snapshot.of(7, catalogue([OLD, TRUSTING, PLAIN], [OUTSIDE, FREE]))


def refusing(*changes: Change) -> list[tuple[str, str]]:
    return [
        (one.diagnostic.code, one.diagnostic.place.json_path) for one in make_plan(BASE, changes).refusing
    ]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (PutApi(api("new", policy(ANYBODY))), "$.apis['new/1.0'].cors.allowed_origins[0]"),
        (PutPolicy("plain/1.0", policy(HERS, ANYBODY)), "$.apis['plain/1.0'].cors.allowed_origins[1]"),
        (ResumeApplication("outside"), "$.apis['pets/1.0'].cors"),
        (Associate("free", "pets/1.0"), "$.apis['pets/1.0'].cors"),
        (PutApplication(application("new", NOT_HERS, apis=["pets/1.0"])), "$.apis['pets/1.0'].cors"),
        (
            PutApplication(application("new", f"https://{'a' * 64}.example.com")),
            "$.applications.new.javascript_origins[0]",
        ),
        (
            PutApi(replace(TRUSTING, trusted_domains=("example.org",))),
            "$.apis['pets/1.0'].cors.allowed_origins[0]",
        ),
        (
            PutPolicy("old/1.0", policy(ANYBODY, credentials=True)),
            "$.apis['old/1.0'].cors.allowed_origins[0]",
        ),
    ],
)
def test_change_with_a_new_lint_error_is_refused(change: Change, path: str) -> None:
    assert path in {where for _, where in refusing(change)}
    with pytest.raises(LintErrors) as refused:
        refuse_errors(make_plan(BASE, [change]))
    assert {one.diagnostic for one in refused.value.findings} == set(refused.value.diagnostics)


@pytest.mark.parametrize(
    "change",
    [
        PutApi(replace(OLD, native_timeout=3.0)),
        PutPolicy("old/1.0", policy(HERS, ANYBODY)),
        PutPolicy("old/1.0", policy(HERS)),
        PutApi(PLAIN),
        PutApplication(application("new", NOT_HERS, apis=["old/1.0"])),
        PutApplication(application("new", "https://a.example.com", apis=["pets/1.0"])),
        PutApplication(application("new", NOT_HERS, apis=["pets/1.0"], suspended=True)),
        Associate("free", "plain/1.0"),
        DeleteApi("old/1.0"),
        PutApi(
            replace(
                api("new", policy(ANYBODY)),
                lint=LintSettings((Suppression("origin-unbounded", "a test of our own", ANYBODY["regex"]),)),
            )
        ),
        Restore({(ObjectKind.API, "plain/1.0"): replace(PLAIN, cors=policy(ANYBODY))}),
    ],
)
def test_other_changes_are_accepted(change: Change) -> None:
    assert refusing(change) == []


def test_existing_findings_are_reported_only_for_touched_objects() -> None:
    assert "origin-unbounded" in codes(make_plan(BASE, [PutApi(replace(OLD, native_timeout=3.0))]))
    assert codes(make_plan(BASE, [PutApi(replace(PLAIN, native_timeout=3.0))])) == set()


def test_policy_without_origins_is_a_warning() -> None:
    empty = api("empty", policy())
    base = Snapshot.of(1, catalogue([empty], [application("web", HERS, apis=["empty/1.0"])]))

    plan = make_plan(base, [Dissociate("web", "empty/1.0")])

    assert "empty-policy" in codes(plan)
    assert plan.refusing == ()


def test_known_errors_refuse_the_switch_to_enforcing() -> None:
    observed = build_policy(allowed_origins=[ANYBODY], allowed_methods=["GET"], mode="observe")
    base = Snapshot.of(1, catalogue([api("pets", observed)]))

    assert make_plan(base, [PutPolicy("pets/1.0", policy(ANYBODY))]).refusing


def test_remedy_names_the_suppression_that_accepts_the_finding() -> None:
    dead = f"https://{'a' * 64}.example.com"
    changes: list[Change] = [PutApi(api("new", policy(ANYBODY))), PutApplication(application("new", dead))]
    remedies = [
        one.diagnostic.remedy.partition("accept it: ")[2] for one in make_plan(BASE, changes).refusing
    ]
    unbounded = r'{"code": "origin-unbounded", "entry": "https://.*example\\.com", "reason": "…"}'
    never = f'{{"code": "application-origin-dead", "entry": "{dead}", "reason": "…"}}'
    assert remedies == [
        f"add {unbounded} to lint.allow of the API new/1.0",
        f"add {never} to lint.allow of the application new",
    ]


def test_removing_a_suppression_is_refused() -> None:
    accepted = replace(
        OLD, lint=LintSettings((Suppression("origin-unbounded", "a test of our own", ANYBODY["regex"]),))
    )
    base = Snapshot.of(7, catalogue([accepted]))
    [found] = make_plan(base, [PutApi(OLD)]).refusing
    assert found.diagnostic.code == "origin-unbounded"


def test_plan_shows_what_would_be_refused() -> None:
    service = CatalogueService(FileStore("gateway.yaml", BASE.catalogue), linted=True)
    plan = service.plan([PutPolicy("plain/1.0", policy(ANYBODY))])
    assert (len(plan.difference), len(plan.refusing), len(plan.access)) == (1, 1, 1)


def test_only_these_rules_look_at_origins_of_applications() -> None:
    """Any other rule would have to check the changes of applications too."""
    for rule in all_rules():
        for example in (*rule.bad, *rule.good):
            if not example.policy or example.native_cors:
                continue
            one = replace(PLAIN, cors=example.subject().policy, trusted_domains=example.trusted_domains)
            alone, joined = (
                {found for found in find(one, Context(origins)) if found.diagnostic.code not in ORIGIN_CODES}
                for origins in (frozenset[str](), frozenset({NOT_HERS}))
            )
            assert alone == joined


def codes(plan: Plan) -> set[str]:
    return {one.diagnostic.code for one in plan.findings}
