"""The options, environment variables, files and modules that a page names exist."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.source import PACKAGE, ROOT

from crossgate import __version__

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
OPTIONS = set(_OPTION.findall((ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")))
OTHER_PROGRAMS = {
    "--add-host": "podman",
    "--bind": "http.server",
    "--body-file": "gh",
    "--build-arg": "podman",
    "--cacert": "curl",
    "--cap-drop": "podman",
    "--clean": "pg_restore",
    "--config-yaml": "envoy",
    "--create-if-none": "gh",
    "--data-binary": "curl",
    "--data-urlencode": "curl",
    "--dbname": "pg_restore",
    "--deploy-hook": "certbot",
    "--detach": "podman",
    "--domains": "lego",
    "--edit-last": "gh",
    "--email": "lego",
    "--file": "pg_dump",
    "--format": "pg_dump",
    "--fullchain-file": "acme.sh",
    "--http": "lego",
    "--if-exists": "pg_restore",
    "--ignore-unknown-dynamic-fields": "envoy",
    "--install-cert": "acme.sh",
    "--key-file": "acme.sh",
    "--memory": "podman",
    "--mysite": "a part of an origin",
    "--name": "podman",
    "--no-binary": "pip",
    "--no-deps": "pip",
    "--no-owner": "pg_dump",
    "--nostatic": "Django",
    "--now": "systemctl",
    "--path": "lego",
    "--publish": "podman",
    "--read-only": "podman",
    "--renew-hook": "lego",
    "--require-hashes": "pip",
    "--security-opt": "podman",
    "--single-transaction": "pg_restore",
    "--stop-timeout": "podman",
    "--system": "groupadd",
    "--tmpfs": "podman",
    "--unix-socket": "curl",
    "--upgrade": "pip",
    "--version": "envoy",
    "--volume": "podman",
    "--webroot": "certbot",
}
_SPAN = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"(?:[\w-]+/)+[\w.-]*\.py|(?:src|tests|bench|scripts)/[\w./-]+")
_MODULE = re.compile(r"crossgate(?:\.(?![EW]\d)\w+)+")  # not the codes of Django's checks
_NOT_MODULES = frozenset({"crossgate.delivery"})
"""The key of the metadata of scoped routes."""


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_options_exist(page: Path) -> None:
    named = set(_OPTION.findall(page.read_text(encoding="utf-8")))
    assert named - OPTIONS - OTHER_PROGRAMS.keys() == set()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_environment_variables_exist(page: Path) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert [name for name in _found(page, r"\bCROSSGATE_[A-Z_]+") if f'"{name}"' not in source] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_files_and_modules_exist(page: Path) -> None:
    named = [span.removeprefix("crossgate/") for span in _SPAN.findall(page.read_text(encoding="utf-8"))]
    files = [path for path in named if _FILE.fullmatch(path)]
    assert [path for path in files if not any((base / path).exists() for base in (ROOT, PACKAGE))] == []
    modules = {span for span in named if _MODULE.fullmatch(span)} - _NOT_MODULES
    assert [module for module in modules if find_spec(module) is None] == []


def _found(page: Path, pattern: str) -> set[str]:
    return set(re.findall(pattern, page.read_text(encoding="utf-8")))


def test_each_decision_has_a_number_of_its_own() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    titles = [page.read_text(encoding="utf-8").partition(":")[0] for page in pages]
    assert titles == [f"# {page.name[:3]}" for page in pages]
    assert len(set(titles)) == len(titles)


_RELEASE = re.compile(r"crossgate(?:\[\w+\])?(?::|==|-)(\d+\.\d+\.\d+)|ARG VERSION=(\S+)")


def test_every_release_that_a_user_installs_is_this_one() -> None:
    files = [*PAGES, *(ROOT / "deploy" / "container").glob("[!.]*")]
    texts = [(file.name, file.read_text(encoding="utf-8")) for file in files if file.is_file()]
    named = [(name, found[1] or found[2]) for name, text in texts for found in _RELEASE.finditer(text)]
    assert {version for _, version in named} == {__version__}, named
