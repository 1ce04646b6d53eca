"""One seeded console for a module's tests that only read, and one for each test that writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.console_site import Site, running_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A console to read."""
    with running_site(tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    """A console to write."""
    with running_site(tmp_path) as running:
        yield running
