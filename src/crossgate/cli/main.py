"""The entry point: runs the command, and turns what it raises into messages and exit codes.

Exit codes: 0 success, 1 findings or differences, 2 wrong usage or invalid input, 130 interrupted, 141 broken
pipe.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Final, NoReturn, TextIO

from crossgate.cli.execute_again import ExecuteAgain
from crossgate.diagnostics import InvalidInput

_USAGE: Final = 2
_INTERRUPTED: Final = 130
_BROKEN_PIPE: Final = 141
"""What shells report for processes that SIGINT and SIGPIPE ended."""
_UNWRITABLE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_GATEWAY_VERBS: Final = {"run", "serve", "node", "console", "store", "token"}
"""They serve, or open a store; the extra ``lint`` has what the other verbs need."""


def main() -> NoReturn:
    """Run the command with the process's arguments, and end the process."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BrokenPipeError:
        _drop_output(sys.stdout)
        code = _BROKEN_PIPE
    except OSError as error:
        if error.errno not in _UNWRITABLE or error.filename is not None:
            raise
        code = _report_lost_output(error)
    sys.exit(code)


def _open_closed_streams() -> None:
    """Open the standard streams that the caller has closed; else a file would get their number."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115 - until the process ends
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def _drop_output(stream: TextIO) -> None:
    # The interpreter would flush what is still buffered at its end, and print a traceback.
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _report_lost_output(error: OSError) -> int:
    _drop_output(sys.stdout)
    with suppress(OSError):
        print(f"crossgate: the output cannot be written: {error.strerror}", file=sys.stderr)
    with suppress(OSError):
        sys.stderr.flush()
        return _USAGE
    _drop_output(sys.stderr)
    return _USAGE


def _run() -> int:
    # Imported here, so that a missing package can be reported: the base install has the middleware's only.
    try:
        from crossgate.cli.app import command

        try:
            command()(prog_name="crossgate")
        except InvalidInput as invalid:
            from crossgate.cli.output.findings import print_refusal

            print_refusal(invalid.diagnostics)
            return _USAGE
    except ExecuteAgain as end:
        sys.stdout.flush()
        end.execute()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # Typer exits with 1 after it
            raise end.__context__ from None
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except ModuleNotFoundError as missing:
        return _report_missing_package(missing)
    return 0


def _report_missing_package(missing: ModuleNotFoundError) -> int:
    package = (missing.name or "crossgate").partition(".")[0]
    if package == "crossgate":
        raise missing
    extra = "gateway" if _GATEWAY_VERBS.intersection(sys.argv[1:2]) else "lint"
    print(
        f"crossgate: the Python package {package} is not installed; this command needs the extra {extra}:"
        f" pip install 'crossgate[{extra}]'",
        file=sys.stderr,
    )
    return _USAGE
