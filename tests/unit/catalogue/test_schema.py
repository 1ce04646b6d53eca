"""The JSON Schema accepts every valid document and rejects wrong shapes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from crossgate.catalogue.document import read_document
from crossgate.catalogue.schema import document_schema

VALIDATOR = Draft202012Validator(document_schema())
ROOT = Path(__file__).parents[3]
API = {"name": "a", "version": "1", "type": "rest", "native": "http://a.example"}


def test_the_schema_is_valid() -> None:
    Draft202012Validator.check_schema(document_schema())


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("**/*.yaml")), ids=lambda path: path.name)
def test_every_example_is_valid(path: Path) -> None:
    assert not list(VALIDATOR.iter_errors(yaml.safe_load(path.read_text())))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"gateway": {"listen": "[::1]:80", "tls": {"certificate": "a", "key": "b"}, "native_ca": None}},
        {
            "apis": [
                {**API, "native_timeout": 0.5, "websocket_idle_timeout": 0, "endpoints": ["/a/b"], "cors": {}}
            ]
        },
        {"apis": [{**API, "cors": {"allowed_origins": ["*", "null", {"regex": "x"}], "max_age": None}}]},
        {"apis": [{**API, "cors": {"plain_options": "forward", "mode": "observe", "max_age": 0}}]},
        {"apis": [API], "applications": [{"name": "Shop 1", "apis": ["a/1"], "suspended": True}]},
        {"settings": {"watt.server.cors.enabled": "false", "watt.server.cors.maxAge": 7}},
        {"settings": {"watt.server.cors.allowedOrigins": ["http://a.example"]}},
    ],
)
def test_the_schema_accepts_what_the_reader_accepts(document: object) -> None:
    assert not list(VALIDATOR.iter_errors(document))
    assert not read_document(yaml.safe_dump(document)).diagnostics


@pytest.mark.parametrize(
    "document",
    [
        [],
        None,
        {"api": []},
        {"gateway": {"port": 80}},
        {"gateway": {"listen": 8080}},
        {"gateway": {"tls": {"certificate": "a"}}},
        {"gateway": {"public_origins": ["https://a.example/"]}},
        {"settings": {"watt.server.cors.enable": True}},
        {"settings": {"watt.server.cors.enabled": "maybe"}},
        {"settings": []},
        {"apis": {}},
        {"apis": ["a"]},
        {"apis": [{"name": "a"}]},
        {"apis": [{**API, "version": 1.0}]},
        {"apis": [{**API, "name": "a/b"}]},
        {"apis": [{**API, "type": "grpc"}]},
        {"apis": [{**API, "native_timeout": 0.0001}]},
        {"apis": [{**API, "endpoints": ["a"]}]},
        {"apis": [{**API, "cors": None}]},
        {"apis": [{**API, "cors": {"methods": []}}]},
        {"apis": [{**API, "cors": {"allowed_methods": ["GET POST"]}}]},
        {"apis": [{**API, "cors": {"allowed_origins": [{"regexp": "x"}]}}]},
        {"apis": [{**API, "cors": {"allowed_origins": [None]}}]},
        {"apis": [{**API, "cors": {"max_age": -1}}]},
        {"apis": [{**API, "cors": {"max_age": "1"}}]},
        {"apis": [{**API, "cors": {"mode": "off"}}]},
        {"applications": [{}]},
        {"applications": [{"name": "a", "suspended": "no"}]},
        {"applications": [{"name": "a", "javascript_origins": ["https://*.example"]}]},
    ],
)
def test_the_schema_rejects_wrong_shapes_like_the_reader(document: object) -> None:
    assert list(VALIDATOR.iter_errors(document))
    assert read_document(yaml.safe_dump(document)).diagnostics
