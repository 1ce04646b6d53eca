"""What is kept of how a request looked: values of our own tables, and a path without secrets."""

from __future__ import annotations

from typing import Final

from crossgate.telemetry.paths import sample_path
from crossgate.telemetry.sampled_request import SampledRequest
from crossgate.telemetry.user_agents import user_agent_family

FETCH_SITES: Final = frozenset({"cross-site", "same-origin", "same-site", "none"})
"""https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header"""
FETCH_MODES: Final = frozenset({"cors", "navigate", "no-cors", "same-origin", "websocket", "webtransport"})
"""https://fetch.spec.whatwg.org/#concept-request-mode"""
FETCH_DESTS: Final = frozenset(
    {
        "audio",
        "audioworklet",
        "document",
        "embed",
        "empty",
        "fencedframe",
        "font",
        "frame",
        "iframe",
        "image",
        "json",
        "manifest",
        "object",
        "paintworklet",
        "report",
        "script",
        "serviceworker",
        "sharedworker",
        "style",
        "text",
        "track",
        "video",
        "webidentity",
        "worker",
        "xslt",
    }
)
"""https://fetch.spec.whatwg.org/#concept-request-destination; ``empty`` is how the header spells none."""

Seen = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""The fields of `SeenIn`."""


def seen(sample: SampledRequest) -> Seen:
    """How one request looked."""
    return (
        sample_path(sample.path, sample.series.endpoint),
        (user_agent_family(sample.user_agent),),
        _known(sample.fetch_site, FETCH_SITES),
        _known(sample.fetch_mode, FETCH_MODES),
        _known(sample.fetch_dest, FETCH_DESTS),
    )


def _known(value: str, known: frozenset[str]) -> tuple[str, ...]:
    return (value,) if value in known else ()
