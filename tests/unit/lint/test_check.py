"""Whole catalogues: only what a change touches is checked again. Suppressions are by code."""

from __future__ import annotations

from dataclasses import replace

from tests.catalogues import api, application, catalogue, policy

from crossgate.catalogue.model import LintSettings, Suppression
from crossgate.lint.check import check_catalogue, check_object, find
from crossgate.lint.objects import Context

SAFE = replace(policy("https://example.com"), max_age=600)
UNSAFE = replace(policy({"regex": r"https://.*example\.com"}), max_age=600)


def test_places_are_those_of_a_document() -> None:
    report = check_catalogue(
        catalogue([api("a", SAFE), api("b", UNSAFE)], [application("shop", "https://example.com")])
    )
    places = {found.diagnostic.code: found.diagnostic.place.json_path for found in report.findings()}
    assert places == {
        "origin-unbounded": "$.apis[1].cors.allowed_origins[0]",
        "application-unused": "$.applications[0]",
    }


def test_an_api_without_a_policy_has_no_findings() -> None:
    assert check_object(api("a"), Context(frozenset({"https://example.com"}))) == ()


def test_a_check_of_some_codes_finds_the_same() -> None:
    many = policy({"regex": r"https://.*example\.com"}, "http://plain.example.org", "https://app.example.org")
    for checked in (api("a", replace(many, allow_credentials=True)), api("a")):
        found = find(checked, Context())
        for codes in ({"origin-unbounded"}, {"origin-unbounded", "http-origin"}, {"origin-null"}):
            expected = tuple(each for each in found if each.diagnostic.code in codes)
            assert find(checked, Context(), codes) == expected


def test_only_what_changed_is_checked_again() -> None:
    apis = [api(f"api-{number}", SAFE) for number in range(50)]
    shops = [application(f"shop-{n}", f"https://{n}.example.org", apis=[f"api-{n}/1.0"]) for n in range(50)]
    first = check_catalogue(catalogue(apis, shops))
    assert first.checked == 102  # the gateway and the settings too
    assert check_catalogue(catalogue(apis, shops), first).checked == 0

    apis[7] = api("api-7", UNSAFE)
    second = check_catalogue(catalogue(apis, shops), first)
    assert second.checked == 1
    assert [found.diagnostic.code for found in second.of_api("api-7/1.0")] == ["origin-unbounded"]
    assert list(second.findings()) == list(check_catalogue(catalogue(apis, shops)).findings())

    shops[9] = application("shop-9", "https://new.example.org", apis=["api-9/1.0"])
    assert check_catalogue(catalogue(apis, shops), second).checked == 2  # the application and its API


def test_what_a_native_service_answers_is_part_of_what_is_checked() -> None:
    apis = catalogue([api("a", SAFE), api("b", SAFE), api("c")])
    unknown = check_catalogue(apis)
    assert not list(unknown.findings())

    answered = check_catalogue(apis, unknown, native_cors={"a/1.0": True, "b/1.0": False})
    assert answered.checked == 2
    assert [f.diagnostic.code for f in answered.of_api("a/1.0")] == ["native-also-cors"]
    assert answered.of_api("b/1.0") == ()
    assert check_catalogue(apis, answered, native_cors={"a/1.0": True, "b/1.0": False}).checked == 0


def test_a_suspended_application_adds_no_origins_and_has_no_findings() -> None:
    trusting = replace(api("a", SAFE), trusted_domains=("example.com",))
    shop = application("shop", "https://example.net", apis=["a/1.0"])
    codes = [f.diagnostic.code for f in check_catalogue(catalogue([trusting], [shop])).findings()]
    assert codes == ["untrusted-domain"]
    suspended = replace(shop, suspended=True)
    assert not list(check_catalogue(catalogue([trusting], [suspended])).findings())


def test_suppressions() -> None:
    suppressed = replace(
        api("a", UNSAFE),
        lint=LintSettings((Suppression("origin-unbounded", "a test", r"https://.*example\.com"),)),
    )
    assert check_object(suppressed, Context()) == ()
    odd = (Suppression("origin-unbounded", "gone"), Suppression("no-such-rule", "mistyped"))
    found = check_object(replace(api("a", SAFE), lint=LintSettings(odd)), Context())
    assert [(f.diagnostic.code, f.diagnostic.place.json_path) for f in found] == [
        ("allowance-unused", "$.lint.allow[0].code"),
        ("allowance-unknown", "$.lint.allow[1].code"),
    ]


def test_many_apis_and_origins() -> None:
    """A thousand APIs and twenty thousand origins; the bench has the full size and its figures."""
    apis = [api(f"api-{n}", replace(policy(f"https://a{n}.example.com"), max_age=600)) for n in range(1000)]
    shops = [
        application(f"shop-{n}", *(f"https://{n}-{m}.example.org" for m in range(20)), apis=[f"api-{n}/1.0"])
        for n in range(1000)
    ]
    first = check_catalogue(catalogue(apis, shops))
    assert not list(first.findings())
    apis[5] = api("api-5", UNSAFE)
    assert check_catalogue(catalogue(apis, shops), first).checked == 1


def test_a_changed_application_is_checked_with_the_apis_it_is_associated_with() -> None:
    apis = [replace(api(name, SAFE), trusted_domains=("example.com",)) for name in ("a", "b", "c")]
    shop = application("shop", "https://shop.example.com", apis=["a/1.0", "b/1.0"])
    first = check_catalogue(catalogue(apis, [shop]))

    moved = application("shop", "https://shop.example.org", apis=["b/1.0", "c/1.0"])
    second = check_catalogue(catalogue(apis, [moved]), first)
    assert second.checked == 4
    found = {key: [f.diagnostic.code for f in second.of_api(f"{key}/1.0")] for key in "abc"}
    assert found == {"a": [], "b": ["untrusted-domain"], "c": ["untrusted-domain"]}

    third = check_catalogue(catalogue(apis, []), second)
    assert third.checked == 2
    assert not list(third.findings())
