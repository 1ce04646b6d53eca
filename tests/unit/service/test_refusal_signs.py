"""What a group looks like, with origins that scanners, extensions and attackers really send."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.catalogues import api, catalogue, policy
from tests.refusal_groups import group

from crossgate.catalogue.model import Gateway
from crossgate.policy import EffectivePolicy
from crossgate.service.refusal_signs import Sign, SignKind, find_signs

POLICY = policy("https://app.petstore.com", "https://*.pets.example")
GATEWAY = Gateway(public_origins=("https://api.petstore.com",))
CATALOGUE = catalogue([api("petstore", POLICY)], gateway=GATEWAY)
BROWSER: Final[dict[str, Any]] = {
    "fetch_sites": ("cross-site",),
    "fetch_modes": ("cors",),
    "user_agents": ("Chrome",),
}


def signs(origin: str, *, retired: int | None = None, **seen_in: Any) -> tuple[Sign, ...]:
    effective = EffectivePolicy.of(POLICY, public_origins=GATEWAY.public_origins)
    return find_signs(CATALOGUE, effective, group(origin, **seen_in), retired)


def kinds(origin: str, **seen_in: Any) -> list[SignKind]:
    return [sign.kind for sign in signs(origin, **seen_in)]


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        # Corsy
        ("https://example.com", "Corsy sends the host example.com"),
        ("https://api.petstore.com.example.com", "api.petstore.com stands at the beginning"),
        ("https://d3vapi.petstore.com", "letters stand before api.petstore.com"),
        ("https://api.petstore.com_.example.com", "api.petstore.com stands at the beginning"),
        ("https://api.petstore.com%60.example.com", "api.petstore.com stands at the beginning"),
        ("https://apixpetstore.com", "another character stands for a dot"),
        # CORScanner
        ("https://evil.com", "CORScanner sends the host evil.com"),
        ("https://api.petstore.com.evil.com", "api.petstore.com stands at the beginning"),
        ("https://evilpetstore.com", "letters stand before petstore.com"),
        ("https://api.petstoreacom", "another character stands for a dot"),
        ("https://evil.api.petstore.com", "evil stands before api.petstore.com"),
        ("https://codepen.io", "CORScanner sends this origin"),
        ("http://whatever.s3.amazonaws.com", "CORScanner sends this origin"),
        # nuclei
        ("https://qwertpetstore.com", "letters stand before petstore.com"),
        ("https://api.petstore.comqwert.com", "api.petstore.com stands at the beginning"),
        ("https://localhost.qwert.com", "nuclei sends localhost"),
        ("https://api.petstore.com.$.qwert.com", "api.petstore.com stands at the beginning"),
        ("https://api.petstore.com.,.qwert.com", "api.petstore.com stands at the beginning"),
        ("https://cfe3kb.oast.pro", "oast.pro is where nuclei waits"),
        # ZAP, Burp, Acunetix
        ("http://1OJKbeTK.com", "ZAP sends eight random letters"),
        ("https://abc123.oastify.com", "oastify.com is where Burp waits"),
        ("http://www.bxss.me", "bxss.me is where Acunetix waits"),
    ],
)
def test_a_scanner_is_known_by_its_origins(origin: str, shown: str) -> None:
    found = signs(origin, user_agents=("python-requests",))
    assert [sign.kind for sign in found[:1]] == [SignKind.SCANNER]
    assert shown in found[0].sentence
    assert found[0].hostile


def test_a_scanner_that_names_itself_is_known_whatever_it_sends() -> None:
    assert kinds("https://shop.other.org", user_agents=("scanner",)) == [SignKind.SCANNER]


def test_null_from_a_program_is_a_scanners() -> None:
    assert kinds("null", user_agents=("python-requests",)) == [SignKind.SCANNER]


@pytest.mark.parametrize("seen_in", [BROWSER, {"user_agents": ("Chrome",)}, {}])
def test_null_from_a_browser_is_no_sign(seen_in: dict[str, Any]) -> None:
    assert kinds("null", **seen_in) == []


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.other.org",
        "https://www.petstore.com",
        "https://petstore.com.au",
        "https://shop.petstore.com",
        "https://bobs-petstore.org",
        "https://com",
    ],
)
def test_other_names_are_no_sign(origin: str) -> None:
    assert signs(origin, **BROWSER) == ()
    assert signs(origin, user_agents=("curl",)) == ()


@pytest.mark.parametrize(
    "origin", ["https://example.com", "https://codepen.io", "https://localhost.qwert.com"]
)
def test_a_browser_is_no_scanner(origin: str) -> None:
    assert kinds(origin, **BROWSER) == []


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        ("https://app.petstore.com.evil.org", "belongs to evil.org"),
        ("https://evilpetstore.com", "letters stand before petstore.com without a dot"),
        # A Cyrillic letter in place of the first e, and of p
        ("https://app.xn--ptstore-7gg.com", "looks like app.petstore.com"),
        ("https://xn--etstore-pjg.com", "looks like petstore.com"),
        ("https://app.petst0re.com", "looks like app.petstore.com"),
        # é
        ("https://xn--ptstore-bya.com", "looks like petstore.com"),
        # A wildcard's subdomain
        ("https://a.xn--pts-rdd.example", "looks like a.pets.example"),
        ("https://petsstore.com", "petsstore.com is one letter away from petstore.com"),
        ("https://www.pestore.com", "pestore.com is one letter away"),
        ("https://petsotre.com", "petsotre.com is one letter away"),
        ("https://petstare.com", "petstare.com is one letter away"),
    ],
)
def test_a_look_alike_is_named_with_the_name_it_looks_like(origin: str, shown: str) -> None:
    (sign,) = (one for one in signs(origin, **BROWSER) if one.kind is SignKind.LOOK_ALIKE)
    assert shown in sign.sentence
    assert sign.hostile
    assert sign.sentence.isprintable()


def test_numbered_names_are_no_look_alikes() -> None:
    numbered = policy("https://shop-1.com")
    found = find_signs(
        catalogue([api("petstore", numbered)]),
        EffectivePolicy.of(numbered),
        group("https://shop-2.com", **BROWSER),
    )
    assert found == ()


@pytest.mark.parametrize(
    ("origin", "kind"),
    [
        ("chrome-extension://abcdefghijklmnopabcdefghijklmnop", SignKind.EXTENSION),
        ("moz-extension://3e1f4a52-0b5e-4b7c-9d35-5f1a2f2f4b11", SignKind.EXTENSION),
        ("safari-web-extension://3E1F4A52", None),
        ("capacitor://localhost", SignKind.APP),
        ("ionic://localhost", SignKind.APP),
        ("tauri://localhost", SignKind.APP),
        ("http://tauri.localhost", SignKind.APP),
        ("file://", SignKind.APP),
        ("app://.", SignKind.APP),
        ("http://localhost:3000", SignKind.LOCAL_PAGE),
        ("http://127.0.0.1:8080", SignKind.LOCAL_PAGE),
        ("http://[::1]:5173", SignKind.LOCAL_PAGE),
    ],
)
def test_programs_are_known_by_their_scheme_and_host(origin: str, kind: SignKind | None) -> None:
    assert next(iter(kinds(origin, **BROWSER)), None) == kind


def test_localhost_can_be_an_app_as_well() -> None:
    assert kinds("http://localhost", **BROWSER) == [SignKind.APP, SignKind.LOCAL_PAGE]


@pytest.mark.parametrize(
    ("site", "shown"), [("same-site", "gateway's own site"), ("same-origin", "the page is the gateway's")]
)
def test_an_own_page_is_known_by_its_site(site: str, shown: str) -> None:
    (sign,) = signs("https://new.petstore.com", fetch_sites=(site,))
    assert sign.kind is SignKind.OWN_PAGE
    assert shown in sign.sentence
    assert not sign.hostile


def test_a_retired_name_is_told_with_its_revision() -> None:
    (sign,) = signs("https://old.petstore.com", retired=147)
    assert (sign.kind, sign.sentence) == (SignKind.RETIRED, "It was allowed until revision 147")


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "https://app.petstore.com" + "a" * 300 + "…",
        "https://evil.com\x1b[2J",
        "\u202ehttps://evil.com",
        "https://xn--\ud800.com",
        "https://xn--.com",
        "https://xn--zzzzzzzzzzzzzzzzzzzzzzzzzz99999999.com",
        "<script>alert(1)</script>",
        "=cmd()",
        "https://" + ".".join(["a"] * 4000),
    ],
)
def test_hostile_origins_give_printable_signs_or_none(origin: str) -> None:
    program: dict[str, Any] = {"user_agents": ("curl\x1b[2J",)}
    for seen_in in (BROWSER, program):
        for sign in signs(origin, **seen_in):
            assert sign.sentence.isprintable()
