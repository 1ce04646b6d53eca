"""Tokens in the console: create, show once, revoke by typing the name."""

from __future__ import annotations

import re

from tests.admin_api import client_of
from tests.console.test_settings import csrf_of
from tests.console_site import Site

from crossgate.service.permission import Role


def test_a_new_secret_is_shown_once_and_works(own_site: Site) -> None:
    client = own_site.client()
    csrf = csrf_of(client.get("/settings/tokens"))
    filled = {"csrf": csrf, "name": "ci", "role": "editor", "days": "30", "apis": "petstore, team-*"}
    created = client.post("/settings/tokens", data=filled)
    secret = re.search(r"cgt_[A-Za-z0-9_-]{40,}", created.text)
    assert secret is not None
    assert created.headers["cache-control"] == "no-store"
    with client_of(own_site.url, secret[0]) as program:
        assert program.get("/v1/status").json()["caller"]["apis"] == ["petstore", "team-*"]
    again = client.get("/settings/tokens").text
    assert secret[0] not in again
    assert "<b>ci</b>" in again


def test_what_is_wrong_with_a_token_stands_at_its_form(site: Site) -> None:
    client = site.client()
    csrf = csrf_of(client.get("/settings/tokens"))
    filled = {"csrf": csrf, "name": "with space", "role": "admin", "apis": "petstore"}
    refused = client.post("/settings/tokens", data=filled)
    assert refused.status_code == 422
    assert 'value="with space"' in refused.text
    assert "finding" in refused.text


def test_a_token_is_revoked_by_typing_its_name(own_site: Site) -> None:
    client = own_site.client()
    own_site.api.tokens.create("old", Role.VIEWER)
    url = "/settings/tokens/old/revoke"
    csrf = csrf_of(client.get(url))
    refused = client.post(url, data={"csrf": csrf, "typed": "other"})
    assert refused.status_code == 422
    assert "This is not the name" in refused.text
    assert client.post(url, data={"csrf": csrf, "typed": "old"}).status_code == 303
    assert "Revoked <b>old</b>" in client.get("/settings/tokens?revoked=old").text
    assert client.get(url).status_code == 404


def test_only_an_admin_sees_tokens(site: Site) -> None:
    assert site.client(Role.EDITOR).get("/settings/tokens").status_code == 403
