"""The endpoints of APIs: those of the documents, where the gateway can serve them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    wishes: list[list[_Wish]] = [[] for _ in apis]
    for api, wanted, default in zip(apis, wishes, defaults, strict=True):
        for found, places in merge_equal(api.endpoints, str):
            parsed = parse_endpoint(found.value)
            if isinstance(parsed, Diagnostic):
                _leave_out(parsed, found, default, report)
            else:
                wanted.append(_Wish(found, places))
    while (lost := _find_conflicts(wishes, keys, defaults)) is not None:
        for number, endpoint, why in lost:
            wish = next(one for one in wishes[number] if one.found.value == endpoint)
            wishes[number].remove(wish)
            _leave_out(why, wish.found, defaults[number], report)
    return [
        [Noted(wish.found.value, wish.found.reason, wish.found.place, wish.places) for wish in wanted]
        for wanted in wishes
    ]


def _leave_out(why: Diagnostic, found: Found[str], default: str, report: Report) -> None:
    report.warning(
        "endpoint-left-out",
        f"the endpoint is left out: {why.message}",
        f"{why.remedy}; an API without endpoints is served at its default one, here {default}",
        found.place,
        found.value,
    )


def _find_conflicts(
    wishes: Sequence[Sequence[_Wish]], keys: Sequence[str], defaults: Sequence[str]
) -> list[tuple[int, str, Diagnostic]] | None:
    """The endpoints that conflict with earlier ones, by the number of their API; None without any."""
    claims = [Claim(defaults[at], keys[at]) for at, wanted in enumerate(wishes) if not wanted]
    claims += (
        Claim(wish.found.value, keys[at], Place(("apis", at)))
        for at, wanted in enumerate(wishes)
        for wish in wanted
    )
    _, conflicts = EndpointIndex().replace((), claims)
    lost = []
    for conflict in conflicts:
        # Without a place it is a default endpoint; two of those never conflict.
        at = conflict.claim.place.path[1]
        lost.append((int(at), conflict.claim.endpoint, conflict.diagnostic()))
    return lost or None
