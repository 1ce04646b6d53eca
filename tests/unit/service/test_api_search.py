"""APIs are found by words, each of which must match."""

from __future__ import annotations

import pytest

from crossgate.catalogue.document import read_document
from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import InvalidInput
from crossgate.service.api_search import parse_api_query


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    text = """\
apis:
  - name: petstore
    version: "1.0"
    type: rest
    native: http://pets.internal:8080/v2
    cors: {allowed_origins: ['https://*.example.org'], allow_credentials: true}
    lint: {allow: [{code: maxage-unset, reason: later}]}
  - name: reports
    version: "1.0"
    type: soap
    native: http://reports.internal:8080
    owner: Team Finance
    labels: {team: finance, tier: back}
    cors: {allowed_origins: [{regex: 'https://pr-[0-9]+\\.example\\.com'}], mode: observe}
  - name: parcels
    version: "2.0"
    type: rest
    native: http://parcels.internal:9000
"""
    found = read_document(text)
    assert found.catalogue is not None, found.diagnostics
    return found.catalogue


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["parcels", "petstore", "reports"]),
        ("PET", ["petstore"]),
        ("internal:8080", ["petstore", "reports"]),
        ("/ws/reports", ["reports"]),
        ("example.org", ["petstore"]),
        ("https://*.example.org", ["petstore"]),
        ("origin:pr-[0-9]", ["reports"]),
        ("native:9000", ["parcels"]),
        ("endpoint:/gateway/pet", ["petstore"]),
        ("api:s/1", ["reports"]),
        ("mode:none", ["parcels"]),
        ("mode:observe", ["reports"]),
        ("mode:enforce type:rest", ["petstore"]),
        ("has:policy", ["petstore", "reports"]),
        ("has:credentials", ["petstore"]),
        ("has:accepted", ["petstore"]),
        ("owner:finance", ["reports"]),
        ("Finance", ["reports"]),
        ("label:team=finance", ["reports"]),
        ("label:team=finance,tier!=back", []),
        ("label:!team type:rest", ["parcels", "petstore"]),
        ("pet has:policy mode:observe", []),
    ],
)
def test_every_word_must_match(catalogue: Catalogue, query: str, names: list[str]) -> None:
    apis = catalogue.apis
    found = parse_api_query(query).find(apis[key] for key in sorted(apis))
    assert [one.name for one in found] == names


def test_every_unknown_filter_is_reported() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_api_query("mod:observe mode:observed is:open")
    assert [one.found for one in caught.value.diagnostics] == ["mod:observe", "mode:observed", "is:open"]
    assert caught.value.diagnostics[0].remedy.endswith("Did you mean mode?")
