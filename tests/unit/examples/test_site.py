"""The server of the example's page."""

from __future__ import annotations

import json

import pytest
from examples.natives.http_message import Request, Response
from examples.site import Site
from tests.native_services import ScriptedNative
from tests.ports import refusing_port

ORIGINS = {"page": "http://127.0.0.1:1", "stranger": "http://127.0.0.1:2"}
JSON = (("Content-Type", "application/json"),)


def wire(site: Site, **changed: object) -> Response:
    body = {"method": "GET", "path": "/headers", "headers": {}, "body": None, **changed}
    return site(Request("POST", "/wire", JSON, json.dumps(body).encode()))


def test_every_file_of_the_page_is_served() -> None:
    site = Site("page", ORIGINS, "http://127.0.0.1:3")
    for path in ("/", "/page.js", "/request.js", "/scenarios.js", "/style.css", "/icon.svg"):
        assert site(Request("GET", path)).status == 200
    assert json.loads(site(Request("GET", "/settings.json")).body)["role"] == "page"


@pytest.mark.parametrize("path", ["/../run.py", "/..%2frun.py", "/page", "//etc/passwd", "/x.js"])
def test_no_other_file_is_served(path: str) -> None:
    assert Site("page", ORIGINS, "http://127.0.0.1:3")(Request("GET", path)).status == 404


def test_the_wire_always_sends_the_origin_of_the_page() -> None:
    with ScriptedNative() as gateway:
        site = Site("stranger", ORIGINS, gateway.url)
        answer = json.loads(wire(site, headers={"test1": "a", "Origin": "http://forged.example"}).body)
        assert answer["status"] == 200
        received = dict(json.loads(answer["body"]))
        assert (received["Origin"], received["test1"]) == ("http://127.0.0.1:2", "a")


def test_the_wire_serves_no_other_page() -> None:
    with ScriptedNative() as gateway:
        site = Site("page", ORIGINS, gateway.url)
        simple = Request("POST", "/wire", (("Content-Type", "text/plain"),), b"{}")
        assert site(simple).status == 415
        assert site(Request("OPTIONS", "/wire")).status == 405
        assert gateway.log.seen() == ()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"method": 1, "path": 2, "headers": 3, "body": 4}'])
def test_the_wire_refuses_invalid_bodies(body: bytes) -> None:
    assert Site("page", ORIGINS, "http://127.0.0.1:3")(Request("POST", "/wire", JSON, body)).status == 400


def test_the_wire_reports_a_gateway_that_is_down() -> None:
    with refusing_port() as port:
        answer = wire(Site("page", ORIGINS, f"http://127.0.0.1:{port}"))
    assert answer.status == 502
    assert b"the gateway does not respond" in answer.body
