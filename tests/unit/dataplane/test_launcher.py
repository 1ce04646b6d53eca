"""The launcher as a program, with programs other than Envoy."""

import os
import resource
import subprocess
import sys

from crossgate.dataplane import launcher


def launch(parent: int, *argv: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-I", "-S", launcher.__file__, str(parent), *argv],
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )


def test_it_becomes_the_program() -> None:
    ended = launch(os.getpid(), "/bin/sh", "-c", "echo $1; exit 3", "sh", "an argument")

    assert (ended.returncode, ended.stdout) == (3, "an argument\n")


def test_nothing_starts_when_the_parent_has_ended() -> None:
    ended = launch(2**22 + 1, "/bin/sh", "-c", "echo started")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "ended before Envoy started" in ended.stderr


def test_a_program_that_cannot_be_started_is_named() -> None:
    ended = launch(os.getpid(), "/nowhere/envoy")

    assert ended.returncode == 1
    assert ended.stderr == "/nowhere/envoy can't be started: No such file or directory\n"


def test_the_program_gains_no_privileges() -> None:
    ended = launch(os.getpid(), "/bin/grep", "NoNewPrivs", "/proc/self/status")

    assert ended.stdout.split() == ["NoNewPrivs:", "1"]


def test_the_program_may_open_as_many_files_as_the_system_grants() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Lowered in between, not here: tests before this one may have more files open than that.
    lowered = ("/bin/sh", "-c", 'ulimit -S -n 64; exec "$@"', "sh")
    ended = launch(os.getpid(), "/bin/sh", "-c", "ulimit -S -n", before=lowered)

    assert ended.stdout.strip() == ("unlimited" if hard == resource.RLIM_INFINITY else str(hard))
