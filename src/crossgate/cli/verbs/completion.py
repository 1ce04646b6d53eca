"""``crossgate completion SHELL``: a script that completes verbs, options and their values."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated, Final

import typer

from crossgate.cli.completion_scripts import bash_script, fish_script, zsh_script
from crossgate.cli.completion_table import read_completion_table


class Shell(StrEnum):
    """A shell that can complete commands."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


_SCRIPTS: Final = {Shell.BASH: bash_script, Shell.ZSH: zsh_script, Shell.FISH: fish_script}


def completion(shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="The shell.")]) -> None:
    """Print a script for a shell, which completes verbs, options, their values and files.

    The script knows all verbs: while it completes, this command is not called. Print it again after an
    upgrade.
    """
    verbs = read_completion_table()
    sys.stdout.write(_SCRIPTS[shell](verbs))
