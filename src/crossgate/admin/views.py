"""What each caller can see of the head, kept until the head changes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from crossgate.admin.paging import SortedKeys
from crossgate.catalogue.effective import Associations
from crossgate.catalogue.model import Catalogue
from crossgate.service.permission import Permission, visible

_MAX_VIEWS: Final = 32
"""A view of 5,000 APIs takes some 10 ms to make, and half a megabyte."""


@dataclass(slots=True)
class View:
    """The part of a catalogue that a caller can read."""

    head: Catalogue
    catalogue: Catalogue
    api_keys: SortedKeys = field(default_factory=SortedKeys)
    application_names: SortedKeys = field(default_factory=SortedKeys)
    _associations: Associations = field(default_factory=Associations)

    def advance(self, head: Catalogue, catalogue: Catalogue) -> View:
        """The view of a newer head. What is sorted and indexed stays, since little of it changes."""
        return View(head, catalogue, self.api_keys, self.application_names, self._associations)

    @property
    def associations(self) -> Associations:
        """The applications of each API, indexed at the first use: with 20,000 that takes 20 ms."""
        self._associations, _ = self._associations.advance(self.catalogue.applications)
        return self._associations


class Views:
    """The views of the newest catalogue: one for all callers without a limit, one for each limit."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._views: OrderedDict[tuple[str, ...], View] = OrderedDict()

    def of(self, head: Catalogue, permission: Permission) -> View:
        """The view of ``head`` for a caller with that permission."""
        with self._lock:
            view = self._views.pop(permission.apis, None)
        if view is None:
            view = View(head, visible(head, permission))
        elif view.head is not head:
            view = view.advance(head, visible(head, permission))
        with self._lock:
            self._views[permission.apis] = view
            while len(self._views) > _MAX_VIEWS:
                self._views.popitem(last=False)
        return view
