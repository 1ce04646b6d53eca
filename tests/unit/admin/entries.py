"""Bodies of requests, and the commonest writes."""

from __future__ import annotations

from typing import Any

import httpx

NEW = {"If-None-Match": "*"}
PETS = "/v1/apis/pets/1.0"
SHOP = "/v1/applications/shop"


def api_entry(**more: object) -> dict[str, Any]:
    return {"type": "rest", "native": "http://127.0.0.1:9101", **more}


def policy_entry(*origins: str) -> dict[str, Any]:
    return {"allowed_origins": list(origins), "allowed_methods": ["GET"]}


def shown(answer: httpx.Response) -> dict[str, Any]:
    """The object of an answer to a write, without what the linter says of it."""
    return {name: value for name, value in answer.json().items() if name != "findings"}


def codes(answer: httpx.Response) -> list[str]:
    """The findings of an answer."""
    return [one["code"] for one in answer.json().get("findings", [])]


def create_pets(client: httpx.Client, *origins: str) -> str:
    """The tag of the new API."""
    answer = client.put(PETS, json=api_entry(cors=policy_entry(*origins)), headers=NEW)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["ETag"])


def create_shop(client: httpx.Client, *origins: str, apis: tuple[str, ...] = ()) -> str:
    """The tag of the new application."""
    body = {"javascript_origins": list(origins), "apis": list(apis)}
    answer = client.put(SHOP, json=body, headers=NEW)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["ETag"])
