"""No key of the document and no reason of a decision is missing from the reference."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crossgate.catalogue.document.cors_entry import CorsEntry, RegexEntry
from crossgate.catalogue.document.entries import (
    ApiEntry,
    ApplicationEntry,
    DocumentEntry,
    GatewayEntry,
    LintEntry,
    SuppressionEntry,
    TlsEntry,
)
from crossgate.catalogue.document.field import Entry
from crossgate.catalogue.document.settings_entry import SettingsEntry
from crossgate.policy import Reason
from crossgate.policy.decision import HEADER_NOT_SUPPORTED, METHOD_NOT_ALLOWED, ORIGIN_NOT_ALLOWED

PAGES = Path(__file__).parents[3] / "docs" / "reference"
FILE = (PAGES / "file.md").read_text()
POLICY = (PAGES / "policy.md").read_text()

SECTIONS: dict[str, list[type[Entry]]] = {
    "gateway": [GatewayEntry],
    "tls": [TlsEntry],
    "settings": [SettingsEntry],
    "apis": [ApiEntry],
    "cors": [CorsEntry, RegexEntry],
    "lint": [LintEntry, SuppressionEntry],
    "applications": [ApplicationEntry],
}


def _keys(model: type[Entry]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _documented(page: str, section: str) -> list[str]:
    _, _, rest = page.partition(f"# `{section}`\n")
    body = re.split(r"^##", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(r"^\| `([^`]+)` \|", body, re.MULTILINE)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_documents_its_keys_and_no_others(section: str) -> None:
    assert _documented(FILE, section) == [key for model in SECTIONS[section] for key in _keys(model)]


def test_every_section_is_there() -> None:
    assert set(_keys(DocumentEntry)) <= set(SECTIONS)
    models = {model for models in SECTIONS.values() for model in models}
    assert set(Entry.__subclasses__()) == models | {DocumentEntry}


def test_every_property_of_a_policy_is_explained() -> None:
    body = POLICY.partition("## Properties\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE) == _keys(CorsEntry)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained(reason: Reason) -> None:
    assert f"`{reason.value}`" in POLICY


@pytest.mark.parametrize("body", [ORIGIN_NOT_ALLOWED, METHOD_NOT_ALLOWED, HEADER_NOT_SUPPORTED])
def test_every_refusal_is_quoted(body: str) -> None:
    assert f"`{body}`" in POLICY
