"""Completion in a real bash: what a key press offers, without a call of the command."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from scripts.reference import COMPLETION, completion_table
from tests.command import ENVIRONMENT, crossgate

from crossgate.cli.app import VERBS

_OFFER = """\
source ./script
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
compopt() { echo "compopt $*"; }
_crossgate
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    (folder / "script").write_text(crossgate("completion", "bash").stdout)
    (folder / "gateway.yaml").touch()
    return folder


def offered(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last word."""
    done = subprocess.run(
        ["bash", "--norc", "-c", _OFFER, "bash", "crossgate", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return list(filter(None, done.stdout.splitlines()))


def test_the_committed_table_is_current() -> None:
    assert COMPLETION.read_text() == completion_table(), "run `make reference`"


def test_verbs(folder: Path) -> None:
    assert offered(folder, "") == list(VERBS)
    assert offered(folder, "re") == ["refusals", "revisions"]
    assert offered(folder, "token", "") == ["create", "list", "revoke"]
    assert offered(folder, "--v") == ["--version"]


def test_options_and_their_values(folder: Path) -> None:
    assert offered(folder, "check", "--fo") == ["--format"]
    assert offered(folder, "check", "--format", "") == ["text", "json", "sarif"]
    assert offered(folder, "check", "--format", "=", "s") == ["sarif"]
    assert offered(folder, "check", "--format", "=") == ["text", "json", "sarif"]
    assert offered(folder, "token", "create", "ci", "--role", "a") == ["admin"]
    assert offered(folder, "apply", "a.yaml", "--w") == ["--wait"]
    assert offered(folder, "apply", "--server", "") == []
    assert offered(folder, "completion", "") == ["bash", "zsh", "fish"]


def test_files_and_directories_are_left_to_bash(folder: Path) -> None:
    assert offered(folder, "check", "gate") == ["compopt -o default"]
    assert offered(folder, "run", "--data", "") == ["compopt -o dirnames"]


def test_a_key_press_in_a_terminal(folder: Path) -> None:
    terminal, its_end = pty.openpty()
    with subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "TERM": "dumb",
            "PS1": "$ ",
            "INPUTRC": "/dev/null",
            "HOME": str(folder),
        },
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        start_new_session=True,
    ) as shell:
        os.close(its_end)
        os.write(terminal, b"source ./script\ncrossgate() { printf '<%s>' \"$@\"; }\n")
        os.write(terminal, b"crossgate che\tgate\t--form\tsa\t\nexit\n")
        shown = b""
        while b"<sarif>" not in shown:
            shown += os.read(terminal, 4096)
        shell.wait(60)
    os.close(terminal)
    assert b"<check><gateway.yaml><--format><sarif>" in shown


def test_it_is_printed_without_loading_another_verb() -> None:
    program = (
        "import sys; sys.argv[1:] = ['completion', 'zsh'];"
        "from crossgate.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'httpx', 'fastapi', 'grpc', 'yaml', 'sqlalchemy'}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]\n"
    assert done.stdout.startswith("#compdef crossgate\n")
