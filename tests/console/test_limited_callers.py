"""A caller who is limited to one API reads nothing of others on any page."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest
from tests.console_pages import every_page
from tests.console_site import Site

from crossgate.service.permission import Role

OTHERS = re.compile(
    r"orders|payments|parcels|reports[./]|admin\.example\.com|shop\.exarnple|localhost:5173|chrome-extension"
)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_no_page_tells_of_other_apis(site: Site, role: Role) -> None:
    client = limited(site, role)
    faults: list[str] = []
    for one in every_page(site):
        if re.search("orders|parcels", one.url):
            continue  # what the caller types comes back; see below
        page = client.get(one.url)
        if page.status_code in (403, 404):
            faults += [] if "<h1" in page.text and "</main>" in page.text else [f"{one.url}: not readable"]
        elif page.status_code not in (200, 303):
            faults.append(f"{one.url}: {page.status_code}")
        faults += [f"{one.url}: {found}" for found in set(OTHERS.findall(unescape(page.text)))]
    assert faults == []
    there = client.get("/apis/parcels/1.0")
    assert there.status_code in (403, 404)
    assert "<h1" in there.text
    assert "parcels.internal" not in there.text
    listed = client.get("/refusals?q=api:orders&page=1")
    assert "admin.example.com" not in listed.text


def limited(site: Site, role: Role) -> httpx.Client:
    """A browser of a caller with petstore only."""
    token = site.api.tokens.create(f"pets-{role.value}", role, apis=["petstore"])[1]
    client = site.client(role)
    client.cookies.clear()
    client.cookies.set("crossgate-session", site.sessions.open(token)[0])
    return client
