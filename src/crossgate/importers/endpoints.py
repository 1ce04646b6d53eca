"""The endpoints of APIs: those of the documents, where the gateway can serve them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from crossgate.catalogue.endpoint_index import Claim, EndpointIndex
from crossgate.catalogue.names import parse_endpoint
from crossgate.diagnostics import Diagnostic, Place
from crossgate.importers.found import Found, FoundApi
from crossgate.importers.noted import Noted, merge_equal
from crossgate.importers.report import Report


@dataclass(frozen=True, slots=True)
class _Wish:
    """An endpoint that a document names for an API."""

    found: Found[str]
    places: int


def choose_endpoints(
    apis: Sequence[FoundApi], keys: Sequence[str], defaults: Sequence[str], report: Report
) -> list[list[Noted]]:
    """For each API the endpoints of its document that are valid, none a prefix of another.

    An API without any has its default endpoint, which has precedence over those that documents name.
    """
    wishes: list[dict[str, _Wish]] = [{} for _ in apis]
    for api, wanted, default in zip(apis, wishes, defaults, strict=True):
        for found, places in merge_equal(api.endpoints, str):
            parsed = parse_endpoint(found.value)
            if isinstance(parsed, Diagnostic):
                _leave_out(parsed, found, default, report)
            else:
                wanted[parsed] = _Wish(found, places)
    for turn in range(_TURNS + 1):
        lost = _find_conflicts(wishes, keys, defaults, all_defaults=turn == _TURNS)
        for number, endpoint, why in lost:
            _leave_out(why, wishes[number].pop(endpoint).found, defaults[number], report)
        if not lost:
            break
    return [
        [
            Noted(wish.found.value, wish.found.reason, wish.found.place, wish.places)
            for wish in wanted.values()
        ]
        for wanted in wishes
    ]


_TURNS: Final = 5
"""An API that loses its last endpoint gets its default one, which may conflict with one of another API,
and so on. After this many turns, all default endpoints are reserved, and no conflict is left."""


def _leave_out(why: Diagnostic, found: Found[str], default: str, report: Report) -> None:
    report.warning(
        "endpoint-left-out",
        f"the endpoint is left out: {why.message}",
        f"{why.remedy}; an API without endpoints is served at its default one, here {default}",
        found.place,
        found.value,
    )


def _find_conflicts(
    wishes: Sequence[Mapping[str, _Wish]],
    keys: Sequence[str],
    defaults: Sequence[str],
    *,
    all_defaults: bool,
) -> list[tuple[int, str, Diagnostic]]:
    """The endpoints that conflict with earlier ones, by the number of their API.

    With ``all_defaults``, the default endpoints of APIs that have others count, too.
    """
    claims = [
        Claim(default, key)
        for default, key, wanted in zip(defaults, keys, wishes, strict=True)
        if not wanted or (all_defaults and default not in wanted)
    ]
    claims += (
        Claim(endpoint, keys[at], Place(("apis", at)))
        for at, wanted in enumerate(wishes)
        for endpoint in wanted
    )
    _, conflicts = EndpointIndex().replace((), claims)
    # A default endpoint has no place, and is the earlier one: two of them never conflict.
    return [(int(one.claim.place.path[1]), one.claim.endpoint, one.diagnostic()) for one in conflicts]
