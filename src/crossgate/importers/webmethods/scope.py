"""The scope of a global policy: the filters that decide to which APIs it applies.

A condition that does not apply to an API's type is not evaluated for that API, says the product's page
"Refining the Scope of a Global Policy".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from crossgate.importers.cursor import Cursor

_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"})
_COMPARISONS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "EQUALS": lambda text, value: text == value,
    "NOT_EQUALS": lambda text, value: text != value,
    "CONTAINS": lambda text, value: value in text,
    "NOT_CONTAINS": lambda text, value: value not in text,
    "STARTS_WITH": lambda text, value: text.startswith(value),
    "NOT_STARTS_WITH": lambda text, value: not text.startswith(value),
    "ENDS_WITH": lambda text, value: text.endswith(value),
}
_FIELDS: Final = {"API_NAME": "apiName", "API_VERSION": "apiVersion", "API_DESCRIPTION": "apiDescription"}


def applies_to(policy: Cursor, api: Cursor) -> bool | None:
    """Whether the global policy applies to the whole API; None if to a part of it, or unclear."""
    scope = policy["scope"]
    types = scope["applicableAPITypes"]
    kind = api_type(api)
    if types.exists and kind not in [str(one.value).upper() for one in types.entries()]:
        return False
    results = []
    for condition in scope["scopeConditions"].entries():
        if condition["filterType"].value == "HTTP_METHOD":
            if kind == "REST":
                results.append(_has_methods(condition, api))
        else:
            attributes = (_attribute_holds(one, api) for one in condition["attributes"].entries())
            results.append(_combine(condition["logicalConnector"], attributes))
    return _combine(scope["logicalConnector"], results)


def api_type(api: Cursor) -> str:
    """The type of an API in upper case; ``REST`` if it has none."""
    return (api["type"].text or api["apiDefinition"]["type"].text or "REST").upper()


def _combine(connector: Cursor, results: Iterable[bool | None]) -> bool | None:
    """The conjunction or disjunction of what is known; true without any."""
    known = list(results)
    decisive = str(connector.value).upper() == "OR"
    if not known:
        return True
    if decisive in known:
        return decisive
    return None if None in known else not decisive


def _has_methods(condition: Cursor, api: Cursor) -> bool | None:
    """Whether all operations of the API have one of the condition's methods; None if only some have."""
    chosen = {
        str(one["attributeName"].value)
        for one in condition["attributes"].entries()
        if str(one["value"].value).lower() == "true"
    }
    if _METHODS - {"HEAD"} <= chosen:
        return True
    own = {
        method.upper()
        for _, path in api["apiDefinition"]["paths"].items()
        for method, _ in path.items()
        if method.upper() in (*_METHODS, "OPTIONS")
    }
    if own and own <= chosen:
        return True
    return False if own and not own & chosen else None


def _attribute_holds(attribute: Cursor, api: Cursor) -> bool | None:
    name, value = attribute["attributeName"].value, attribute["value"].value
    operation = _COMPARISONS.get(str(attribute["operation"].value))
    if operation is None or not isinstance(value, str):
        return None
    if name in _FIELDS:
        return _compare(operation, api[_FIELDS[str(name)]].text or "", value)
    if name == "API_TAG":
        definition = api["apiDefinition"]
        tags = [one.text for one in definition["apiTags"].entries()]
        tags += [one["name"].text for one in definition["tags"].entries()]
        results = {_compare(operation, tag or "", value) for tag in tags or [""]}
        return results.pop() if len(results) == 1 else None
    return None


def _compare(operation: Callable[[str, str], bool], text: str, value: str) -> bool | None:
    """None if it depends on whether letters have case, which the product does not document."""
    exact, without_case = operation(text, value), operation(text.casefold(), value.casefold())
    return exact if exact == without_case else None
