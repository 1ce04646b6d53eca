"""The simulator's page, without JavaScript."""

from __future__ import annotations

import re
from html import unescape

import pytest
from tests.console_site import Site
from tests.unit.service.test_request_text import BASH, CHROME

from crossgate.console.simulation import command_line
from crossgate.service.permission import Role

QUERY = (
    "api=petstore/1.0&origin=https://app.example.com&method=PATCH&path=/pets/81&request_headers=content-type"
)


def paste(site: Site, text: str, role: Role = Role.VIEWER) -> str:
    """Where the page goes after the text was pasted."""
    client = site.client(role)
    token = re.search(r'name="csrf" value="([^"]+)"', client.get("/simulator").text)
    assert token is not None
    answer = client.post(
        "/simulator/read",
        data={"csrf": token[1], "pasted": text},
        headers={"Origin": site.url, "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_before_any_request_both_flows_are_drawn(site: Site) -> None:
    page = site.client(Role.VIEWER).get("/simulator")
    assert page.status_code == 200
    assert page.text.count('<svg class="flow"') == 2
    assert 'class="edge taken"' not in page.text


def test_a_refused_request_is_explained(site: Site) -> None:
    page = site.client(Role.VIEWER).get(f"/simulator?{QUERY}").text
    assert "405 Method Not Allowed at step 4 of 6" in page
    assert "The browser blames the origin." in page
    assert "never sent" in page
    assert "OPTIONS /gateway/petstore/1.0/pets/81" in page
    assert 'href="/apis/petstore/1.0#allowed-methods"' in page
    assert "See the policy" in page
    assert "Allow PATCH…" in site.client(Role.EDITOR).get(f"/simulator?{QUERY}").text


def test_an_allowed_request_has_both_charts(site: Site) -> None:
    page = site.client().get(f"/simulator?{QUERY.replace('PATCH', 'PUT')}").text
    assert page.count('<svg class="flow"') == 2
    assert "How the preflight was decided" in page


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("api=parcels/1.0&origin=https://a.example&method=PUT", "No policy"),
        ("api=reports/1.0&origin=https://a.example&method=PUT", "Observed"),
        ("api=petstore/1.0&method=DELETE", "Allowed"),
        ("path=/gateway/petstore/1.0/pets&origin=https://evil.example", "Refused"),
    ],
)
def test_other_outcomes(site: Site, query: str, word: str) -> None:
    page = site.client().get(f"/simulator?{query}")
    assert page.status_code == 200
    assert re.search(rf'class="verdict [^"]*big">.*?</svg>{word}<', page.text, re.DOTALL)


def test_a_pasted_command_becomes_fields_without_its_secrets(site: Site) -> None:
    target = paste(site, BASH)
    assert "SECRET" not in target
    page = site.client(Role.VIEWER).get(target).text
    assert "SECRET" not in page
    assert "Read: API, path, origin, method and headers." in page
    assert "Refused" in page


def test_an_error_message_is_joined_with_the_newest_refusal(site: Site) -> None:
    page = site.client(Role.EDITOR).get(paste(site, CHROME)).text
    assert "Method and headers are from the newest refusal of this origin." in page
    assert re.search(r'href="/refusals/[0-9a-f]+"', page)


def test_a_forged_paste_is_not_repeated(site: Site) -> None:
    answer = site.client().post(
        "/simulator/read",
        data={"csrf": "of-another-session", "pasted": BASH},
        headers={"Origin": site.url, "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 403
    assert "SECRET" not in answer.text


def test_text_without_a_request_is_reported(site: Site) -> None:
    assert "Nothing was read" in site.client().get(paste(site, "good morning")).text


def test_an_unknown_api_is_reported_on_the_page(site: Site) -> None:
    page = site.client().get("/simulator?api=nothing/1&origin=https://a.example")
    assert page.status_code == 404
    assert "<h1>Simulator</h1>" in page.text


def test_the_json_is_that_of_the_api(site: Site) -> None:
    found = site.client().get(f"/simulator/explanation?{QUERY}").json()
    assert found["flow"]["failed"] == 4


HOSTILE = "https://\u202e<img src=x onerror=alert(1)>'\";$(id)\x07"


@pytest.mark.parametrize("value", [HOSTILE, "https://" + "a" * 8192])
def test_hostile_values_stay_text(site: Site, value: str) -> None:
    page = site.client().get(
        "/simulator",
        params={"api": "petstore/1.0", "origin": value, "method": value, "request_headers": value},
    )
    assert page.status_code == 200
    assert "<img" not in page.text
    body = re.sub(r"<input[^>]*>", "", page.text)
    assert "\u202e" not in body
    assert "\x07" not in body


def test_the_command_line_is_quoted_for_a_shell() -> None:
    stage = {"origin": "https://a'b;$(id)", "request_method": "", "request_headers": "", "method": "GET"}
    command = command_line({"api": "a b/1"}, stage, "my file.yaml")
    assert command.splitlines()[0] == "crossgate explain 'my file.yaml' \\"
    assert "--origin 'https://a'\"'\"'b;$(id)'" in command


def test_a_draft_is_compared(site: Site) -> None:
    draft = '{"allowed_origins": ["https://app.example.com"], "allowed_methods": ["GET"]}'
    page = site.client().get(f"/simulator?{QUERY}", params=None).text
    assert "My draft" not in page
    page = (
        site.client()
        .get(
            "/simulator",
            params={**dict(one.split("=") for one in QUERY.split("&")), "compare": "draft", "draft": draft},
        )
        .text
    )
    assert "My draft refuses it too" in unescape(page)


def test_without_an_envoy_of_its_own_nothing_is_sent(site: Site) -> None:
    client = site.client(Role.EDITOR)
    page = client.get(f"/simulator?{QUERY}").text
    assert "Send it through the gateway" in page
    assert "Send it through the gateway" not in site.client(Role.VIEWER).get(f"/simulator?{QUERY}").text
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None
    answer = client.post(
        f"/simulator/send?{QUERY}",
        data={"csrf": token[1]},
        headers={"Origin": site.url, "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 200
    assert "Not sent: this control plane runs no Envoy of its own" in answer.text
    assert site.api.viewer.post("/v1/explain/send", json={"api": "petstore/1.0"}).status_code == 403


def test_a_reload_of_a_sent_page_sends_nothing(site: Site) -> None:
    answer = site.client(Role.EDITOR).get(f"/simulator/send?{QUERY}")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/simulator?api=")


@pytest.mark.parametrize("number", ["²", "1" * 5000])
def test_what_is_no_revision_is_not_asked_for(site: Site, number: str) -> None:
    query = {
        "api": "petstore/1.0",
        "origin": "https://app.example.com",
        "revision": number,
        "compare": number,
    }
    assert site.client(Role.VIEWER).get("/simulator", params=query).status_code == 200
