"""The keys of groups: what of a request is kept, in one spelling and of bounded length.

All of it is the client's. An origin or a name that is too long is cut or replaced by `CUT`, a character that
no origin, method or header name has: where a client sends it, it is spelled as an escape.
"""

from __future__ import annotations

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
_MAX_LIST: Final = 8192
"""Characters of a list of names that are read: more than 32 of the longest names."""


def has_allowed_origin(sample: SampledRequest) -> bool:
    """Whether the request counts for its origin as allowed.

    One of the gateway's own pages does not where the API has no policy: a policy would not judge its origin.
    """
    reason = sample.series.reason
    own_page = reason == Reason.NO_POLICY and sample.fetch_site == SAME_ORIGIN
    return reason in ALLOWED and sample.origin != "" and not own_page


def refusal_key(sample: SampledRequest) -> GroupKey:
    """The key of the group of a refused request."""
    preflight, method, headers = _asked_for(sample)
    series = sample.series
    origin = cut_origin(sample.origin)
    return GroupKey(series.api, origin, series.reason, preflight, method, headers, series.observed)


def allowed_key(sample: SampledRequest) -> AllowedKey:
    """The key of an allowed request."""
    return AllowedKey(sample.series.api, cut_origin(sample.origin), *_asked_for(sample))


def others_key(api: str, reason: str, *, observed: bool) -> GroupKey:
    """The key of all refusals with that reason that are in no group of their own."""
    return GroupKey(api, CUT, reason, preflight=False, method=CUT, headers=(CUT,), observed=observed)


def other_allowed_key(api: str) -> AllowedKey:
    """The same, of allowed requests."""
    return AllowedKey(api, CUT, preflight=False, method=CUT, headers=(CUT,))


def _asked_for(sample: SampledRequest) -> tuple[bool, str, tuple[str, ...]]:
    if sample.method != OPTIONS:
        return False, cut_method(sample.method), ()
    return True, cut_method(sample.request_method), header_names(sample.request_headers)


def cut_origin(origin: str) -> str:
    """The origin as it was sent; if it is longer than 255 characters, its beginning and `CUT`."""
    kept = origin[: MAX_ORIGIN + 1].replace(CUT, "\\u2026")
    return kept if len(kept) <= MAX_ORIGIN else kept[: MAX_ORIGIN - 1] + CUT


def cut_method(method: str) -> str:
    """The method; `CUT` if it is not a token, or is longer than 32 characters."""
    return method if not method or (len(method) <= MAX_METHOD and is_token(method)) else CUT


def header_names(value: str) -> tuple[str, ...]:
    """The names of a list: lower case, sorted, each once.

    `CUT` stands for those that are not tokens or are longer than 64 characters, and for those after the
    31st of a longer list.
    """
    if not value:
        return ()
    names = {name.strip(" \t") for name in value[:_MAX_LIST].split(",")} - {""}
    # Tokens first: the lower case of a letter that is not ASCII can be ASCII, as that of the Kelvin sign.
    tokens = {name for name in names if len(name) <= MAX_NAME and is_token(name)}
    good = sorted({name.lower() for name in tokens})
    if tokens == names and len(good) <= MAX_NAMES and len(value) <= _MAX_LIST:
        return tuple(good)
    return (*good[: MAX_NAMES - 1], CUT)
