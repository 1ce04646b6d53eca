"""Every form of the console: what a viewer may send, and what becomes of it when the session has ended."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from html import unescape
from itertools import repeat

import httpx
import pytest
from starlette.routing import Route
from tests.console_pages import every_page, group_of
from tests.console_site import Site, running_site
from tests.reported_nodes import ReportedNodes, rejecting

from crossgate.console import pages
from crossgate.console.imports import digest
from crossgate.service.permission import Role

_ANY = '"revision-1"'
_CELLS = json.dumps({"register": [{"application": "partner-portal", "api": "orders/2.1"}], "remove": []})

WRITES: dict[str, dict[str, str]] = {
    "/apis/new": {"name": "maps", "version": "1.0", "type": "rest", "native": "http://maps.internal:8080"},
    "/apis/{name}/{version}": {"do": "save"},
    "/apis/{name}/{version}/edit": {"type": "rest", "native": "http://pets.internal:8080/v3"},
    "/apis/{name}/{version}/remove": {"what": "api", "typed": "petstore/1.0"},
    "/applications/registrations": {"cells": _CELLS, "etag": _ANY, "url": "/applications", "message": "why"},
    "/applications/save": {"name": "till", "origin": "https://till.example.com", "etag": "", "base": "{}"},
    "/applications/{name}/{act}": {"message": "stolen"},
    "/changes/{number}": {"to": "0", "etag": _ANY, "message": "Begin again"},
    "/import/apply": {
        "document": "apis: []\n",
        "planned": digest("False\napis: []\n"),
        "etag": _ANY,
        "message": "a new document",
    },
    "/nodes/retry": {"node": "fra-2"},
    "/refusals/{group}/allow": {"what": "origin", "message": "They moved"},
    "/refusals/{group}/dismiss": {"reason": "attack", "note": "a scanner"},
    "/refusals/{group}/reopen": {},
    "/settings": {"watt.server.cors.maxAge": "600"},
    "/settings/gateway": {"limits.max_headers": "150"},
    "/settings/tokens": {"name": "ci", "role": "viewer", "days": "30"},
    "/settings/tokens/{name}/revoke": {"typed": "test-editor"},
    "/undo": {"revision": "1", "back": "/changes"},
}
"""What is refused for a viewer, with fields."""
READS = {
    "/apis/{name}/{version}/preview",
    "/applications/preview",
    "/applications/registrations/preview",
    "/import",
    "/settings/appearance",
    "/settings/gateway/preview",
    "/settings/preview",
    "/settings/sessions/end-all",
    "/settings/sessions/{id}/end",
    "/sign-in",
    "/sign-out",
    "/simulator/read",
    "/simulator/send",
}
"""What changes nothing but the caller's own browser and sessions; or, for `send`, has a test of its own."""


def posted_routes() -> set[str]:
    """The paths of all forms."""
    found = set()
    for module in pkgutil.iter_modules(pages.__path__):
        routes = getattr(importlib.import_module(f"{pages.__name__}.{module.name}"), "routes", [])
        found |= {
            re.sub(r":\w+}", "}", one.path)
            for one in routes
            if isinstance(one, Route) and "POST" in (one.methods or ())
        }
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A console with a node that rejected an API."""
    with running_site(tmp_path_factory.mktemp("console"), nodes=ReportedNodes(rejecting("fra-2"))) as running:
        yield running


def url_of(path: str, site: Site) -> str:
    """The path with names of the seeded site."""
    values = {
        "name": "test-editor" if "tokens" in path else "storefront" if "applications" in path else "petstore",
        "version": "1.0",
        "act": "suspend",
        "number": "1",
        "group": group_of(site),
    }
    return re.sub(r"{(\w+)}", lambda one: values[one[1]], path)


def csrf_of(client: httpx.Client) -> str:
    """The token of the session's forms."""
    found = re.search(r'"X-CSRF-Token": "([^"]+)"', client.get("/prove").text)
    assert found is not None
    return found[1]


def state_of(site: Site) -> list[object]:
    """All that a form could change."""
    api = site.api.admin
    tokens = [(one["name"], one["revoked"]) for one in api.get("/v1/tokens").json()["items"]]
    refusals = api.get("/v1/refusals", params={"limit": 100}).json()["items"]
    head = api.get("/v1/status").json()["revision"]
    return [head, tokens, {one["id"]: one["state"] for one in refusals}]


