"""JavaScript calls a SOAP service through the gateway, with nothing but what its WSDL was imported to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from tests.soap_service import (
    CONTENT_TYPES,
    SOAP_11,
    SOAP_12,
    ImportedService,
    imported_service,
    number_to_words,
)

pytestmark = [pytest.mark.browser, pytest.mark.live]

CALL = """async ([url, type, action, body]) => {
  const headers = {'Content-Type': type, ...(action === null ? {} : {SOAPAction: action})};
  try {
    const response = await fetch(url, {method: 'POST', headers, body});
    return [response.status, await response.text()];
  } catch (error) {
    return null;
  }
}"""
APP, FOREIGN = "http://test1.com", "http://test2.com"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImportedService]:
    with imported_service(tmp_path_factory.mktemp("soap"), APP) as running:
        yield running


def test_a_page_of_the_allowed_origin_calls_the_service(service: ImportedService, page: Page) -> None:
    page.goto(APP)
    calls = [(SOAP_11, '""'), (SOAP_12, None)]

    answers = [
        page.evaluate(CALL, [service.endpoint, CONTENT_TYPES[version], action, number_to_words(version, 12)])
        for version, action in calls
    ]

    assert [status for status, _ in answers] == [200, 200]
    assert all(">twelve<" in body for _, body in answers)
    # The gateway answers the preflights.
    assert [request.method for request in service.native.log.seen()] == ["POST", "POST"]

    page.goto(FOREIGN)
    service.native.log.clear()
    answer = page.evaluate(
        CALL, [service.endpoint, CONTENT_TYPES[SOAP_11], '""', number_to_words(SOAP_11, 12)]
    )

    assert answer is None
    assert service.native.log.seen() == ()
