"""A document whose version shows in each response of the gateway."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.raw_http import RawRequest, RawResponse

ORIGIN = "https://app.example"
PATH = "/gateway/pets/1"
PREFLIGHT = RawRequest(
    "OPTIONS",
    PATH,
    (
        ("Origin", ORIGIN),
        ("Access-Control-Request-Method", "PUT"),
        ("Access-Control-Request-Headers", "x-always"),
    ),
)
SIMPLE = RawRequest("GET", PATH, (("Origin", ORIGIN),))


@dataclass(frozen=True, slots=True)
class Document:
    """A gateway on ``port`` with the API ``pets/1`` in front of ``native_port``, and ``others`` beside it."""

    port: int
    native_port: int
    others: int = 0

    def at(self, version: int, *, endpoints: tuple[str, ...] = (), **gateway: str) -> str:
        """The document as a string; the version shows in five places of a response.

        ``endpoints`` are served by an API beside the others.
        """
        apis = [self._api("pets", f"/v{version}", _policy(version))]
        apis += [self._api(f"other-{number}", "", _policy(0)) for number in range(self.others)]
        if endpoints:
            apis.append({**self._api("beside", "/v0", _policy(0)), "endpoints": endpoints})
        # JSON is YAML.
        listen = f"127.0.0.1:{self.port}"
        return json.dumps({"gateway": {"listen": listen, **gateway}, "apis": apis}, indent=1)

    def _api(self, name: str, base: str, cors: Mapping[str, object]) -> dict[str, object]:
        native = f"http://127.0.0.1:{self.native_port}{base}"
        return {"name": name, "version": "1", "type": "rest", "native": native, "cors": cors}


def _policy(version: int) -> Mapping[str, object]:
    return {
        "allowed_origins": [ORIGIN, f"https://v{version}.example"],
        "allowed_methods": ["PUT", f"V{version}"],
        "allow_headers": ["x-always", f"x-v{version}"],
        "expose_headers": [f"x-v{version}", f"x-also-v{version}"],
        "max_age": version,
    }


def save(file: Path, text: str) -> None:
    """Replace ``file`` atomically, as careful editors do."""
    beside = file.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)


def version_of(answer: RawResponse) -> int:
    """The version that every part of the response comes from.

    Raises AssertionError for an error response, or one that mixes two versions.
    """
    assert answer.status == 200, (answer.status, answer.text)
    tags = re.compile(r"(?i)\bv([0-9]+)\b")
    values = [value for name, value in answer.headers if name.lower().startswith("access-control-")]
    found = {int(tag) for text in (*values, answer.text) for tag in tags.findall(text)}
    found |= {int(value) for value in answer.all("access-control-max-age")}
    assert answer.all("access-control-allow-origin") == [ORIGIN], answer.headers
    assert len(found) == 1, answer
    return found.pop()
