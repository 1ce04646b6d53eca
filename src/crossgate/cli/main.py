"""The way into and out of the command: what is missing is said, and leaving is quiet.

Exit codes: 0 fine, 1 findings or differences, 2 bad use or bad input, 130 interrupted, 141 nobody reads on.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Final, NoReturn

_INTERRUPTED: Final = 130
_BROKEN_PIPE: Final = 141
"""What shells report of processes that SIGINT and SIGPIPE ended."""


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
        # What is still buffered would be flushed, and complained about, when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = _BROKEN_PIPE
    sys.exit(code)


def _run() -> int:
    try:
        from crossgate.cli.app import app
    except ModuleNotFoundError as missing:
        return _say_what_to_install(missing)
    from crossgate.diagnostics import InvalidInput

    try:
        app(prog_name="crossgate")
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # Typer has made a plain 1 of it
            raise end.__context__ from None
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except InvalidInput as invalid:
        from crossgate.cli.output.console import stderr
        from crossgate.cli.output.findings import print_findings

        print_findings(stderr(), invalid.diagnostics)
        return 2
    except ModuleNotFoundError as missing:
        return _say_what_to_install(missing)
    return 0


def _say_what_to_install(missing: ModuleNotFoundError) -> int:
    package = (missing.name or "crossgate").partition(".")[0]
    if package == "crossgate":
        raise missing
    print(
        f"crossgate: the Python package {package} is not installed."
        " The command needs more than the middleware does: pip install 'crossgate[gateway]'",
        file=sys.stderr,
    )
    return 2
