"""What callers with a limit see of an ordered list of groups, kept for as long as the list is the same.

Of 10,000 groups, to ask for each whether the caller may see it takes 10 ms, for each list and each count.
"""

from __future__ import annotations

from threading import Lock
from typing import Final

from crossgate.service.permission import Permission
from crossgate.service.refusal_index import Ordered
from crossgate.service.refusal_query import RefusalOrder, can_see

_MOST_LISTS: Final = 30


class VisibleRefusals:
    """The visible parts of the lists of a :class:`RefusalIndex`. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[tuple[RefusalOrder, tuple[str, ...]], tuple[Ordered, Ordered]] = {}

    def of(self, ordered: Ordered, order: RefusalOrder, permission: Permission) -> Ordered:
        """The groups that the caller can see, in the same order; do not change the list."""
        key = order, permission.apis
        with self._lock:
            known = self._known.get(key)
        if known is not None and known[0] is ordered:
            return known[1]
        apis = {one.group.key.api for _, one in ordered}
        visible = {api for api in apis if can_see(permission, api)}
        found = [one for one in ordered if one[1].group.key.api in visible]
        with self._lock:
            if len(self._known) >= _MOST_LISTS:
                self._known.clear()
            self._known[key] = ordered, found
        return found
