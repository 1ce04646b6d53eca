"""Finds APIs by words such as ``petstore mode:observe has:policy origin:example.com type:rest``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from crossgate.catalogue.model import Api, ApiType
from crossgate.catalogue.selector import Selector, parse_selector
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.policy import Mode
from crossgate.policy.origin_pattern import serialise_origin_pattern

_NONE: Final = "none"
_MODES: Final = (*(mode.value for mode in Mode), _NONE)
_HAS: Final = ("policy", "credentials", "accepted")
_TYPES: Final = tuple(one.value for one in ApiType)
_CHOICES: Final = {"mode": _MODES, "has": _HAS, "type": _TYPES}
_PARTS: Final = ("api", "endpoint", "native", "origin", "owner")
_LABEL: Final = "label"
_QUERY: Final = Place(("query", "q"))
_REMEDY: Final = (
    "Write parts of the name, the endpoint or the native service, origin:…, owner:…, label:key=value, "
    "mode:enforce, mode:observe, mode:none, type:rest, has:policy, has:credentials or has:accepted"
)


@dataclass(frozen=True, slots=True)
class ApiQuery:
    """What to find: all of it must hold. Parts are compared without case."""

    anywhere: tuple[str, ...] = ()
    """Parts of the key, of an endpoint, of the native service, of an allowed origin or of the owner."""
    parts: tuple[tuple[str, str], ...] = ()
    """Each with where it is: ``api``, ``endpoint``, ``native``, ``origin`` or ``owner``."""
    choices: tuple[tuple[str, str], ...] = ()
    labels: tuple[Selector, ...] = ()

    def find(self, apis: Iterable[Api]) -> list[Api]:
        """The APIs that it finds, in their order."""
        return [one for one in apis if self._matches(one)]

    def _matches(self, api: Api) -> bool:
        return (
            all(_chosen(api, name, value) for name, value in self.choices)
            and all(one.matches(api.labels) for one in self.labels)
            and all(part in _text(api, where) for where, part in self.parts)
            and all(any(part in _text(api, where) for where in _PARTS) for part in self.anywhere)
        )


def _chosen(api: Api, name: str, value: str) -> bool:
    policy = api.cors
    match name, value:
        case "type", _:
            return api.type.value == value
        case "mode", _:
            return (_NONE if policy is None else policy.mode.value) == value
        case _, "policy":
            return policy is not None
        case _, "credentials":
            return policy is not None and policy.allow_credentials
        case _:
            return bool(api.lint.allow)


def _text(api: Api, where: str) -> str:
    match where:
        case "api":
            return api.key.casefold()
        case "endpoint":
            return "\n".join(api.endpoints).casefold()
        case "native":
            return str(api.native).casefold()
        case "owner":
            return api.owner.casefold()
        case _:
            origins = () if api.cors is None else api.cors.allowed_origins
            return "\n".join(str(serialise_origin_pattern(one)) for one in origins).casefold()


def parse_api_query(text: str) -> ApiQuery:
    """The query of a string; its words are separated by spaces.

    Raises:
        InvalidInput: with every unknown key and value.

    """
    anywhere: list[str] = []
    parts: list[tuple[str, str]] = []
    choices: list[tuple[str, str]] = []
    labels: list[Selector] = []
    errors: list[Diagnostic] = []
    for word in text.split():
        key, colon, value = word.partition(":")
        # A scheme and a port are no filters: https://…, localhost:8080.
        if key in _PARTS and colon:
            parts.append((key, value.casefold()))
        elif key == _LABEL and colon:
            try:
                labels.append(parse_selector(value, _QUERY))
            except InvalidInput as invalid:
                errors += invalid.diagnostics
        elif not colon or value.startswith("//") or value.isdigit() or not key.isalpha():
            anywhere.append(word.casefold())
        elif key not in _CHOICES:
            errors.append(_invalid("unknown filter", word, key, (*_PARTS, _LABEL, *_CHOICES)))
        elif value not in _CHOICES[key]:
            errors.append(_invalid(f"unknown value of {key}", word, value, _CHOICES[key]))
        else:
            choices.append((key, value))
    if errors:
        raise InvalidInput(errors)
    return ApiQuery(tuple(anywhere), tuple(parts), tuple(choices), tuple(labels))


def _invalid(message: str, word: str, value: str, known: tuple[str, ...]) -> Diagnostic:
    near = get_close_matches(value, known, n=1)
    remedy = f"{_REMEDY}. Did you mean {near[0]}?" if near else _REMEDY
    return Diagnostic("filter-unknown", message, remedy, _QUERY, found=word[:100])
