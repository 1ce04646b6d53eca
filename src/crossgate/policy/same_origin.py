"""Same-origin requests: the gateway's own pages send them, and browsers add an ``Origin`` to some.

They add it to same-origin POSTs, as ``null`` on pages with ``Referrer-Policy: no-referrer``. A policy is
about other origins, so these requests pass as if they had no ``Origin``.

``Sec-Fetch-Site: same-origin`` is reliable. No script can set the header (Fetch, forbidden request-header),
and a browser sends that value only if all URLs of the request have the page's origin
(https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header). A client that is not a browser can send what
it likes, but it can leave out ``Origin`` as well.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class SameOrigin(StrEnum):
    """How same-origin requests are recognised, beside the list of the gateway's public origins."""

    DETECT = "detect"
    """By ``Sec-Fetch-Site``. Browsers send it over https, and to loopback addresses."""
    LISTED = "listed"
    """By the list only."""


SAME_ORIGIN: Final = "same-origin"
"""A value of ``Sec-Fetch-Site``. Browsers send one of four values, and no other contains this one."""


def says_same_origin(sec_fetch_site: str) -> bool:
    """Whether the header's value is :data:`SAME_ORIGIN`, or contains it.

    A search gives the same result whether several lines of the header are seen one by one, as Envoy does
    (since 1.39), or joined by commas, as WSGI servers do.
    """
    return SAME_ORIGIN in sec_fetch_site
