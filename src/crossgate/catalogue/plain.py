"""Objects of a catalogue out of entries that have nothing unusual about them.

Entries by the thousand, as a store has them, were all checked when they were written. They are checked here
again, by the same parsers, but not for what could be said about them: whatever is not plainly right is None,
and left to :mod:`crossgate.catalogue.document`, which finds it right after all or says what is wrong with it.
That takes several times as long, and a fifth of a second to load.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from crossgate.catalogue.model import (
    CODE_PATTERN,
    DEFAULT_NATIVE_TIMEOUT,
    LEAST_NATIVE_TIMEOUT,
    MOST_NATIVE_TIMEOUT,
    Api,
    ApiType,
    Application,
    Gateway,
    Suppression,
    Tls,
    default_endpoint,
)
from crossgate.catalogue.names import parse_application_name, parse_endpoint, parse_name, parse_trusted_domain
from crossgate.catalogue.urls import parse_native_url
from crossgate.diagnostics import Diagnostic
from crossgate.net.address import parse_listen_address
from crossgate.policy import CorsPolicy, read_policy
from crossgate.policy.origin_fault import find_fault

_GATEWAY_KEYS: Final = frozenset({"listen", "tls", "native_ca", "public_origins"})
_API_KEYS: Final = frozenset(
    {
        "name",
        "version",
        "type",
        "native",
        "native_timeout",
        "endpoints",
        "cors",
        "trusted_domains",
        "lint",
    }
)
_APPLICATION_KEYS: Final = frozenset({"name", "javascript_origins", "apis", "suspended"})
_TYPES: Final = {one.value: one for one in ApiType}
_CODE: Final = re.compile(CODE_PATTERN)


class _NotPlain(Exception):  # noqa: N818 - no error: somebody else reads it
    """The entry may be right, but here nobody says so."""


def plain_gateway(entry: Mapping[str, object]) -> Gateway | None:
    """The settings of an entry, paths as they are; None if its reading is somebody else's."""
    try:
        return _gateway(entry)
    except (_NotPlain, KeyError):
        return None


def plain_application(entry: Mapping[str, object]) -> Application | None:
    """The application of an entry; None if its reading is somebody else's."""
    try:
        return _application(entry)
    except (_NotPlain, KeyError):
        return None


def plain_api(entry: Mapping[str, object]) -> Api | None:
    """The API of an entry; None if its reading is somebody else's."""
    try:
        return _api(entry)
    except (_NotPlain, KeyError):
        return None


def _gateway(entry: Mapping[str, object]) -> Gateway:
    _only(entry, _GATEWAY_KEYS)
    tls, authorities = entry.get("tls"), entry.get("native_ca")
    return Gateway(
        _parsed(parse_listen_address, entry["listen"]),
        None if tls is None else _tls(tls),
        None if authorities is None else _any_text(authorities),
        _each(_exact_origin, entry.get("public_origins", [])),
    )


def _tls(loose: object) -> Tls:
    if type(loose) is not dict or loose.keys() != {"certificate", "key"}:
        raise _NotPlain
    return Tls(_any_text(loose["certificate"]), _any_text(loose["key"]))


def _application(entry: Mapping[str, object]) -> Application:
    _only(entry, _APPLICATION_KEYS)
    suspended = entry.get("suspended", False)
    if type(suspended) is not bool:
        raise _NotPlain
    return Application(
        _parsed(parse_application_name, entry["name"]),
        _each(_exact_origin, entry.get("javascript_origins", [])),
        _each(_any_text, entry.get("apis", [])),
        suspended,
    )


def _api(entry: Mapping[str, object]) -> Api:
    _only(entry, _API_KEYS)
    name, version = _parsed(parse_name, entry["name"]), _parsed(parse_name, entry["version"])
    written_type = entry["type"]
    if type(written_type) is not str or written_type not in _TYPES:
        raise _NotPlain
    api_type = _TYPES[written_type]
    return Api(
        name,
        version,
        api_type,
        _parsed(parse_native_url, entry["native"]),
        _each(parse_endpoint, entry.get("endpoints", [])) or (default_endpoint(api_type, name, version),),
        _policy(entry),
        _seconds(entry.get("native_timeout", DEFAULT_NATIVE_TIMEOUT)),
        _each(parse_trusted_domain, entry.get("trusted_domains", [])),
        _suppressions(entry.get("lint")) if "lint" in entry else (),
    )


def _only(entry: Mapping[str, object], known: frozenset[str]) -> None:
    if type(entry) is not dict or not entry.keys() <= known:
        raise _NotPlain


_Value = TypeVar("_Value")


def _parsed(parse: Callable[[object], _Value | Diagnostic], loose: object) -> _Value:
    parsed = parse(loose)
    if isinstance(parsed, Diagnostic):
        raise _NotPlain
    return parsed


def _each(parse: Callable[[object], _Value | Diagnostic], loose: object) -> tuple[_Value, ...]:
    if type(loose) is not list:
        raise _NotPlain
    return tuple([_parsed(parse, one) for one in loose])


def _any_text(loose: object) -> str:
    if type(loose) is not str:
        raise _NotPlain
    return loose


def _exact_origin(loose: object) -> str:
    if type(loose) is not str or find_fault(loose) is not None:
        raise _NotPlain
    return loose


def _policy(entry: Mapping[str, object]) -> CorsPolicy | None:
    loose = entry.get("cors", _ABSENT)
    if loose is _ABSENT:
        return None
    if type(loose) is not dict:
        raise _NotPlain
    policy, diagnostics = read_policy(loose)
    if diagnostics:
        raise _NotPlain
    return policy


_ABSENT: Final = object()


def _seconds(loose: object) -> float:
    if type(loose) is not int and type(loose) is not float:
        raise _NotPlain
    if not LEAST_NATIVE_TIMEOUT <= loose <= MOST_NATIVE_TIMEOUT:
        raise _NotPlain
    return float(loose)


def _suppressions(loose: object) -> tuple[Suppression, ...]:
    if type(loose) is not dict or loose.keys() != {"allow"} or type(loose["allow"]) is not list:
        raise _NotPlain
    return tuple(map(_suppression, loose["allow"]))


def _suppression(loose: object) -> Suppression:
    if type(loose) is not dict or loose.keys() != {"code", "reason"}:
        raise _NotPlain
    code, reason = loose["code"], loose["reason"]
    if type(code) is str and type(reason) is str and reason and _CODE.fullmatch(code):
        return Suppression(code, reason)
    raise _NotPlain
