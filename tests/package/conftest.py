"""The distributions, built once for each process of the run."""

from __future__ import annotations

import pytest
from tests.package.distributions import Distributions, build_distributions


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    return build_distributions(tmp_path_factory.mktemp("dist"))