def test_every_form_is_tried_here() -> None:
    assert posted_routes() == WRITES.keys() | READS


def test_a_viewer_is_refused_and_nothing_changes(site: Site) -> None:
    client, before = site.client(Role.VIEWER), state_of(site)
    nodes_before = site.api.admin.get("/v1/nodes").json()["items"][0]["rejections"]
    csrf = csrf_of(client)
    allowed = {}
    etags = {
        "/apis/{name}/{version}": site.api.viewer.get("/v1/apis/petstore/1.0/policy").headers["ETag"],
        "/applications/{name}/{act}": site.api.viewer.get("/v1/applications/storefront").headers["ETag"],
    }
    for path, fields in WRITES.items():
        sent = {**fields, "csrf": csrf, **({"etag": etags[path]} if path in etags else {})}
        if path == "/apis/{name}/{version}":
            sent = {**sent, "state": json.dumps({"etag": etags[path]})}
        answer = client.post(url_of(path, site), data=sent)
        if answer.status_code != 403:
            allowed[path] = (answer.status_code, answer.headers.get("location"))
    assert allowed == {}
    assert state_of(site) == before
    assert site.api.admin.get("/v1/nodes").json()["items"][0]["rejections"] == nodes_before


def test_an_editor_is_refused_what_needs_an_admin(site: Site) -> None:
    client, before = site.client(Role.EDITOR), state_of(site)
    csrf = csrf_of(client)
    for path in ("/settings", "/settings/gateway", "/settings/tokens", "/settings/tokens/{name}/revoke"):
        answer = client.post(url_of(path, site), data={**WRITES[path], "csrf": csrf})
        assert answer.status_code == 403, path
    assert state_of(site) == before


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_no_page_offers_what_would_be_refused(site: Site, role: Role) -> None:
    refused = [path for path in WRITES if role is Role.VIEWER or path.startswith(("/settings", "/nodes"))]
    refused = [path for path in refused if path != "/nodes/retry" or role is Role.VIEWER]
    patterns = [re.compile(re.sub(r"{\w+}", "[^/?]+", path)) for path in refused]
    client, offered = site.client(role), []
    for one in every_page(site):
        page = client.get(one.url)
        if not role.includes(one.role):
            assert page.status_code in (303, 403), one.url
            continue
        assert page.status_code == 200, one.url
        sent = [
            url
            for url in sent_by(page.text, one.url)
            if any(map(re.Pattern.fullmatch, patterns, repeat(url)))
        ]
        offered += [f"{one.url} sends {url}" for url in sent]
    assert offered == []


def sent_by(page: str, url: str) -> list[str]:
    """Where the buttons of the page's forms send them."""
    found = []
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", page, re.DOTALL):
        action = re.search(r'<form[^>]* action="([^"]*)"', form)
        own = unescape(action[1]) if action else url
        name = re.search(r'<form[^>]* id="([^"]*)"', form)
        buttons = re.findall(r"<button\b[^>]*>", form)
        if name:
            buttons += re.findall(rf'<button\b[^>]*form="{name[1]}"[^>]*>', page)
        for button in buttons:
            if 'type="button"' not in button and 'formmethod="get"' not in button:
                other = re.search(r'formaction="([^"]*)"', button)
                found.append((unescape(other[1]) if other else own).partition("?")[0])
    return found


@pytest.mark.parametrize("path", sorted(WRITES))
def test_an_ended_session_keeps_every_field(site: Site, path: str) -> None:
    client = site.client(Role.ADMIN)
    csrf = csrf_of(client)
    url = url_of(path, site)
    fields = {**WRITES[path], "more": "</textarea><script>alert(1)</script>\n\u202e"}
    site.sessions.end_all()
    answer = client.post(url, data={**fields, "csrf": csrf})
    assert answer.status_code == 401
    kept = dict(re.findall(r'<textarea hidden name="([^"]*)">\n(.*?)</textarea>', answer.text, re.DOTALL))
    assert {name: unescape(value) for name, value in kept.items()} == fields
    assert f'action="{url}"' in answer.text

    again = site.client(Role.VIEWER)
    resent = again.post(url, data=fields)
    assert resent.status_code == 403
    kept = dict(re.findall(r'<textarea hidden name="([^"]*)">\n(.*?)</textarea>', resent.text, re.DOTALL))
    assert {name: unescape(value) for name, value in kept.items()} == fields
    assert csrf_of(again) in resent.text
