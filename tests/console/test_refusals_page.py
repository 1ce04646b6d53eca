"""The pages of refusals: list, detail, dismissals, empty states."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.console_site import Site, running_site
from tests.refusals import Collected, delta, group_key

from crossgate.console.browser_messages import address_of, browser_messages
from crossgate.console.refusals import hours_chart, place_in_list, tabs
from crossgate.console.render import as_time
from crossgate.service.permission import Role

HOSTILE = "https://\u202e<img src=x onerror=alert(1)>\x01" + "a" * 200


def groups(site: Site, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.api.viewer.get(
        "/v1/refusals", params={"sort": "clients", **query}
    ).json()["items"]
    return found


def csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


def test_the_list_has_the_groups_of_most_clients_first_and_one_beside_it(site: Site) -> None:
    page = site.client(Role.VIEWER).get("/refusals")
    assert page.status_code == 200
    rows = re.findall(r'<li data-row="([0-9a-f]+)"', page.text)
    assert rows == [one["id"] for one in groups(site)]
    assert page.text.count('aria-current="true"') == 2  # the tab and the first row
    assert "Refused at step 2 of 6: petstore 1.0 does not allow this origin." in page.text
    assert 'href="/refusals?q=is%3Adismissed+sort%3Aclients"' in page.text
    assert "https://shop.exa<mark>rn</mark>ple.com" in page.text
    assert "<mark>http:</mark>//shop.example.com" in page.text
    assert "Look-alike" in page.text
    assert 'data-key="d"' not in page.text


def test_a_group_has_its_own_address_with_the_state_of_the_list(site: Site) -> None:
    first = groups(site)[0]
    page = site.client().get(f"/refusals/{first['id']}", params={"q": "api:petstore"})
    assert page.status_code == 200
    assert f"GET /v1/refusals/{first['id']}" in page.text
    assert "?q=api%3Apetstore" in page.text
    assert 'https://pr-417<mark class="miss" aria-hidden="true">.preview</mark>.example.com' in page.text
    assert "8 characters differ" in page.text
    assert "data-opens" in page.text
    assert site.client().get("/refusals/0123456789abcdef").status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("api:nothing", "Nothing matches"),
        ("petstore:1", "Did you mean api:petstore?"),
        ("is:dismissed", "Dismissed <span"),
    ],
)
def test_filters_that_find_nothing_say_what_to_do(site: Site, query: str, expected: str) -> None:
    page = site.client().get("/refusals", params={"q": query})
    assert page.status_code == 200
    assert expected in page.text
    assert "Clear filter" in page.text or query == "is:dismissed"


def test_dismiss_then_undo(own_site: Site) -> None:
    client = own_site.client(Role.EDITOR)
    first, second = (one["id"] for one in groups(own_site)[:2])
    form = client.get(f"/refusals/{first}/dismiss")
    assert form.status_code == 200
    sent = {"csrf": csrf(form), "reason": "retired", "note": "old site"}

    answer = client.post(f"/refusals/{first}/dismiss", data=sent)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/refusals/{second}?done=dismissed&of={first}"
    assert own_site.api.viewer.get(f"/v1/refusals/{first}").json()["state"] == "dismissed"
    page = client.get(answer.headers["location"])
    assert 'class="toast"' in page.text
    assert f"/refusals/{first}/reopen" in page.text

    undone = client.post(f"/refusals/{first}/reopen", data={"csrf": csrf(form)})
    assert undone.status_code == 303
    assert own_site.api.viewer.get(f"/v1/refusals/{first}").json()["state"] == "open"


def test_a_dismissal_without_a_reason_is_asked_for_again(own_site: Site) -> None:
    client = own_site.client(Role.EDITOR)
    first = groups(own_site)[0]["id"]
    sent = {"csrf": csrf(client.get(f"/refusals/{first}/dismiss")), "reason": "", "note": "kept"}
    answer = client.post(f"/refusals/{first}/dismiss", data=sent)
    assert answer.status_code == 422
    assert 'value="kept"' in answer.text


def test_nothing_that_requests_sent_is_markup(tmp_path: Path) -> None:
    key = group_key("petstore/1.0", HOSTILE, method="<b>", headers=("<i>", "\u202ex"))
    recent = Collected()
    recent.report(delta(key, 9))
    with running_site(tmp_path, recent=recent) as site:
        for path in ("/refusals?q=", f"/refusals/{key.id}", f"/refusals/{key.id}/dismiss"):
            text = site.client(Role.EDITOR).get(path).text
            assert "U+202E" in text
            for forbidden in ("<img", "<b>=", "<i>", "\u202e", "\x01"):
                assert forbidden not in text, path


def test_nothing_was_refused(tmp_path: Path) -> None:
    with running_site(tmp_path) as site:
        for one in groups(site):
            site.api.editor.post(f"/v1/refusals/{one['id']}/dismiss", json={"reason": "bot"})
        page = site.client().get("/refusals")
        assert "No open refusals" in page.text
        assert "APIs enforce their policies" in page.text
        assert 'Dismissed <span class="figures">13</span>' in page.text


def test_tabs_keep_the_rest_of_the_filter() -> None:
    found = tabs("api:x is:open sort:recent", {"open": 2, "reopened": 1, "allowed": 5})
    assert [(one.label, one.count, one.current) for one in found] == [
        ("Open", 3, True),
        ("Allowed", 5, False),
        ("Dismissed", 0, False),
    ]
    assert found[1].filter == "is:allowed api:x sort:recent"


def test_the_next_group_of_a_list() -> None:
    items = [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    assert place_in_list(items, "b") == (1, "a", "c")
    assert place_in_list(items, "c") == (2, "b", "")
    assert place_in_list(items, "z") == (None, "", "a")
    assert place_in_list([], "z") == (None, "", "")


def test_hours_are_a_day_at_least_with_the_flag_of_the_cause() -> None:
    found = {
        "hours": [{"hour": "2026-11-28T12:00:00Z", "count": 5}],
        "observed": False,
        "reason": "method-refused",
        "cause": {"revision": 147, "at": "2026-11-28T11:31:00Z"},
    }
    chart = hours_chart(found, as_time("2026-11-28T14:20:00Z"))
    assert chart is not None
    assert [one.kind for one in chart.plot.bars] == ["bar-method"]
    assert [one.text for one in chart.flags] == ["147"]
    assert "last 24 hours: 5 altogether" in chart.sentence
    assert hours_chart({**found, "hours": []}, as_time("2026-11-28T14:20:00Z")) is None


def test_what_browsers_say_is_filled_in_once() -> None:
    found = {"path": "/gateway/pets/1.0/list", "origin": "https://{url}.example", "preflight": False}
    chrome, firefox, safari = browser_messages(
        found, "403 Specified Origin is not allowed", "https://api.example"
    )
    assert chrome.text.startswith(
        "Access to fetch at 'https://api.example/gateway/pets/1.0/list' from origin 'https://{url}.example'"
    )
    assert firefox.text.endswith("Status code: 403.")
    assert safari.browser == "Safari"


@pytest.mark.parametrize(
    ("gateway", "address"),
    [
        ({"listen": "127.0.0.1:8080"}, "http://127.0.0.1:8080"),
        ({"listen": "0.0.0.0:8443", "tls": {"certificate": "a", "key": "b"}}, "https://0.0.0.0:8443"),
        ({"listen": "0.0.0.0:80", "public_origins": ["https://api.example"]}, "https://api.example"),
    ],
)
def test_a_browsers_message_has_the_scheme_at_which_pages_call(
    gateway: dict[str, object], address: str
) -> None:
    assert address_of(gateway) == address


def test_a_preflight_is_simulated_by_the_request_that_the_page_makes(site: Site) -> None:
    first = next(one for one in groups(site) if one["preflight"])
    page = site.client().get(f"/refusals/{first['id']}")
    link = re.search(r'href="/simulator\?([^"]*)"[^>]*data-key="s"', page.text)
    assert link is not None
    assert f"method={first['method']}&" in link[1].replace("&amp;", "&")
    assert "OPTIONS" not in link[1]


def test_of_two_ports_no_characters_are_counted(site: Site) -> None:
    other_port = next(one for one in groups(site) if one["origin"].endswith(":8443"))
    page = site.client().get(f"/refusals/{other_port['id']}")
    assert "Only the port differs" in page.text
    assert "characters differ" not in page.text
