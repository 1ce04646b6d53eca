"""Sends one request to a gateway, and reads parts of its response."""

from __future__ import annotations

import itertools
import json

from tests.live.in_process_gateway import LiveGateway
from tests.raw_http import RawRequest, RawResponse, http1

from crossgate.catalogue.model import Catalogue
from crossgate.policy import build_policy

GOOD = "https://app.example.com"
FOREIGN = "https://evil.example"
FROM_GOOD = ("Origin", GOOD)
FROM_FOREIGN = ("Origin", FOREIGN)
POLICY = build_policy(
    allowed_origins=[GOOD],
    allowed_methods=["GET", "POST"],
    expose_headers=["X-Out"],
    allow_credentials=True,
)
GRANTED = {
    "access-control-allow-origin": GOOD,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "X-Out",
}
_numbers = itertools.count()


def new_marker() -> str:
    """A string that no other request contains."""
    return f"marker-{next(_numbers)}"


def publish(gateway: LiveGateway, catalogue: Catalogue) -> None:
    """Return when the gateway enforces the catalogue."""
    rollout = gateway.publish(catalogue)
    assert rollout.applied, rollout.rejections


def send(gateway: LiveGateway, target: str, *headers: tuple[str, str], method: str = "GET") -> RawResponse:
    """Send one request on a new connection, and return the response."""
    with http1(gateway.port) as connection:
        return connection.send(RawRequest(method, target, headers))


def cors_of(answer: RawResponse) -> dict[str, str]:
    """Its ``Access-Control-*`` headers, names in lower case."""
    return {
        name.lower(): value for name, value in answer.headers if name.lower().startswith("access-control-")
    }


def vary_of(answer: RawResponse) -> list[str]:
    """The names in its ``Vary`` lines, in lower case."""
    return [name.strip().lower() for line in answer.all("vary") for name in line.split(",")]


def received(answer: RawResponse) -> dict[str, list[str]]:
    """The header lines that ``ScriptedNative`` received, from its ``/headers``."""
    found: dict[str, list[str]] = {}
    for name, value in json.loads(answer.body):
        found.setdefault(name.lower(), []).append(value)
    return found
