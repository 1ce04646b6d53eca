"""Sessions in the console: who is signed in, ending one, and signing out everywhere."""

from __future__ import annotations

from tests.console.test_settings import csrf_of
from tests.console_site import Site

from crossgate.service.permission import Role

_URL = "/settings/sessions"


def test_an_admin_sees_all_sessions_and_ends_one(own_site: Site) -> None:
    viewer, admin = own_site.client(Role.VIEWER), own_site.client()
    page = admin.get(_URL)
    assert "test-viewer" in page.text
    assert "This browser" in page.text
    found = next(one for one in own_site.sessions.all() if one.caller.name == "test-viewer")
    ended = admin.post(f"{_URL}/{found.id}/end", data={"csrf": csrf_of(page)})
    assert (ended.status_code, ended.headers["location"]) == (303, f"{_URL}?ended=1")
    assert viewer.get(_URL).headers["location"].startswith("/sign-in")


def test_others_see_their_own_sessions_only(own_site: Site) -> None:
    admin, viewer = own_site.client(), own_site.client(Role.VIEWER)
    page = viewer.get(_URL)
    assert "test-admin" not in page.text
    foreign = next(one for one in own_site.sessions.all() if one.caller.name == "test-admin")
    refused = viewer.post(f"{_URL}/{foreign.id}/end", data={"csrf": csrf_of(page)})
    assert refused.status_code == 404
    assert admin.get(_URL).status_code == 200


def test_signing_out_everywhere_ends_all_sessions_of_the_name(own_site: Site) -> None:
    one, other = own_site.client(Role.EDITOR), own_site.client(Role.EDITOR)
    ended = one.post(f"{_URL}/end-all", data={"csrf": csrf_of(one.get(_URL))})
    assert ended.headers["location"] == "/sign-in"
    for client in (one, other):
        assert client.get(_URL).headers["location"].startswith("/sign-in")
