"""The entry point: runs the command, and turns what it raises into messages and exit codes.

Exit codes: 0 success, 1 findings or differences, 2 wrong usage or invalid input, 130 interrupted, 141 broken
pipe.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Final, NoReturn

from crossgate.cli.execute_again import ExecuteAgain
from crossgate.diagnostics import InvalidInput

_INTERRUPTED: Final = 130
_BROKEN_PIPE: Final = 141
"""What shells report for processes that SIGINT and SIGPIPE ended."""
_GATEWAY_VERBS: Final = {"run", "serve", "node", "console", "store", "token"}
"""They serve, or open a store; the extra ``lint`` has what the other verbs need."""


def main() -> NoReturn:
    """Run the command with the process's arguments, and end the process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BrokenPipeError:
        # The interpreter would flush what is still buffered at its end, and print a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = _BROKEN_PIPE
    sys.exit(code)


def _run() -> int:
    # Imported here, so that a missing package can be reported: the base install has the middleware's only.
    try:
        from crossgate.cli.app import command

        try:
            command()(prog_name="crossgate")
        except InvalidInput as invalid:
            from crossgate.cli.output.findings import print_refusal

            print_refusal(invalid.diagnostics)
            return 2
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
    return 2
