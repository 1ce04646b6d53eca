"""Pages and filters stay fast at 100,000 applications."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.catalogues import api, application, catalogue

from crossgate.service.file_store import FileStore
from crossgate.service.tokens import InMemoryTokenStore

COUNT = 100_000
SECONDS = 0.5
"""On a machine that does other things as well; it takes some 20 ms when it has nothing else to do."""


@pytest.fixture(scope="module")
def many() -> Iterator[AdminApi]:
    applications = [
        application(f"app-{number:06}", f"https://a{number}.example", apis=[f"api-{number % 500}/1"])
        for number in range(COUNT)
    ]
    apis = [api(f"api-{number}", version="1") for number in range(500)]
    with running_admin_api(FileStore("file", catalogue(apis, applications)), InMemoryTokenStore()) as running:
        running.viewer.get("/v1/applications", params={"limit": 1})
        yield running


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"limit": "2"}, ["app-000000", "app-000001"]),
        ({"name": "099999"}, ["app-099999"]),
        ({"origin": "https://a99999.example"}, ["app-099999"]),
        ({"api": "api-499/1", "limit": "1"}, ["app-000499"]),
        ({"suspended": "true"}, []),
    ],
)
def test_a_page_comes_at_once(many: AdminApi, query: dict[str, str], names: list[str]) -> None:
    times = []
    for _ in range(3):
        began = time.perf_counter()
        answer = many.viewer.get("/v1/applications", params=query)
        times.append(time.perf_counter() - began)
        assert [item["name"] for item in answer.json()["items"]] == names

    assert min(times) < SECONDS


def test_the_last_page_costs_what_the_first_does(many: AdminApi) -> None:
    def time_of(cursor: str) -> float:
        began = time.perf_counter()
        page = many.viewer.get("/v1/applications", params={"limit": 500, "cursor": cursor}).json()
        assert len(page["items"]) > 400
        return time.perf_counter() - began

    last = "YXBwLTA5OTUwMA"  # app-099500
    first_times, last_times = zip(*[(time_of(""), time_of(last)) for _ in range(5)], strict=True)

    assert min(last_times) < 3 * min(first_times)
