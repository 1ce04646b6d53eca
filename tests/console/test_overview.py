"""The overview: what it shows of traffic, nodes, refusals and changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.console_site import SITE, Site, running_site, serving
from tests.reported_nodes import ReportedNodes, enforcing, lagging, rejecting

from crossgate.catalogue.document import read_document
from crossgate.console.overview import share
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import ReplaceAll
from crossgate.service.file_store import FileStore
from crossgate.service.permission import Role
from crossgate.store import SqliteDirectory, open_store


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(0, 0, ""), (0, 5, "0 %"), (5, 5, "100 %"), (9_999, 10_000, "99.9 %"), (1, 10_000, "0.1 %")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(part: int, whole: int, expected: str) -> None:
    assert share(part, whole) == expected


def test_the_chart_names_its_numbers(site: Site) -> None:
    page = site.client(Role.VIEWER).get("/?period=24h").text
    assert "12,109" in page  # allowed
    assert "2,554" in page  # refused
    assert 'aria-label="Refused an hour, 24 hours: ' in page
    assert "2,554 altogether: origin 2,295, method 214, header 45" in page
    assert "GET /v1/overview?period=24h" in page
    assert '<a href="/?period=24h" aria-current="true">24 hours</a>' in page
    assert 'aria-label="Revision 1 at' in page


def test_refusals_of_most_clients_come_first_and_hostile_ones_are_escaped(site: Site) -> None:
    page = site.client(Role.VIEWER).get("/").text
    rows = page.split('data-live-rows="refusals"')[1]
    places = [
        rows.index(name)
        for name in (">https://pr-417.", ">https://pr-398.", ">https://app.example.com<", ">http://shop")
    ]
    assert places == sorted(places)
    assert "<img src=x" not in page
    assert "\u202e" not in page


def test_an_unknown_period_leads_to_the_last_hour(site: Site) -> None:
    answer = site.client().get("/?period=1y")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_nodes_that_do_not_enforce_are_named(tmp_path: Path) -> None:
    nodes = ReportedNodes(enforcing("fra-1"), rejecting("fra-2"), lagging("sin-1"))
    with running_site(tmp_path, nodes=nodes) as site:
        page = site.client(Role.VIEWER).get("/").text
        assert "2 of 3 nodes do not enforce all of revision 1." in page
        assert '<span class="origin">petstore/1.0</span> and keeps 0 there' in page
        assert "has not answered 1 for 6 min" in page
        assert "1 of 3 enforce all of 1" in page
        assert "Enforced by 1 of 3 nodes" in page
        nodes.set(enforcing("fra-1"))
        assert "not enforce all" not in site.client(Role.VIEWER).get("/").text


def test_server_level_cors_and_missing_nodes_are_named(tmp_path: Path) -> None:
    settings = (
        "settings: {watt.server.cors.enabled: true, watt.server.cors.allowedOrigins: 'https://a.example'}\n"
    )
    with running_site(tmp_path, settings + SITE) as site:
        page = site.client(Role.VIEWER).get("/").text
        assert "Server-level CORS is on." in page
        assert "No node is connected to this control plane." in page


def test_a_limited_caller_learns_what_is_missing(site: Site) -> None:
    token = site.api.tokens.create("team", Role.VIEWER, apis=["orders"])[1]
    secret, _ = site.sessions.open(token)
    client = site.client(Role.VIEWER)
    client.cookies.clear()
    client.cookies.set("crossgate-session", secret)
    page = client.get("/").text
    assert '<span class="origin">orders</span> only' in page
    assert "pr-417" not in page
    assert "Latest changes" not in page
    assert "last two hours" in page


def test_without_traffic_a_command_makes_some_appear(tmp_path: Path) -> None:
    reading = read_document(SITE)
    assert reading.catalogue is not None
    with open_store(SqliteDirectory(tmp_path)) as store:
        CatalogueService(store.catalogue).change([ReplaceAll(reading.catalogue)], author="a")
        with serving(store) as site:
            page = site.client(Role.VIEWER).get("/").text
    assert "No requests yet" in page
    assert "https://api.example.com/gateway/orders/2.1/" in page
    assert '<svg class="chart" height="112"' not in page


def test_a_gateway_that_follows_a_file_says_so(tmp_path: Path) -> None:
    reading = read_document(SITE)
    assert reading.catalogue is not None
    with open_store(SqliteDirectory(tmp_path)) as store:
        file = FileStore("/etc/gateway.yaml", reading.catalogue)
        with serving(replace(store, catalogue=file)) as site:  # type: ignore[arg-type]
            page = site.client(Role.EDITOR).get("/").text
    assert "This gateway follows" in page
    assert "/etc/gateway.yaml" in page
    assert "A file keeps no history here." in page
