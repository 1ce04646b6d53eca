"""Origins of extensions and apps: the remedies are possible for those who build them."""

from __future__ import annotations

import pytest

from crossgate.catalogue.model import Application, Catalogue, Gateway
from crossgate.lint.check import check_catalogue, check_subject
from crossgate.lint.proof import Verdict, prove_exact
from crossgate.lint.subject import Subject
from crossgate.policy import OriginArgument, build_policy


def _findings(*entries: OriginArgument, credentials: bool = False) -> dict[str, tuple[str, str]]:
    policy = build_policy(allowed_origins=entries, allow_credentials=credentials)
    found = [one.diagnostic for one in check_subject(Subject(policy))]
    return {one.code: (one.severity.value, one.remedy) for one in found}


@pytest.mark.parametrize(
    ("entry", "code", "remedy"),
    [
        ({"regex": "chrome-extension://.*"}, "other-scheme", "chrome://extensions"),
        ({"regex": "moz-extension://.*"}, "other-scheme", "host_permissions"),
        (
            "moz-extension://2c127fa4-62c7-7e4f-90e5",
            "per-installation-origin",
            "host_permissions",
        ),
        ({"regex": "capacitor://.*"}, "other-scheme", "Write capacitor://localhost"),
        ({"regex": "capacitor://LOCALHOST"}, "dead-entry", "Write capacitor://localhost"),
        ({"regex": "ionic://localhost/"}, "dead-entry", "Write ionic://localhost"),
        ({"regex": "app://"}, "dead-entry", "app://. if it uses none"),
        ("chrome-extension://", "dead-entry", "the extension's ID"),
        ("moz-extension://", "dead-entry", "host_permissions"),
        ({"regex": "file://.*/"}, "dead-entry", "file:// is possible as an exact entry only"),
        ({"regex": "tauri://LOCALHOST"}, "dead-entry", "Write tauri://localhost"),
        ("https://localhost", "localhost", "server.hostname"),
        ("http://tauri.localhost", "localhost", "tokens instead of cookies"),
        ("http://localhost:3000", "localhost", "Remove it from production policies"),
    ],
)
def test_the_remedy(entry: OriginArgument, code: str, remedy: str) -> None:
    assert remedy in _findings(entry)[code][1]


def test_file_is_unowned_and_an_error_with_credentials() -> None:
    proof = prove_exact("file://")
    assert proof.verdict is Verdict.UNOWNED
    assert proof.witness == "file://"
    assert _findings("file://")["other-scheme"][0] == "warning"
    assert _findings("file://", credentials=True)["other-scheme"][0] == "error"


def test_one_app_is_no_finding() -> None:
    for origin in ("app://.", "capacitor://localhost", "tauri://localhost"):
        assert prove_exact(origin).verdict is Verdict.PROVED
        assert "other-scheme" not in _findings(origin, credentials=True)


def test_no_expression_shadows_an_origin_without_a_host() -> None:
    assert "shadowed" not in _findings({"regex": ".*"}, "file://")


@pytest.mark.parametrize(
    ("entry", "remedy"),
    [
        ("wss://shop.example.com", "Write https://shop.example.com"),
        ("ws://shop.example.com:8080", "Write http://shop.example.com:8080"),
        ("ftp://shop.example.com", "Write https://shop.example.com"),
        ("wss://*.example.com", "Write https://*.example.com"),
        ({"regex": r"^wss?://shop\.example\.com$"}, r"Write ^https?://shop\.example\.com$"),
    ],
)
def test_a_scheme_that_no_page_has(entry: OriginArgument, remedy: str) -> None:
    assert _findings(entry)["dead-entry"] == ("error", remedy)


def test_the_address_of_a_websocket_is_found_wherever_origins_are() -> None:
    catalogue = Catalogue(
        gateway=Gateway(public_origins=("wss://api.example.com",)),
        applications={"shop": Application("shop", javascript_origins=("wss://shop.example.com",))},
    )
    found = [one.diagnostic for one in check_catalogue(catalogue).findings()]
    dead = [one for one in found if one.code == "dead-entry"]
    assert sorted(one.place.json_path for one in dead) == [
        "$.applications[0].javascript_origins[0]",
        "$.gateway.public_origins[0]",
    ]
