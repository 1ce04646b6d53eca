"""The changes that would allow a group, with their verdicts and with what else they let in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.catalogues import api, application, catalogue, policy, server_policy
from tests.refusal_groups import NOON, group

from crossgate.catalogue.model import Application, Catalogue, DomainOwnership, Gateway, GatewayLint, Settings
from crossgate.catalogue.reader import read_settings
from crossgate.policy import CorsPolicy, Mode, Reason, SameOrigin, build_policy
from crossgate.service.policy_gaps import ChangeForm
from crossgate.service.refusal_advice import advise
from crossgate.service.refusal_changes import SuggestedChange, Suggester
from crossgate.service.refusals import CUT, DismissalReason, Disposition, DispositionKind, RefusalGroup
from crossgate.service.replay import Fate, FateKind, Replayer

APP = "https://app.example.com"
NEW = "https://new.other.org"
POLICY = build_policy(allowed_origins=[APP], allowed_methods=["GET"], allow_headers=["X-One"])


def petstore(cors: CorsPolicy | None = POLICY, *applications: Application, **gateway: Any) -> Catalogue:
    return catalogue([api("petstore", cors)], applications, gateway=Gateway(**gateway))


def suggested(
    record: RefusalGroup, found: Catalogue | None = None, others: Sequence[RefusalGroup] = ()
) -> tuple[SuggestedChange, ...]:
    return Suggester.of(found or petstore(), [record, *others]).suggest(record)


def forms(changes: Sequence[SuggestedChange]) -> list[ChangeForm]:
    return [one.form for one in changes]


def test_the_exact_origin_in_the_policy_is_the_smallest_change() -> None:
    (change,) = suggested(group(NEW))
    assert change.form is ChangeForm.POLICY_ORIGIN
    assert change.sentence == f"Add {NEW} to allowed_origins of petstore/1.0"
    assert (change.verdict, change.caution, change.refusing) == ("Only this origin", "", ())
    assert change.patch == (
        "--- petstore/1.0\n"
        "+++ petstore/1.0\n"
        "@@ -7,4 +7,5 @@\n"
        "     allowed_origins:\n"
        "     - https://app.example.com\n"
        "+    - https://new.other.org\n"
        "     allowed_methods:\n"
        "     - GET\n"
    )


def test_a_change_says_how_many_refusals_it_turns_and_which() -> None:
    record = group(NEW, count=3)
    others = [group(NEW, method="HEAD", count=40), group("https://third.org", count=500)]
    (change,) = suggested(record, others=others)
    assert change.turns == (record, others[0])
    assert change.turned == 43


def test_a_preflight_gets_all_that_it_lacks() -> None:
    record = group(NEW, preflight=True, method="PUT", headers=("x-one", "x-two"))
    (change,) = suggested(record)
    assert change.sentence == (
        f"Add {NEW} to allowed_origins, PUT to allowed_methods and x-two to allow_headers of petstore/1.0"
    )
    assert "+    - PUT" in change.patch
    assert change.verdict == "Only this origin; the method and the headers for every allowed origin"


@pytest.mark.parametrize(
    ("record", "form", "sentence"),
    [
        (
            group(APP, preflight=True, method="PUT", reason=Reason.METHOD_REFUSED),
            ChangeForm.METHOD,
            "Add PUT to allowed_methods of petstore/1.0",
        ),
        (
            group(APP, preflight=True, headers=("x-one", "x-two"), reason=Reason.HEADER_REFUSED),
            ChangeForm.HEADERS,
            "Add x-two to allow_headers of petstore/1.0",
        ),
        (
            group(APP, preflight=True, method="", reason=Reason.METHOD_MISSING),
            ChangeForm.PLAIN_OPTIONS,
            "Write plain_options: forward in the policy of petstore/1.0",
        ),
        (
            group("", preflight=True, method="", reason=Reason.ORIGIN_MISSING),
            ChangeForm.PLAIN_OPTIONS,
            "Write plain_options: forward in the policy of petstore/1.0",
        ),
    ],
)
def test_later_steps_get_what_they_lack(record: RefusalGroup, form: ChangeForm, sentence: str) -> None:
    (change,) = suggested(record)
    without = ", and for requests without one" if form is ChangeForm.PLAIN_OPTIONS else ""
    verdict = f"For every allowed origin{without}"
    assert (change.form, change.sentence, change.verdict) == (form, sentence, verdict)


@pytest.mark.parametrize(
    "record",
    [
        group("null"),
        group(f"{NEW}{CUT}"),
        group("https://new.other.org/path"),
        group("https://*.other.org"),
        group("HTTPS://NEW.OTHER.ORG"),
        group("https://xn--.org"),
        group(APP),
        group(NEW, api="gone/1.0"),
        group(APP, preflight=True, method="CONNECT", reason=Reason.METHOD_REFUSED),
        group(APP, preflight=True, method="GET, PUT", reason=Reason.METHOD_REFUSED),
        group(APP, preflight=True, headers=("a", CUT), reason=Reason.HEADER_REFUSED),
        group(APP, method="TRACE", reason=Reason.METHOD_FORBIDDEN),
        # In a policy, * stands for all names.
        group(APP, preflight=True, method="*", reason=Reason.METHOD_REFUSED),
        group(APP, preflight=True, headers=("*",), reason=Reason.HEADER_REFUSED),
        group(NEW, preflight=True, headers=("*", "x-two")),
    ],
)
def test_nothing_is_suggested_that_is_unsafe_or_not_certain(record: RefusalGroup) -> None:
    assert suggested(record) == ()


@pytest.mark.parametrize(
    ("origin", "caution"),
    [
        ("http://new.other.org", "Plain http: anyone on the network path can inject scripts into that page"),
        ("http://localhost:3000", "Any program on a visitor's machine can serve that page"),
        ("http://127.0.0.1", "Any program on a visitor's machine can serve that page"),
        ("https://new.other.org", ""),
    ],
)
def test_what_is_unsafe_about_an_origin_is_said(origin: str, caution: str) -> None:
    assert suggested(group(origin))[0].caution == caution


def test_a_suggestion_for_what_looks_like_an_attack_says_so() -> None:
    record = group("https://app.example.com.evil.org", user_agents=("curl",))
    advice = advise(petstore(), record, [record])
    assert advice.signs[0].hostile
    assert [one.caution for one in advice.changes] == [". ".join(one.sentence for one in advice.signs)]


def test_the_linters_findings_for_the_new_entry_come_with_it() -> None:
    allows = build_policy(allowed_origins=[APP, "http://old.example.com"], allow_credentials=True)
    (change,) = suggested(
        group("https://tenant.github.io"), petstore(replace(allows, allowed_methods=("GET",)))
    )
    assert "http-origin" not in {one.diagnostic.code for one in change.findings}
    (change,) = suggested(group("http://plain.other.org"))
    assert "http-origin" in {one.diagnostic.code for one in change.findings}


def test_what_the_linter_refuses_is_shown_with_the_reason() -> None:
    found = catalogue([replace(api("petstore", POLICY), trusted_domains=("example.com",))])
    (change,) = suggested(group(NEW), found)
    assert [one.diagnostic.code for one in change.refusing] == ["untrusted-domain"]  # type: ignore[union-attr]
    assert change.verdict == f"Unsafe: {NEW} passes"


def test_the_origin_can_go_to_an_application_of_the_api() -> None:
    shop = application("shop", APP, apis=["petstore/1.0"])
    exact, app = suggested(group(NEW), petstore(POLICY, shop))
    assert (exact.form, app.form) == (ChangeForm.POLICY_ORIGIN, ChangeForm.APPLICATION_ORIGIN)
    assert app.sentence == f"Add {NEW} to javascript_origins of shop"
    assert "+  - https://new.other.org" in app.patch


def test_an_application_that_has_the_origin_is_associated_or_resumed() -> None:
    other = application("other", NEW, APP)
    assert suggested(group(NEW), petstore(POLICY, other))[1].sentence == (
        f"Associate the application other, which has {NEW}, with petstore/1.0"
    )
    assert suggested(group(NEW), petstore(POLICY, other))[1].caution == (
        "It allows 1 other origins of the application too"
    )
    suspended = application("shop", NEW, apis=["petstore/1.0"], suspended=True)
    (_, resume) = suggested(group(NEW), petstore(POLICY, suspended))
    assert resume.sentence == f"Resume the application shop, which has {NEW}"
    assert resume.caution == "Somebody suspended the application"


def test_an_application_gets_no_more_than_the_origin() -> None:
    shop = application("shop", APP, apis=["petstore/1.0"])
    record = group(NEW, preflight=True, method="PUT")
    app = suggested(record, petstore(POLICY, shop))[1]
    assert app.sentence == (
        f"Add {NEW} to javascript_origins of shop; add PUT to allowed_methods of petstore/1.0"
    )
    assert len(app.difference) == 2
    assert app.verdict == "Only this origin; the method for every allowed origin"


PREVIEWS = [group(f"https://pr-{number}.preview.shop-site.com") for number in (1, 2, 3)]


def test_a_pattern_is_suggested_for_several_names_of_one_domain() -> None:
    exact, pattern = suggested(PREVIEWS[0], others=PREVIEWS[1:])
    assert forms((exact, pattern)) == [ChangeForm.POLICY_ORIGIN, ChangeForm.DOMAIN_PATTERN]
    assert pattern.sentence == "Add https://*.preview.shop-site.com to allowed_origins of petstore/1.0"
    assert pattern.verdict == "Only preview.shop-site.com"
    assert pattern.turns == tuple(PREVIEWS)
    assert "also those that do not exist yet" in pattern.caution
    lacking = [group(one.key.origin, preflight=True, method="PUT") for one in PREVIEWS]
    pattern = suggested(lacking[0], others=lacking[1:])[1]
    assert pattern.verdict == "Only preview.shop-site.com; the method for every allowed origin"


@pytest.mark.parametrize(
    "others",
    [
        [],
        [group("https://pr-2.preview.other.example")],
        [group("http://pr-2.preview.shop-site.com")],
        [group("https://pr-2.preview.shop-site.com:8443")],
        [group("https://pr-2.preview.shop-site.com", api="orders/1.0")],
    ],
)
def test_one_name_alone_gets_no_pattern(others: list[RefusalGroup]) -> None:
    assert forms(suggested(PREVIEWS[0], others=others)) == [ChangeForm.POLICY_ORIGIN]


def test_dismissed_attacks_are_no_reason_for_a_pattern() -> None:
    disposition = Disposition(DispositionKind.DISMISSED, NOON, "ann", 1, DismissalReason.ATTACK)
    others = [replace(one, disposition=disposition) for one in PREVIEWS[1:]]
    assert forms(suggested(PREVIEWS[0], others=others)) == [ChangeForm.POLICY_ORIGIN]


def test_what_looks_like_an_attack_is_no_reason_for_a_pattern() -> None:
    scanned = [group(one.key.origin, user_agents=("scanner",)) for one in PREVIEWS[1:]]
    assert forms(suggested(PREVIEWS[0], others=scanned)) == [ChangeForm.POLICY_ORIGIN]
    # The same origin from a browser counts, whatever a scanner sends.
    browser = group(PREVIEWS[1].key.origin, preflight=True, fetch_modes=("cors",))
    assert ChangeForm.DOMAIN_PATTERN in forms(suggested(PREVIEWS[0], others=[*scanned, browser]))
    found = petstore(policy("https://shop-site.com"))
    look_alikes = [group(f"https://{name}.shop-site.com.other.org") for name in ("a", "b")]
    assert forms(suggested(group(NEW), found, look_alikes)) == [ChangeForm.POLICY_ORIGIN]


@pytest.mark.parametrize(
    "names", [("a.github.io", "b.github.io"), ("a.co.uk", "b.co.uk"), ("a.b.nip.io", "c.b.nip.io")]
)
def test_no_pattern_spans_domains_of_different_owners(names: tuple[str, str]) -> None:
    one, other = (group(f"https://{name}") for name in names)
    assert ChangeForm.DOMAIN_PATTERN not in forms(suggested(one, others=[other]))


def test_the_operators_shared_domains_count() -> None:
    lint = GatewayLint(shared_domains=("preview.shop-site.com",))
    assert lint.domains == DomainOwnership(("preview.shop-site.com",))
    found = petstore(POLICY, lint=lint)
    assert forms(suggested(PREVIEWS[0], found, PREVIEWS[1:])) == [ChangeForm.POLICY_ORIGIN]


def test_an_attack_gets_no_pattern() -> None:
    found = petstore(policy("https://shop-site.com"))
    probes = [group(f"https://{name}.shop-site.com.evil.org", user_agents=("curl",)) for name in ("a", "b")]
    assert forms(advise(found, probes[0], probes).changes) == [ChangeForm.POLICY_ORIGIN]


def test_an_own_page_can_become_a_public_origin() -> None:
    found = petstore(POLICY, same_origin=SameOrigin.LISTED)
    record = group(NEW, fetch_sites=("same-origin",))
    *_, public = suggested(record, found)
    assert public.form is ChangeForm.PUBLIC_ORIGIN
    assert public.sentence == f"Add {NEW} to public_origins of the gateway"
    assert public.turns == (record,)


def test_server_level_settings_get_the_entry() -> None:
    values = {
        "watt.server.cors.enabled": True,
        "watt.server.cors.allowedOrigins": APP,
        "watt.server.cors.supportedMethods": ["GET"],
    }
    found = replace(catalogue([api("petstore", POLICY)]), settings=read_settings(values))
    record = group(NEW, api="server-level", preflight=True, method="PUT")
    (change,) = suggested(record, found)
    assert change.sentence == (
        f"Add {NEW} to allowedOrigins and PUT to supportedMethods of the server-level settings"
    )
    assert f"+  watt.server.cors.allowedOrigins: {APP}, {NEW}" in change.patch
    assert "It holds for every API" in change.caution
    assert change.turns == (record,)


def test_default_methods_stay_supported() -> None:
    found = catalogue([], server_policy=server_policy(APP))
    values = {"watt.server.cors.enabled": True, "watt.server.cors.allowedOrigins": APP}
    found = replace(found, settings=read_settings(values))
    record = group(APP, api="server-level", preflight=True, method="PROPFIND", reason=Reason.METHOD_REFUSED)
    (change,) = suggested(record, found)
    after = change.difference[0].after
    assert isinstance(after, Settings)
    assert after.policy is not None
    assert after.policy.supported_methods[-2:] == ("DELETE", "PROPFIND")


@pytest.mark.parametrize("preflight", [True, False])
@pytest.mark.parametrize("headers", [(CUT,), ("x-two", CUT)])
def test_combinations_that_are_not_kept_get_the_exact_origin(
    headers: tuple[str, ...], *, preflight: bool
) -> None:
    record = group(NEW, preflight=preflight, method=CUT, headers=headers)
    shop = application("shop", APP, apis=["petstore/1.0"])
    advice = advise(petstore(POLICY, shop), record, [record, *PREVIEWS])
    assert advice.sentence == f"Refused: petstore/1.0 does not allow the origin {NEW}"
    assert advice.fate == Fate(FateKind.REFUSED, Reason.ORIGIN_REFUSED)
    (change,) = advice.changes
    assert change.sentence == f"Add {NEW} to allowed_origins of petstore/1.0"
    assert change.caution == "What else these requests ask for is not known"
    assert (change.verdict, change.turns) == ("Only this origin", (record,))
    only_post = petstore(build_policy(allowed_origins=[APP], allowed_methods=["POST"]))
    assert [one.sentence for one in suggested(record, only_post)] == [change.sentence]


def test_combinations_of_an_allowed_or_cut_origin_get_no_change() -> None:
    for origin in (APP, CUT, f"{NEW}{CUT}", "null"):
        record = group(origin, preflight=True, method=CUT, headers=(CUT,))
        assert advise(petstore(), record, [record]).changes == (), origin


def test_observed_groups_get_changes_too() -> None:
    found = petstore(replace(POLICY, mode=Mode.OBSERVE))
    record = group(NEW, observed=True)
    (change,) = suggested(record, found)
    assert change.turns == (record,)


def test_every_suggested_change_allows_the_group() -> None:
    shop = application("shop", APP, apis=["petstore/1.0"])
    other = application("other", PREVIEWS[0].key.origin)
    found = petstore(POLICY, shop, other, same_origin=SameOrigin.LISTED)
    for record in (*PREVIEWS, group(NEW, preflight=True, method="PUT", headers=("a",))):
        for change in suggested(record, found, PREVIEWS):
            after = found
            for one in change.difference:
                sections = {"api": "apis", "application": "applications"}
                section = sections[one.kind]
                after = replace(after, **{section: {**getattr(after, section), one.key: one.after}})  # type: ignore[arg-type]
            assert Replayer(after).fate(record) == Fate(FateKind.ALLOWED)
