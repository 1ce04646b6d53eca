"""Request headers by which the gateway talks to itself: clients cannot set them, natives never see them."""

from __future__ import annotations

from typing import Final

PATH_HEADER: Final = "x-crossgate-path"
KEY_HEADER: Final = "x-crossgate-key"
"""By these two an API is looked up; overwritten on every request just before."""

JUDGED_HEADER: Final = "x-crossgate-judged"
"""Set, to :data:`JUDGED`, on what server-level CORS let pass."""
JUDGED: Final = "yes"

PRIVATE_HEADERS: Final = (PATH_HEADER, KEY_HEADER, JUDGED_HEADER)
