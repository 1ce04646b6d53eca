"""The command ``crossgate``: its verbs, and what all of them do with bad input."""

from __future__ import annotations

import os
import sys

NOT_FOR_THE_BASE_INSTALL = (
    "crossgate: this needs more than the policy engine and the middleware. "
    "Install the rest: pip install 'crossgate[gateway]'\n"
)


def main() -> None:
    """Run the command line, and end the process with its exit code: 0, 1 for findings, 2 for bad input."""
    try:
        import rich  # noqa: F401
        import typer  # noqa: F401
    except ModuleNotFoundError:
        sys.stderr.write(NOT_FOR_THE_BASE_INSTALL)
        sys.exit(2)
    from crossgate.cli.app import app
    from crossgate.cli.faults import report
    from crossgate.diagnostics import InvalidInput

    try:
        app()
    except InvalidInput as refused:
        report(refused.diagnostics)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever reads has seen enough; the interpreter must not complain about it when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
