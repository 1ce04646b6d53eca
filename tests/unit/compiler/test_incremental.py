"""A catalogue compiles to the same resources after any history and in any process."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from tests.catalogues import POLICY, catalogue
from tests.catalogues import api_with_policy as api
from tests.unit.compiler.histories import histories

from crossgate.catalogue.model import Application, Catalogue
from crossgate.compiler.incremental import Compilation
from crossgate.compiler.resource import Resource, ResourceKey

SYSTEM_CA = "/etc/ssl/certs/ca-certificates.crt"
ROOT = Path(__file__).parents[3]


def fresh(declared: Catalogue) -> dict[ResourceKey, Resource]:
    return dict(Compilation().advance(declared, SYSTEM_CA)[0].resources)


@settings(deadline=None, max_examples=60)
@given(histories())
def test_a_history_gives_the_same_resources_as_its_last_catalogue(history: list[Catalogue]) -> None:
    compilation = Compilation()
    for declared in history:
        before = compilation.resources
        compilation, changes = compilation.advance(declared, SYSTEM_CA)
        after = {key: one for key, one in (dict(before) | dict(changes)).items() if one is not None}
        assert compilation.resources == after == fresh(declared)
        idle = [key for key, one in changes.items() if before.get(key) == one]
        assert not idle, "a change without a difference"


@settings(deadline=None, max_examples=30)
@given(histories())
def test_the_same_catalogue_again_changes_nothing(history: list[Catalogue]) -> None:
    compilation = Compilation()
    for declared in history:
        compilation, _ = compilation.advance(declared, SYSTEM_CA)
        assert compilation.advance(declared, SYSTEM_CA)[1] == {}


def sample() -> Catalogue:
    """A catalogue with many collections whose order could depend on hashes."""
    origins = tuple(f"https://{number}.example.com" for number in range(50))
    apis = [
        api(f"pets{number}", cors=POLICY, endpoints=(f"/shop/{number}", f"/gateway/pets{number}/1"))
        for number in range(20)
    ]
    applications = [
        Application(f"app{number}", origins[number:], tuple(one.key for one in apis[number:]))
        for number in range(10)
    ]
    return catalogue(apis, applications)


def test_the_bytes_do_not_depend_on_the_process() -> None:
    program = (
        "from tests.unit.compiler.test_incremental import fresh, sample\n"
        "print(sorted((*key, one.version) for key, one in fresh(sample()).items()))"
    )

    def versions(seed: str) -> str:
        path = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", program]
        return subprocess.run(
            command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout

    assert versions("1") == versions("2")


def test_the_order_of_declaration_does_not_matter() -> None:
    declared = sample()
    backwards = replace(
        declared,
        apis=dict(reversed(list(declared.apis.items()))),
        applications=dict(reversed(list(declared.applications.items()))),
    )
    assert fresh(declared) == fresh(backwards)
