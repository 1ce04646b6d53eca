"""The wheel and the source distribution: what is in them, and what a package index makes of them."""

from __future__ import annotations

import re
import subprocess
import sys
from email.message import Message
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest
import trove_classifiers
from packaging.metadata import Metadata
from readme_renderer.markdown import render
from tests.package.distributions import ROOT, Distributions, build
from tests.package.pythons import SUPPORTED

import crossgate


@pytest.fixture(scope="module")
def files(distributions: Distributions) -> dict[str, bytes]:
    with ZipFile(distributions.wheel) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


@pytest.fixture(scope="module")
def metadata(files: dict[str, bytes]) -> Message:
    return Parser().parsestr(_metadata_file(files).decode())


def _metadata_file(files: dict[str, bytes]) -> bytes:
    return files[f"crossgate-{crossgate.__version__}.dist-info/METADATA"]


def _tracked(folder: str) -> set[str]:
    """The files of a folder that Git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}


def test_the_wheel_has_the_package_and_nothing_else(files: dict[str, bytes]) -> None:
    package = {name for name in files if ".dist-info/" not in name}
    assert package == {name.removeprefix("src/") for name in _tracked("src")}
    for needed in ("py.typed", "console/templates/frame.html", "console/static/logo.svg"):
        assert f"crossgate/{needed}" in package
    assert [name for name in package if "/store/migrations/versions/" in name]


def test_the_source_distribution_has_every_file(distributions: Distributions) -> None:
    unpacked = distributions.unpacked
    packed = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    expected = {name for name in _tracked(".") if not name.startswith(".ci/")}
    assert packed == expected | {"PKG-INFO"}


def test_the_wheel_is_the_same_from_either_source(distributions: Distributions, tmp_path: Path) -> None:
    assert build("wheel", ROOT, tmp_path).read_bytes() == distributions.wheel.read_bytes()


def test_tests_run_from_the_source_distribution(distributions: Distributions) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/net"]
    ran = subprocess.run(command, cwd=distributions.unpacked, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_metadata_is_valid(files: dict[str, bytes]) -> None:
    metadata = Metadata.from_email(_metadata_file(files), validate=True)
    assert str(metadata.version) == crossgate.__version__
    assert metadata.license_expression == "Apache-2.0 AND 0BSD"
    classifiers = metadata.classifiers or []
    assert set(classifiers) <= set(trove_classifiers.classifiers)
    versions = {one.rpartition(" :: ")[2] for one in classifiers if re.search(r"Python :: 3\.\d+$", one)}
    assert versions == set(SUPPORTED)


def test_the_licences_are_in_the_wheel(files: dict[str, bytes], metadata: Message) -> None:
    named = metadata.get_all("License-File", [])
    assert "LICENSE" in named
    for name in named:
        path = f"crossgate-{crossgate.__version__}.dist-info/licenses/{name}"
        assert files[path] == (ROOT / name).read_bytes()
    vendored = {
        path.name.partition("-2.")[0] for path in (ROOT / "src/crossgate/console/static/vendor").glob("*.js")
    }
    assert {Path(name).stem.removeprefix("LICENSE-") for name in named} - {"LICENSE"} == vendored


def test_the_readme_renders_on_a_package_index(metadata: Message) -> None:
    assert metadata["Description-Content-Type"] == "text/markdown"
    readme = metadata.get_payload()
    assert isinstance(readme, str)
    page = render(readme)
    assert page is not None
    assert "<h2" in page
    links = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert [link for link in links if not re.match(r"https?://|#", link)] == []
    assert not re.search(r"\]\(|<table", page)


def test_the_changelog_begins_with_the_version() -> None:
    sections = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    newest = next(section for section in sections if section != "Unreleased")
    assert re.fullmatch(rf"{re.escape(crossgate.__version__)} \(\d{{4}}-\d\d-\d\d\)", newest)


def test_the_container_files_name_the_version() -> None:
    folder = ROOT / "deploy" / "container"
    text = (folder / "Containerfile").read_text(encoding="utf-8") + (folder / "compose.yaml").read_text(
        encoding="utf-8"
    )
    assert set(re.findall(r"(?:crossgate:|VERSION=)(\d[\w.]+)", text)) == {crossgate.__version__}
