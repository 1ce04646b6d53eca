"""What a browser's console says of a refused request, whatever the reason, so that people can compare it.

The gateway refuses without CORS headers, so browsers tell of a header that is missing, and not of the reason.
Wordings: Chrome 131, Firefox 132, Safari 18.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_CHROME: Final = "Access to fetch at '{url}' from origin '{origin}' has been blocked by CORS policy: "
_NO_HEADER: Final = "No 'Access-Control-Allow-Origin' header is present on the requested resource."
_FIREFOX: Final = (
    "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at {url}. "
    "(Reason: CORS header \u2018Access-Control-Allow-Origin\u2019 missing). Status code: {status}."
)
_PREFLIGHT: Final = {
    "Chrome": f"{_CHROME}Response to preflight request doesn't pass access control check: {_NO_HEADER}",
    "Firefox": _FIREFOX,
    "Safari": "Preflight response is not successful. Status code: {status}",
}
_REQUEST: Final = {
    "Chrome": f"{_CHROME}{_NO_HEADER}",
    "Firefox": _FIREFOX,
    "Safari": "Origin {origin} is not allowed by Access-Control-Allow-Origin. Status code: {status}",
}


@dataclass(frozen=True, slots=True)
class BrowserMessage:
    """The text of one browser."""

    browser: str
    text: str


def address_of(gateway: Mapping[str, Any]) -> str:
    """Where pages call the gateway: its first public origin, or where it listens."""
    origins = sorted(gateway.get("public_origins", ()))
    return str(origins[0]) if origins else f"{'https' if 'tls' in gateway else 'http'}://{gateway['listen']}"


def browser_messages(found: Mapping[str, Any], answer: str, gateway: str) -> list[BrowserMessage]:
    """The texts for one group; ``answer`` begins with the status. What requests sent is hostile."""
    status = answer.partition(" ")[0] or "403"
    values = {
        "{url}": f"{gateway}{found['path']}",
        "{origin}": found["origin"],
        "{status}": status,
    }
    return [
        BrowserMessage(browser, _filled(text, values))
        for browser, text in (_PREFLIGHT if found["preflight"] else _REQUEST).items()
    ]


def _filled(text: str, values: Mapping[str, str]) -> str:
    # Not with str.format, nor one after the other: an origin can contain braces.
    found = ""
    while text:
        name = min((one for one in values if one in text), key=text.index, default="")
        if not name:
            return found + text
        before, _, text = text.partition(name)
        found += before + values[name]
    return found
