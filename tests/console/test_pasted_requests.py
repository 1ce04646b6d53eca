"""Pasted texts over REST: fields for an explanation, joined with the newest refusal of the origin."""

from __future__ import annotations

from tests.console_site import Site
from tests.unit.service.test_request_text import BASH, CHROME


def test_a_command_is_read_and_its_secrets_are_dropped(site: Site) -> None:
    answer = site.api.viewer.post("/v1/explain/parse", json={"text": BASH})
    found = answer.json()
    assert found["api"] == "petstore/1.0"
    assert found["read"] == ["api", "path", "host", "origin", "method", "headers"]
    assert found["request_headers"] == "authorization,content-type,x-trace"
    assert found["refusal"] is None
    assert "SECRET" not in answer.text


def test_what_an_error_message_lacks_is_from_the_newest_refusal(site: Site) -> None:
    found = site.api.viewer.post("/v1/explain/parse", json={"text": CHROME}).json()
    assert found["read"] == ["api", "path", "host", "origin"]
    assert (found["method"], found["request_headers"]) == ("PATCH", "content-type")
    assert found["refusal"]["taken"] == ["method", "headers"]
    assert site.api.viewer.get(f"/v1/refusals/{found['refusal']['group']}").status_code == 200


def test_a_text_that_is_too_long_is_refused(site: Site) -> None:
    long = site.api.viewer.post("/v1/explain/parse", json={"text": "curl SECRET" * 7_000})
    assert long.status_code == 422
    assert "SECRET" not in long.text
    assert site.api.viewer.post("/v1/explain/parse", json={"text": "x" * 300_000}).status_code == 413
