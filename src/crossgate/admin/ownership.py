"""The parameters by which lists are filtered by owner and labels, and documents bounded by labels."""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

from fastapi import Query

from crossgate.catalogue.labels import MAX_OWNER
from crossgate.catalogue.model import Api, Application
from crossgate.catalogue.selector import Selector, parse_selector
from crossgate.diagnostics import Place

_Owned = TypeVar("_Owned", Api, Application)
_MAX_SELECTOR: Final = 2000
_SELECTOR: Final = Place(("query", "selector"))

Owner = Annotated[str, Query(max_length=MAX_OWNER, description="The whole owner, in any case.")]
Selected = Annotated[
    str | None,
    Query(
        max_length=_MAX_SELECTOR,
        description="A selector of labels: `team=checkout,env!=test`; `key` for any value, `!key` for none.",
    ),
]
Scoped = Annotated[
    str | None,
    Query(
        max_length=_MAX_SELECTOR,
        description="The document may change and delete what this selects: `team=checkout`. Default: all.",
    ),
]


def read_selector(text: str | None) -> Selector | None:
    """The selector that the query has, if it has one; raises InvalidInput with every error."""
    return None if text is None else parse_selector(text, _SELECTOR)


def owned(found: list[_Owned], owner: str, selector: Selector | None) -> list[_Owned]:
    """Those of this owner, which the selector selects."""
    if owner:
        wanted = owner.casefold()
        found = [one for one in found if one.owner.casefold() == wanted]
    if selector is not None:
        found = [one for one in found if selector.matches(one.labels)]
    return found
