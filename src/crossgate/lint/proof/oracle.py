r"""Asks RE2 which characters a single token stands for.

The meaning of ``.``, ``\w``, ``[[:alpha:]]``, ``\pL``, case folding and the like is never written down
here: a second opinion on it would be a second dialect, and its first difference a false proof.
"""

from __future__ import annotations

from functools import lru_cache

import re2

from crossgate.lint.proof.alphabet import ASCII


@lru_cache(maxsize=4096)
def ask(token: str, *, fold_case: bool, dot_all: bool) -> int:
    """The ASCII characters that the token matches under the given flags; RE2 must accept the token."""
    flags = ("i" if fold_case else "") + ("s" if dot_all else "")
    options = re2.Options()
    options.log_errors = False
    runs = re2.compile(f"(?{flags}:(?:{token})+)".encode(), options=options)
    chars = 0
    for run in runs.finditer(ASCII.encode()):
        start, end = run.span()
        chars |= (1 << end) - (1 << start)
    return chars
