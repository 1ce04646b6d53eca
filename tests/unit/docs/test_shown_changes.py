"""The changes that the page about the architecture shows as diffs do what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.source import PACKAGE, ROOT

PAGE = ROOT / "docs" / "explanation" / "architecture.md"
DIFFS = re.findall(r"^```diff\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)

PRINT_PREFLIGHT = """
import asyncio
from crossgate.catalogue.model import Api, ApiType, Catalogue, NativeService
from crossgate.compiler.incremental import Compilation
from crossgate.middleware import CorsMiddleware, build_policy
from crossgate.policy import EffectivePolicy, Request, decide

policy = build_policy(allowed_origins=["https://a.example"], allowed_methods=["GET"], {arguments})
native = NativeService("http", "127.0.0.1", 9101)
api = Api("pets", "1", ApiType.REST, native, ("/gateway/pets/1",), policy)
compilation, _ = Compilation().advance(Catalogue(apis=dict([(api.key, api)])), "ca.pem")
sent = dict([("Origin", "https://a.example"), ("Access-Control-Request-Method", "GET")])
responses = []

async def send(message):
    responses.append(message)

headers = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
scope = dict(type="http", method="OPTIONS", headers=headers)
asyncio.run(CorsMiddleware(None, policy)(scope, None, send))
print("engine", decide(EffectivePolicy.of(policy), Request("OPTIONS", *sent.values())))
print("middleware", responses)
print("envoy", b"".join(resource.body for resource in compilation.resources.values()))
"""


def apply(diff: str, source: Path) -> list[str]:
    """Change the files below ``source``; every hunk has context that occurs once. Returns their paths."""
    paths = []
    for path, hunks in re.findall(
        r"^--- a/.*\n\+\+\+ b/(.*)\n((?:[@ +-].*\n)+?)(?=--- |\Z)", diff, re.MULTILINE
    ):
        file = source / path
        text = file.read_text(encoding="utf-8")
        for hunk in re.split(r"^@@.*\n", hunks, flags=re.MULTILINE)[1:]:
            lines = hunk.splitlines(keepends=True)
            before, after = ("".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +"))
            assert text.count(before) == 1, f"{path}:\n{before}"
            text = text.replace(before, after)
        file.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


@pytest.mark.parametrize(
    ("number", "most_files", "arguments", "without"),
    [(0, 2, "", None), (1, 3, "private_network=True", "private_network=False")],
)
def test_header_of_allowed_preflights(
    number: int, most_files: int, arguments: str, without: str | None, tmp_path: Path
) -> None:
    shutil.copytree(PACKAGE, tmp_path / "src" / "crossgate", ignore=shutil.ignore_patterns("__pycache__"))
    assert len(apply(DIFFS[number], tmp_path)) <= most_files
    assert _with_header(tmp_path, arguments) == ["engine", "middleware", "envoy"]
    if without is not None:
        assert _with_header(tmp_path, without) == []


def _with_header(source: Path, arguments: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", PRINT_PREFLIGHT.format(arguments=arguments)],
        env={"PYTHONPATH": os.pathsep.join([str(source / "src"), *sys.path])},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [line.split()[0] for line in ran.stdout.splitlines() if _HEADER.search(line)]


_HEADER = re.compile("access-control-allow-private-network", re.IGNORECASE)
