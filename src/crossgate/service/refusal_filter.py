"""A filter of refusals as people type it: `api:petstore reason:origin is:open since:24h shop`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final

from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.policy import Reason
from crossgate.service.refusal_query import RefusalOrder, RefusalQuery
from crossgate.service.refusal_states import GroupState

_REASONS: Final = {
    "origin": Reason.ORIGIN_REFUSED.value,
    "method": Reason.METHOD_REFUSED.value,
    "header": Reason.HEADER_REFUSED.value,
    "host": Reason.HOST_REFUSED.value,
    **{one.value: one.value for one in Reason},
}
_SPANS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_MOST_WORDS: Final = 20


@dataclass(frozen=True, slots=True)
class RefusalFilter:
    """What a filter asks for."""

    query: RefusalQuery
    order: RefusalOrder | None = None
    """None if the filter does not name one."""


def parse_refusal_filter(
    text: str, now: datetime, base: RefusalQuery | None = None, apis: Collection[str] = ()
) -> RefusalFilter:
    """The query; words without a field are parts of the origin, the API, the method or a header name.

    ``base`` is the rest of the query. ``apis`` are the keys of the APIs, for a better remedy.

    Raises:
        InvalidInput: with everything that is wrong.

    """
    found = RefusalFilter(base or RefusalQuery())
    words, errors = list[str](), list[Diagnostic]()
    for word in text.split():
        name, colon, value = word.partition(":")
        if not colon or not name.isidentifier() or value.startswith("//"):
            words.append(word)
            continue
        read = _FIELDS.get(name.lower())
        result = _unknown_field(name, apis) if read is None else read(found, value, now)
        if isinstance(result, Diagnostic):
            errors.append(result)
        else:
            found = result
    if len(words) > _MOST_WORDS:
        errors.append(_diagnostic("too many words in the filter", f"Use at most {_MOST_WORDS}", words[-1]))
    if errors:
        raise InvalidInput(errors)
    return replace(found, query=replace(found.query, words=(*found.query.words, *words)))


_Read = Callable[[RefusalFilter, str, datetime], RefusalFilter | Diagnostic]


_Set = Callable[[RefusalFilter, Any], RefusalFilter]


def _in_query(attribute: str) -> _Set:
    def change(found: RefusalFilter, value: Any) -> RefusalFilter:
        changed: dict[str, Any] = {attribute: value}
        return replace(found, query=replace(found.query, **changed))

    return change


def _string(attribute: str) -> _Read:
    return lambda found, value, _: _in_query(attribute)(found, value)


def _choice(name: str, values: Mapping[str, object], chosen: _Set) -> _Read:
    """A field with one of some values; ``chosen`` sets it."""

    def read(found: RefusalFilter, value: str, _: datetime) -> RefusalFilter | Diagnostic:
        if value in values:
            return chosen(found, values[value])
        near = get_close_matches(value.lower(), values, n=1)
        remedy = f"Did you mean {name}:{near[0]}?" if near else f"Use one of {', '.join(values)}"
        return _diagnostic(f"unknown value of {name} in the filter", remedy, f"{name}:{value}")

    return read


def _add_state(found: RefusalFilter, state: GroupState) -> RefusalFilter:
    return replace(found, query=replace(found.query, states=found.query.states | {state}))


def _since(found: RefusalFilter, value: str, now: datetime) -> RefusalFilter | Diagnostic:
    given = re.fullmatch(r"([0-9]{1,4})([mhd])", value)
    if given is None:
        return _diagnostic("unknown time in the filter", "Use 30m, 24h or 7d", f"since:{value}")
    return replace(found, query=replace(found.query, since=now - int(given[1]) * _SPANS[given[2]]))


_FIELDS: Final[Mapping[str, _Read]] = {
    "api": _string("api"),
    "reason": _choice("reason", _REASONS, _in_query("reason")),
    "is": _choice("is", {one.value: one for one in GroupState}, _add_state),
    "sort": _choice(
        "sort",
        {one.value: one for one in RefusalOrder},
        lambda found, value: replace(found, order=value),
    ),
    "origin": _string("origin"),
    "since": _since,
    "observed": _choice("observed", {"yes": True, "no": False}, _in_query("observed")),
    "method": _string("method"),
}


def _unknown_field(name: str, apis: Collection[str]) -> Diagnostic:
    near = get_close_matches(name.lower(), _FIELDS, n=1)
    own = name if any(key.partition("/")[0] == name for key in apis) else ""
    remedy = f"Use one of {', '.join(_FIELDS)}, or words of the origin, the API or what was requested"
    if own or near:
        remedy = f"Did you mean {f'api:{own}' if own else f'{near[0]}:'}?"
    return _diagnostic("unknown field in the filter", remedy, f"{name}:")


def _diagnostic(message: str, remedy: str, found: str) -> Diagnostic:
    return Diagnostic("filter-invalid", message, remedy, Place(("query", "filter")), found=found[:100])
