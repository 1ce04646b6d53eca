"""The routes of sessions, sign-in links and the caller."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.admin_api import AdminApi, running_admin_api

from crossgate.service.sessions import Sessions
from crossgate.service.tokens import Token, Tokens
from crossgate.store import Store


@pytest.fixture
def sessions(store: Store) -> Sessions:
    return Sessions(store.sessions, Tokens(store.tokens))


@pytest.fixture
def api(store: Store, sessions: Sessions) -> Iterator[AdminApi]:
    with running_admin_api(store.catalogue, store.tokens, sessions=sessions) as running:
        yield running


def token(api: AdminApi, name: str) -> Token:
    return next(one for one in api.tokens.all() if one.name == name)


def names(found: object) -> list[str]:
    assert isinstance(found, dict)
    return [one["name"] for one in found["items"]]


def test_me_is_the_caller(api: AdminApi) -> None:
    found = api.viewer.get("/v1/me").json()
    assert (found["name"], found["role"], found["apis"], found["expires"]) == (
        "test-viewer",
        "viewer",
        [],
        None,
    )


def test_callers_see_and_end_their_own_sessions(api: AdminApi, sessions: Sessions) -> None:
    own, _ = sessions.open(token(api, "test-viewer"), user_agent="Fire\x1bfox\u202e")
    other, foreign = sessions.open(token(api, "test-editor"))
    listed = api.viewer.get("/v1/sessions")
    assert names(listed.json()) == ["test-viewer"]
    assert listed.json()["items"][0]["user_agent"] == "Fire\x1bfox\u202e"
    assert listed.text.isascii()
    assert names(api.admin.get("/v1/sessions").json()) == ["test-viewer", "test-editor"]
    assert own not in listed.text
    assert api.viewer.delete(f"/v1/sessions/{foreign.id}").status_code == 404
    assert api.viewer.delete("/v1/sessions/x").status_code == 422
    assert api.viewer.delete(f"/v1/sessions/{listed.json()['items'][0]['id']}").status_code == 200
    assert (sessions.holds(own), sessions.holds(other)) == (False, True)
    assert api.admin.delete(f"/v1/sessions/{foreign.id}").status_code == 200
    assert not sessions.holds(other)


def test_sign_out_everywhere(api: AdminApi, sessions: Sessions) -> None:
    for name in ("test-viewer", "test-viewer", "test-editor"):
        sessions.open(token(api, name))
    refused = api.viewer.delete("/v1/sessions", params={"everyone": "true"})
    assert (refused.status_code, refused.json()["diagnostics"][0]["code"]) == (403, "role-insufficient")
    assert api.viewer.delete("/v1/sessions").json() == {"ended": 2}
    assert api.admin.delete("/v1/sessions").json() == {"ended": 0}
    assert api.admin.delete("/v1/sessions", params={"everyone": "true"}).json() == {"ended": 1}


def test_a_token_makes_a_link_to_its_own_session(api: AdminApi, sessions: Sessions) -> None:
    created = api.viewer.post("/v1/sign-in-links")
    assert created.status_code == 201
    opened = sessions.open_by_link(created.json()["secret"])
    assert opened is not None
    assert opened[1].caller.name == "test-viewer"


def test_a_revoked_token_ends_its_sessions(api: AdminApi, sessions: Sessions) -> None:
    secret, _ = sessions.open(token(api, "test-viewer"))
    api.admin.delete("/v1/tokens/test-viewer")
    assert not sessions.holds(secret)
    assert names(api.admin.get("/v1/sessions").json()) == []
