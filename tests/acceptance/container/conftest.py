"""Podman, with the images built."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.acceptance.container.podman import Podman


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    podman = Podman(tmp_path_factory.mktemp("podman"))
    podman.build_images()
    yield podman
    podman("rm", "--all", "--force", "--time", "5")
    podman("rmi", "--all", "--force")
