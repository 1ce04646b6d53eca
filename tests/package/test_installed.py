"""The wheel with each extra, installed for each Python of this machine, does what the extra is for."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.package.distributions import Distributions
from tests.package.installation import EXTRAS, NOT_IN, install
from tests.package.pythons import found_pythons

import crossgate


@pytest.mark.parametrize("extra", [*EXTRAS[:-1], pytest.param("gateway", marks=pytest.mark.live)])
@pytest.mark.parametrize("version", sorted(found_pythons()))
def test_an_extra_does_what_it_is_for(
    extra: str, version: str, distributions: Distributions, tmp_path: Path
) -> None:
    installed = install(distributions.wheel, extra, found_pythons()[version], tmp_path / "environment")
    if extra == "base":
        assert installed.packages == {"crossgate", "google-re2"}
    for above in EXTRAS[EXTRAS.index(extra) : -1]:
        assert not installed.packages & NOT_IN.get(above, set())
    assert installed.run(extra, tmp_path) == crossgate.__version__
