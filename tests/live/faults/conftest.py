"""Fixtures: a native service that answers with the path of the request, and a document in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.natives.http_message import Answer, Request, Response
from examples.natives.service import Service
from tests.live.faults.document import Document
from tests.ports import free_ports


def _path(request: Request) -> Answer:
    return Response(200, (), request.path.encode())


@pytest.fixture(scope="session")
def native() -> Iterator[Service]:
    with Service("path", _path) as service:
        yield service


@pytest.fixture
def document(native: Service) -> Document:
    return Document(free_ports(1)[0], native.port)


@pytest.fixture
def file(tmp_path: Path, document: Document) -> Path:
    """The document's first version, on disk."""
    made = tmp_path / "gateway.yaml"
    made.write_text(document.at(1), encoding="utf-8")
    return made
