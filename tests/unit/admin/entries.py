"""Request bodies and common writes."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import httpx

NEW = {"If-None-Match": "*"}
PETS = "/v1/apis/pets/1.0"
SHOP = "/v1/applications/shop"


def api_entry(**more: object) -> dict[str, Any]:
    return {"type": "rest", "native": "http://127.0.0.1:9101", **more}


def policy_entry(*origins: str) -> dict[str, Any]:
    return {"allowed_origins": list(origins), "allowed_methods": ["GET"]}


def shown(answer: httpx.Response) -> dict[str, Any]:
    """The object in the response to a write, without findings."""
    return {name: value for name, value in answer.json().items() if name != "findings"}


def codes(answer: httpx.Response) -> list[str]:
    """The codes of the findings in a response."""
    return [one["code"] for one in answer.json().get("findings", [])]


def create_pets(client: httpx.Client, *origins: str) -> str:
    """Create the API and return its etag."""
    answer = client.put(PETS, json=api_entry(cors=policy_entry(*origins)), headers=NEW)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["ETag"])


def create_shop(client: httpx.Client, *origins: str, apis: tuple[str, ...] = ()) -> str:
    """Create the application and return its etag."""
    body = {"javascript_origins": list(origins), "apis": list(apis)}
    answer = client.put(SHOP, json=body, headers=NEW)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["ETag"])


def pets_and_shop() -> bytes:
    """An export archive with the API pets/1, and the application shop that uses it."""
    native = [{"uri": "http://127.0.0.1:9101"}]
    pets = {"id": "1", "apiName": "pets", "apiVersion": "1", "type": "REST", "nativeEndpoint": native}
    shop = {"id": "2", "name": "shop", "consumingAPIs": ["1"], "jsOrigins": ["https://app.example.com"]}
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("API/API.1/API.1", json.dumps(pets))
        archive.writestr("Application/Application.2/Application.2", json.dumps(shop))
    return packed.getvalue()
