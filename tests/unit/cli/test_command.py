"""The command itself: wrong usage, missing packages, interruption, closed output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.command import COMMAND, ENVIRONMENT, crossgate

from crossgate import __version__


def test_the_version() -> None:
    done = crossgate("--version")
    assert (done.returncode, done.stdout) == (0, f"crossgate {__version__}\n")


@pytest.mark.parametrize(
    "arguments", [[], ["chekc"], ["check"], ["explain", "a", "b"], ["check", "--colour"]]
)
def test_wrong_usage(arguments: list[str]) -> None:
    done = crossgate(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Usage: " in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run", "--no-envoy", "--xds", "127.0.0.1:" + "9" * 5000], "xds-address"),
        (["run", "--no-envoy", "--admin", "127.0.0.1:" + "9" * 5000], "admin-address"),
        (["run", "--no-envoy", "--listen", "127.0.0.1:" + "9" * 5000], "listen-invalid"),
        (["serve", "--xds", "127.0.0.1:" + "9" * 5000], "xds-address"),
        (["serve", "--admin", "127.0.0.1:" + "9" * 5000], "admin-address"),
        (["serve", "--listen", "127.0.0.1:" + "9" * 5000], "listen-invalid"),
        (["node", "--control-plane", "127.0.0.1:" + "9" * 5000], "xds-address"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value)[:30],
)
def test_an_impossible_port_is_refused(arguments: list[str], code: str) -> None:
    done = crossgate(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "address has an invalid port" in done.stderr
    assert f"[{code}]" in done.stderr


def test_a_store_and_a_file_are_refused_together() -> None:
    for verb in ("run", "serve"):
        done = crossgate(verb, "examples/gateway.yaml", "--data", "data")
        assert done.returncode == 2
        assert "--data cannot be combined with a file" in done.stderr


def test_systemd_passes_the_url_of_the_database_as_a_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "database-url").write_text("mysql://wrong\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    done = crossgate("serve", "--xds", f"unix:{tmp_path}/xds.sock")
    assert done.returncode == 2
    assert "[store-location]" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("missing", ["typer", "rich", "pydantic", "yaml"])
def test_a_missing_package_is_reported(missing: str) -> None:
    program = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv[1:] = ['check', 'examples/gateway.yaml'];"
        "from crossgate.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"crossgate: the Python package {missing} is not installed; this command needs the extra lint:"
        " pip install 'crossgate[lint]'\n"
    )


def test_a_verb_that_opens_a_store_needs_the_extra_gateway() -> None:
    program = (
        "import sys; sys.modules['sqlalchemy'] = None; sys.argv[1:] = ['store', 'backup', 'copy'];"
        "from crossgate.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "pip install 'crossgate[gateway]'" in done.stderr) == (2, True)


def test_a_closed_output() -> None:
    with subprocess.Popen(
        [*COMMAND, "schema"], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 141


@pytest.mark.parametrize(
    ("redirection", "code", "errors"),
    [
        (">/dev/full", 2, "crossgate: the output cannot be written: No space left on device\n"),
        (">/dev/full 2>&1", 2, ""),
        (">&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
    ],
)
def test_an_output_that_takes_nothing(redirection: str, code: int, errors: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *COMMAND, "schema"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", errors)


def test_a_closed_input_is_an_empty_one() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *COMMAND, "check", "-"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "[document-empty]" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def _sigint_is_not_ignored() -> Iterator[None]:
    """A shell ignores SIGINT for what it runs in the background, and the command would inherit that."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.mark.usefixtures("_sigint_is_not_ignored")
def test_interrupted(tmp_path: Path) -> None:
    fifo = tmp_path / "gateway.yaml"
    os.mkfifo(fifo)
    with subprocess.Popen(
        [*COMMAND, "check", fifo], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        with fifo.open("w"):  # returns when the command has opened the other end
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=30)
        assert (process.returncode, output, errors) == (130, b"", b"")


def test_an_output_encoding_without_check_marks(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(
        "apis: [{name: a, version: '1', type: rest, native: http://a.example}]"
    )
    done = subprocess.run(
        [*COMMAND, "explain", tmp_path / "gateway.yaml", "--api", "a/1"],
        env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u2713" in done.stdout
