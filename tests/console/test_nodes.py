"""The nodes' page: who does not enforce, where each stands, and why."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.console_site import Site, running_site
from tests.reported_nodes import MESSAGE, ReportedNodes, enforcing, lagging, rejecting

from crossgate.console.node_rows import next_name, node_problems, node_rows, node_track, revision_ticks
from crossgate.service.permission import Role

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def node(**values: Any) -> dict[str, Any]:
    return {
        "node": "fra-1",
        "connected_at": (NOW - timedelta(days=9)).isoformat(),
        "acknowledged_at": (NOW - timedelta(minutes=6)).isoformat(),
        "revision": 148,
        "state": "enforced",
        "behind": 0,
        "behind_since": None,
        "apis_applied": 8,
        "rejections": [],
        "certificates": [],
        **values,
    }


def rejection(**values: Any) -> dict[str, Any]:
    return {
        "kind": "ScopedRouteConfiguration",
        "resource": "petstore/1.0",
        "message": "no",
        "at": NOW.isoformat(),
        "apis": ["petstore/1.0"],
        "revision": 147,
        "keeps": 146,
        "cause": "",
        "remedy": "",
        **values,
    }


def listed(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"head": 148, "apis": 8, "items": list(nodes)}


LAGS = {
    "state": "behind",
    "revision": 147,
    "behind": 1,
    "behind_since": (NOW - timedelta(minutes=6)).isoformat(),
}


def test_the_line_has_the_newest_revisions() -> None:
    assert [(one.x, one.revision) for one in revision_ticks(148)] == [
        ("32%", 145),
        ("53%", 146),
        ("74%", 147),
        ("95%", 148),
    ]
    assert [one.revision for one in revision_ticks(0)] == [0]


def test_each_node_stands_at_its_revision() -> None:
    enforced = node_track(node(), 148, NOW)
    assert (enforced.applied, enforced.pending, enforced.height, enforced.sentence) == (
        "95%",
        "",
        24,
        "Revision 148",
    )
    partly = node_track(node(state="partly", rejections=[rejection()]), 148, NOW)
    assert (partly.applied, partly.rejected, partly.below, partly.below_x) == (
        "95%",
        ("53%",),
        "petstore 1.0 at 146",
        "53%",
    )
    behind = node_track(node(**LAGS), 148, NOW)
    assert (behind.applied, behind.pending, behind.below) == ("74%", "95%", "148 sent 6 min ago")
    assert behind.sentence == "Revision 147, 148 sent 6 min ago"
    far = node_track(node(**{**LAGS, "revision": 12}), 148, NOW)
    assert far.applied == "20%"
    new = node_track(node(**{**LAGS, "revision": None}), 148, NOW)
    assert (new.applied, new.sentence) == ("", "No revision confirmed, 148 sent 6 min ago")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "Enforced"),
        ({"state": "partly", "rejections": [rejection(), rejection(apis=["a/1", "b/1"])]}, "3 APIs rejected"),
        ({"state": "partly", "rejections": [rejection(apis=[])]}, "Partly rejected"),
        (LAGS, "1 revision behind"),
        ({**LAGS, "behind": 0}, "Pending"),
        ({**LAGS, "revision": None}, "Nothing confirmed yet"),
    ],
)
def test_the_state_in_words(values: dict[str, Any], words: str) -> None:
    (row,) = node_rows(listed(node(**values)), NOW)
    assert row.words == words


def test_a_rejection_of_one_of_several_nodes_is_named_as_such() -> None:
    bad = node(node="fra-2", state="partly", rejections=[rejection(cause="A cause", remedy="Do so")])
    alone = node_rows(listed(node(), bad), NOW)[1].rejections[0]
    assert alone.advice == ("Only this node rejects it.", "A cause.", "Do so.")
    both = node_rows(listed({**bad, "node": "fra-1"}, bad), NOW)[1].rejections[0]
    assert both.advice == ("A cause.", "Do so.")
    unknown = node_rows(listed(node(state="partly", rejections=[rejection()])), NOW)[0].rejections[0]
    assert unknown.advice[0].startswith("The node keeps its last good version.")


def test_problems_begin_with_rejections_and_say_what_holds() -> None:
    found = node_problems(
        listed(node(**LAGS), node(node="fra-2", state="partly", rejections=[rejection()])), NOW
    )
    assert [(one.node, one.headline) for one in found] == [
        ("fra-2", "rejected petstore 1.0."),
        ("fra-1", "has not answered revision 148 for 6 min."),
    ]
    assert "It enforces revision 146 there, and 148 on the 7 other APIs." in found[0].details
    assert found[1].details == "It keeps enforcing 147."


def test_two_nodes_of_one_name_are_two_rows_and_a_problem() -> None:
    nodes = listed(node(), node())
    assert [one.id for one in node_rows(nodes, NOW)] == ["fra-1", "fra-1 2"]
    assert [one.headline for one in node_problems(nodes, NOW)] == ["is connected more than once."]


def test_the_next_name_follows_the_others() -> None:
    assert next_name(["fra-1", "fra-2", "iad-7"]) == "fra-3"
    assert next_name(["local", "<b>1"]) == "node-2"


@pytest.fixture
def nodes() -> ReportedNodes:
    return ReportedNodes(enforcing("fra-1"), rejecting("fra-2"), lagging("sin-1"))


def test_the_page(tmp_path: Path, nodes: ReportedNodes) -> None:
    with running_site(tmp_path, nodes=nodes) as site:
        page = site.client(Role.VIEWER).get("/nodes").text
        assert MESSAGE.replace("'", "&#39;").replace(">", "&gt;") in page
        assert "<code>crossgate node</code>" in page
        assert 'href="/apis/petstore/1.0"' in page
        assert "4 of 5" in page
        assert "crossgate node --control-plane 127.0.0.1:18000 --id fra-3" in page
        assert "Retry" not in page.split("<table")[1]


def test_an_editor_has_a_rejected_api_sent_again(tmp_path: Path, nodes: ReportedNodes) -> None:
    with running_site(tmp_path, nodes=nodes) as site:
        editor = site.client(Role.EDITOR)
        page = editor.get("/nodes").text
        assert "Retry petstore 1.0" in page
        field = re.search(r'name="csrf" value="([^"]+)"', page)
        assert field is not None
        answer = editor.post(
            "/nodes/retry", data={"csrf": field[1], "node": "fra-2"}, headers={"Origin": site.url}
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/nodes?retried=fra-2")
        assert nodes.retried == [("fra-2", [("ScopedRouteConfiguration", "petstore/1.0")])]
        assert "sent to it once more" in editor.get("/nodes?retried=fra-2").text


def test_hostile_names_and_messages_are_escaped(tmp_path: Path) -> None:
    name = "<img src=x>\u202e"
    nodes = ReportedNodes(rejecting(name, message="<script>\u202e" + "x" * 8192))
    with running_site(tmp_path, nodes=nodes) as site:
        page = site.client(Role.EDITOR).get("/nodes").text
    assert "<img src=x>" not in page
    assert "<script>\u202e" not in page
    assert "\u202e" not in page.replace(f'value="{name}"'.replace("<", "&lt;").replace(">", "&gt;"), "")


def test_without_nodes_it_says_what_would_appear(site: Site) -> None:
    page = site.client(Role.VIEWER).get("/nodes").text
    assert "No node is connected" in page
    assert "crossgate node --control-plane 127.0.0.1:18000 --id node-2" in page
