"""The requests that a record can have been made from, as far as policies tell them apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

from crossgate.catalogue.model import Catalogue
from crossgate.compiler.route_names import SERVER_LEVEL
from crossgate.policy import EffectivePolicy, Reason, Request, SameOrigin, ServerPolicy
from crossgate.policy.request import OPTIONS
from crossgate.policy.same_origin import SAME_ORIGIN
from crossgate.service.refusals import AllowedOrigin, RefusalGroup

Record = RefusalGroup | AllowedOrigin
Policy = EffectivePolicy | ServerPolicy | None
"""What decides on a request; None for an API without a policy."""

_NO_FORM: Final = "application/json"
"""A media type that forms cannot send; to a policy, all such are alike."""
_OTHER_HOST: Final = "-"


def possible_requests(record: Record, policy: Policy, then: Catalogue) -> Iterator[Request]:
    """The requests that the record can have been made from, as far as the policy tells them apart.

    ``then`` is the catalogue in which they were recorded.
    """
    key = record.key
    reason = record.key.reason if isinstance(record, RefusalGroup) else ""
    hosts, content_types = [""], [""]
    if isinstance(policy, ServerPolicy):
        if policy.host:
            hosts = _possible_hosts(key.api, reason, policy.host, then.server_policy)
        if not (key.preflight and key.method):
            content_types = [_NO_FORM] if reason == Reason.HEADER_REFUSED else ["", _NO_FORM]
    for host, content_type, site in product(hosts, content_types, _possible_sites(record, then)):
        yield Request(
            OPTIONS if key.preflight else key.method,
            key.origin,
            key.method if key.preflight else "",
            ",".join(key.headers),
            host,
            content_type,
            sec_fetch_site=site,
        )


def _possible_sites(record: Record, then: Catalogue) -> Sequence[str]:
    """Values of ``Sec-Fetch-Site``: that of own pages, another one, or both."""
    if not isinstance(record, RefusalGroup):
        # Allowed requests of own pages are only recorded where they were judged by their origin.
        return ["", SAME_ORIGIN] if then.gateway.same_origin is SameOrigin.LISTED else [""]
    key = record.key
    if key.reason == Reason.ORIGIN_MISSING and key.origin not in ("", *then.gateway.public_origins):
        return [SAME_ORIGIN]  # it passed as if it had no Origin
    return ["", SAME_ORIGIN] if SAME_ORIGIN in record.seen_in.fetch_sites else [""]


def _possible_hosts(api: str, reason: str, expected: str, then: ServerPolicy | None) -> list[str]:
    """Values of ``Host``: the one that is expected, another one, or both."""
    if api != SERVER_LEVEL or then is None or not then.host:
        return [expected, _OTHER_HOST]
    if reason != Reason.HOST_REFUSED:
        return [then.host]
    return [_OTHER_HOST] if then.host == expected else [expected, _OTHER_HOST]
