"""The frame around every page: who may come in, headers, assets."""

from __future__ import annotations

from hashlib import sha256

import httpx
from tests.console_site import Site

from crossgate.console.assets import FOLDER, PREFIX
from crossgate.service.permission import Role


def test_a_stranger_is_sent_to_the_sign_in_page(site: Site) -> None:
    answer = httpx.get(f"{site.url}/nodes?x=1", trust_env=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fnodes%3Fx%3D1"


def test_a_page_names_its_api_call_and_its_caller(site: Site) -> None:
    page = site.client(Role.VIEWER).get("/nodes")
    assert page.status_code == 200
    assert "GET /v1/nodes" in page.text
    assert "test-viewer" in page.text


def test_pages_forbid_scripts_of_others_and_frames(site: Site) -> None:
    headers = site.client().get("/nodes").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


def test_assets_are_kept_for_a_year(site: Site) -> None:
    answer = httpx.get(f"{site.url}{PREFIX}/css/tokens.css", trust_env=False)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]


def test_vendored_files_are_as_published() -> None:
    listed = (FOLDER / "vendor" / "README.md").read_text()
    for file in (FOLDER / "vendor").glob("*.js"):
        assert sha256(file.read_bytes()).hexdigest() in listed


def test_the_api_keeps_its_401(site: Site) -> None:
    assert httpx.get(f"{site.url}/v1/nodes", trust_env=False).status_code == 401
    cookie = site.cookie(Role.ADMIN)
    tried = httpx.get(f"{site.url}/v1/nodes", cookies={cookie["name"]: cookie["value"]}, trust_env=False)
    assert tried.status_code == 401
