"""JavaScript reads and changes entities of an imported OData service through the gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from tests.odata_service import ImportedOrders, Orders, imported_orders

pytestmark = [pytest.mark.browser, pytest.mark.live]

CALL = """async ([url, init]) => {
  try {
    const response = await fetch(url, init);
    const [etag, version] = ['ETag', 'OData-Version'].map((name) => response.headers.get(name));
    return [response.status, etag, version, await response.text()];
  } catch (error) {
    return null;
  }
}"""
APP, FOREIGN = "http://test1.com", "http://test2.com"
READ = {"headers": {"Accept": "application/json;odata.metadata=minimal", "OData-MaxVersion": "4.0"}}
HEADERS = {"Content-Type": "application/json", "OData-Version": "4.0", "Prefer": "return=minimal"}


def patch(etag: str) -> dict[str, object]:
    headers = {**HEADERS, "If-Match": etag}
    return {"method": "PATCH", "headers": headers, "body": '{"Note": "changed"}'}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImportedOrders]:
    folder = tmp_path_factory.mktemp("odata")
    with imported_orders(folder, Orders(), APP, "/gateway/Orders/2") as running:
        yield running


def test_a_page_of_the_allowed_origin_reads_and_changes_an_entity(
    service: ImportedOrders, page: Page
) -> None:
    service.native.orders["1"] = {"Number": "1", "Note": "new", "Version": "1"}
    url = f"{service.endpoint}/Orders('1')"
    page.goto(APP)

    status, etag, version, body = page.evaluate(CALL, [url, READ])
    assert (status, etag, version) == (200, 'W/"1"', "4.0")
    assert '"new"' in body
    assert page.evaluate(CALL, [url, patch(etag)]) == [204, 'W/"2"', "4.0", ""]
    assert page.evaluate(CALL, [url, patch(etag)])[0] == 412
    assert service.native.orders["1"]["Note"] == "changed"
    # The gateway answers the preflights.
    assert [request.method for request in service.native.log.seen()] == ["GET", "PATCH", "PATCH"]

    page.goto(FOREIGN)
    service.native.log.clear()
    assert page.evaluate(CALL, [url, READ]) is None
    assert page.evaluate(CALL, [url, patch('W/"2"')]) is None
    assert service.native.log.seen() == ()
