"""URLs that a form brings back: only paths of the console are followed."""

from __future__ import annotations

import re
from typing import Final

_LOCAL: Final = re.compile(r"/(?![/\\])[A-Za-z0-9/._~%?&=:+,-]*")


def local_url(value: str, otherwise: str) -> str:
    """The value if it is a path of the console, perhaps with a query."""
    return value if len(value) <= 2000 and _LOCAL.fullmatch(value) else otherwise
