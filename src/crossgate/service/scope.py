"""The scope of a document: what applying it may change and remove.

The scope is what the caller's permission covers and the selector selects. An object must be within it before
and after the change: otherwise a document could take over an object of another team, or let go of one that no
later call with the same selector would find. Handing an object over is a change without the selector.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from crossgate.catalogue.model import Api, Application, Catalogue
from crossgate.catalogue.selector import Selector
from crossgate.diagnostics import Diagnostic, Place, Step
from crossgate.service.objects import GATEWAY_KEY, SETTINGS_KEY, CatalogueObject, ObjectKey, find_object
from crossgate.service.permission import EVERYTHING, Permission


@dataclass(frozen=True, slots=True)
class Scope:
    """A caller's permission, and the selector of one call."""

    permission: Permission = EVERYTHING
    selector: Selector | None = None

    @property
    def limited(self) -> bool:
        """Whether some objects are outside of it; then the gateway and the settings are."""
        return self.permission.limited or self.selector is not None

    def includes(self, found: CatalogueObject | None) -> bool:
        """Whether the object is an API or an application within it."""
        return (
            isinstance(found, Api | Application)
            and self.permission.covers(found)
            and (self.selector is None or self.selector.matches(found.labels))
        )

    def count(self, catalogue: Catalogue) -> int:
        """How many APIs and applications are within it."""
        if not self.limited:
            return len(catalogue.apis) + len(catalogue.applications)
        return sum(
            self.includes(one)
            for objects in (catalogue.apis, catalogue.applications)
            for one in objects.values()
        )

    def find_errors(
        self, base: Catalogue, desired: Catalogue, sections: Mapping[ObjectKey, bool]
    ) -> Iterator[Diagnostic]:
        """Every object of the ``desired`` catalogue that the selector excludes, there or in ``base``.

        What the permission does not cover is refused before. ``sections`` says which ones the document has.
        """
        if self.selector is None:
            return
        for section, before, after in (
            ("apis", base.apis, desired.apis),
            ("applications", base.applications, desired.applications),
        ):
            for key, found in after.items():
                yield from self._labels_errors(self.selector, (section, key), before.get(key), found)
        for target in (GATEWAY_KEY, SETTINGS_KEY):
            if sections[target] and find_object(base, target) != find_object(desired, target):
                yield Diagnostic(
                    code="selector-excludes-section",
                    message=f"a selector excludes the {target[1]}: its section cannot change here",
                    remedy="Leave the section as it is or out, or apply it without the selector",
                    found=str(self.selector),
                    place=Place((target[1],)),
                )

    @staticmethod
    def _labels_errors(
        selector: Selector,
        path: tuple[Step, ...],
        before: Api | Application | None,
        after: Api | Application,
    ) -> Iterator[Diagnostic]:
        place = Place((*path, "labels"))
        if not selector.matches(after.labels):
            yield Diagnostic(
                code="selector-mismatch",
                message=f"the selector {selector} does not select this object",
                remedy="Add the labels, or leave the object out. To hand it over to another team, apply it "
                "without the selector",
                found=_shown(after),
                place=place,
            )
        elif before is not None and not selector.matches(before.labels):
            yield Diagnostic(
                code="selector-takes-over",
                message=f"the selector {selector} does not select the object that the gateway has",
                remedy="Choose another name; or let those who have the object set its labels first",
                found=_shown(before),
                place=place,
            )


EVERYWHERE: Final = Scope()
"""All objects, those of the whole gateway included."""


def _shown(found: Api | Application) -> str:
    labels = ",".join(f"{key}={value}" for key, value in found.labels) or "no labels"
    return f"{labels} ({found.owner})" if found.owner else labels
