"""The application of the page about load balancers builds URLs that lead back through the gateway."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.command import ROOT
from tests.live.edge.requests import FROM_GOOD, GRANTED, POLICY, cors_of, publish
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.raw_http import RawRequest, RawResponse, http1
from werkzeug.serving import make_server

pytestmark = pytest.mark.live

PAGE = ROOT / "docs" / "how-to" / "run-behind-a-load-balancer.md"
PROXY, STRANGER = "127.0.0.2", "127.0.0.1"
CLAIMS = (
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "api.example.com"),
    ("X-Forwarded-Prefix", "/forged"),
)


@pytest.fixture(scope="module")
def port(gateway: LiveGateway) -> Iterator[int]:
    """The port of a gateway with a trusted proxy, in front of the page's application."""
    [source] = re.findall(
        r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    names: dict[str, Any] = {"__name__": "app"}
    exec(compile(source, str(PAGE), "exec"), names)  # noqa: S102 - the page's own example
    server = make_server("127.0.0.1", 0, names["app"], threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made = catalogue_of(gateway.port, [api("pet", server.port, POLICY)])
    publish(gateway, replace(made, gateway=replace(made.gateway, trusted_proxies=(PROXY,))))
    yield gateway.port
    server.shutdown()
    thread.join()


def get(port: int, path: str, source: str, *headers: tuple[str, str]) -> RawResponse:
    with http1(port, source=source) as connection:
        return connection.send(RawRequest("GET", path, (("Host", "gateway.test:8080"), FROM_GOOD, *headers)))


@pytest.mark.parametrize(
    ("source", "headers", "origin"),
    [
        (STRANGER, (), "http://gateway.test:8080"),
        (STRANGER, CLAIMS, "http://gateway.test:8080"),
        (PROXY, (), "http://gateway.test:8080"),
        (PROXY, CLAIMS, "https://api.example.com"),
    ],
    ids=["direct", "direct, forged", "proxy that sends none", "proxy"],
)
def test_a_redirect_leads_back_through_the_gateway(
    port: int, source: str, headers: tuple[tuple[str, str], ...], origin: str
) -> None:
    answer = get(port, "/gateway/pet/1/pets/1", source, *headers)
    [location] = answer.all("location")
    assert (answer.status, location) == (302, f"{origin}/gateway/pet/1/login")
    assert cors_of(answer) == GRANTED
    assert get(port, urlsplit(location).path, source, *headers).status == 200


def test_the_application_sees_the_client_of_a_trusted_proxy(port: int) -> None:
    seen = [get(port, "/gateway/pet/1/login", source, *CLAIMS).text for source in (PROXY, STRANGER)]
    assert seen[0] == "log in from 203.0.113.9"
    assert "203.0.113.9" not in seen[1]
