"""The keys of groups: what of a request is kept, in one spelling and of bounded length.

All of it is the client's. An origin or a name that is too long is cut or replaced by `CUT`, a character that
no origin, method or header name has: where a client sends it, it is spelled as an escape.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from crossgate.policy.decision import Reason
from crossgate.policy.names import is_token
from crossgate.policy.request import OPTIONS
from crossgate.policy.same_origin import SAME_ORIGIN
from crossgate.service.refusals import CUT, AllowedKey, GroupKey
from crossgate.telemetry.sampled_request import SampledRequest

REFUSALS: Final = frozenset(
    {
        Reason.ORIGIN_MISSING,
        Reason.ORIGIN_REFUSED,
        Reason.METHOD_MISSING,
        Reason.METHOD_REFUSED,
        Reason.HEADER_REFUSED,
        Reason.HOST_REFUSED,
        Reason.METHOD_FORBIDDEN,
    }
)
"""Reasons of responses with status 403 or 405, which are reported. Malformed requests get 400."""
ALLOWED: Final = frozenset({Reason.ORIGIN_ALLOWED, Reason.PREFLIGHT_ALLOWED, Reason.NO_POLICY})
"""Reasons of requests whose origin was allowed, or was not judged since the API has no policy."""

MAX_ORIGIN: Final = 255
MAX_NAME: Final = 64
MAX_NAMES: Final = 32
MAX_METHOD: Final = 32
MAX_LIST: Final = 1024
"""Characters of all names of a group together."""
_MAX_LIST: Final = 8192
"""Characters of a list of names that are read: more than 32 of the longest names."""
_SHORT: Final = 256
_PLAIN_LIST: Final = re.compile(rf"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]{{1,{MAX_NAME}}}(?:,|$))+(?<!,)")
"""A list of names as browsers send it."""


def has_allowed_origin(sample: SampledRequest) -> bool:
    """Whether the request counts for its origin as allowed.

    One of the gateway's own pages does not where the API has no policy: a policy would not judge its origin.
    """
    reason = sample.series.reason
    own_page = reason == Reason.NO_POLICY and sample.fetch_site == SAME_ORIGIN
    return reason in ALLOWED and sample.origin != "" and not own_page


KeyParts = tuple[str, str, str, bool, str, tuple[str, ...], bool]
"""API, origin, reason, preflight, method, header names, observed: the fields of `GroupKey`."""


def key_parts(sample: SampledRequest) -> KeyParts:
    """What the request has in common with others of its group."""
    series = sample.series
    origin = cut_origin(sample.origin)
    if sample.method != OPTIONS:
        return series.api, origin, series.reason, False, cut_method(sample.method), (), series.observed
    method, headers = cut_method(sample.request_method), header_names(sample.request_headers)
    return series.api, origin, series.reason, True, method, headers, series.observed


def any_combination(parts: KeyParts) -> KeyParts:
    """The same without method and header names, for those of an origin that has too many."""
    api, origin, reason, preflight, _, _, observed = parts
    return api, origin, reason, preflight, CUT, (CUT,), observed


def others_of(api: str, reason: str, *, observed: bool) -> KeyParts:
    """The key of all requests with that reason that are in no group of their own."""
    return api, CUT, reason, False, CUT, (CUT,), observed


def refusal_key_of(parts: KeyParts) -> GroupKey:
    """The key of a group of refused requests."""
    return GroupKey(*parts)


def allowed_key_of(parts: KeyParts) -> AllowedKey:
    """The key of allowed requests."""
    api, origin, _, preflight, method, headers, _ = parts
    return AllowedKey(api, origin, preflight, method, headers)


def cut_origin(origin: str) -> str:
    """The origin as it was sent; if it is longer than 255 characters, its beginning and `CUT`."""
    kept = origin[: MAX_ORIGIN + 1].replace(CUT, "\\u2026")
    return kept if len(kept) <= MAX_ORIGIN else kept[: MAX_ORIGIN - 1] + CUT


def cut_method(method: str) -> str:
    """The method; `CUT` if it is not a token, or is longer than 32 characters."""
    return method if not method or (len(method) <= MAX_METHOD and is_token(method)) else CUT


def header_names(value: str) -> tuple[str, ...]:
    """The names of a list: lower case, sorted, each once.

    `CUT` stands for those that are not tokens or are longer than 64 characters, and for those that are too
    many: after the 31st or after 1,024 characters.
    """
    return _short_list(value) if len(value) <= _SHORT else _read_list(value)


def _read_list(value: str) -> tuple[str, ...]:
    read = value[:_MAX_LIST]
    names = set(read.split(","))
    if _PLAIN_LIST.fullmatch(read):
        tokens = names
    else:
        names = {name.strip(" \t") for name in names} - {""}
        tokens = {name for name in names if len(name) <= MAX_NAME and is_token(name)}
    # Tokens first: the lower case of a letter that is not ASCII can be ASCII, as that of the Kelvin sign.
    good = sorted({name.lower() for name in tokens})
    if tokens == names and len(good) <= MAX_NAMES and len(value) <= MAX_LIST:
        return tuple(good)
    complete = tokens == names and len(good) <= MAX_NAMES and len(value) <= _MAX_LIST
    kept = good[: MAX_NAMES if complete else MAX_NAMES - 1]
    length = sum(map(len, kept))
    while length > MAX_LIST:
        length -= len(kept.pop())
    return tuple(kept) if complete and len(kept) == len(good) else (*kept, CUT)


# Pages of one application send the same few lists.
_short_list = lru_cache(maxsize=1024)(_read_list)
