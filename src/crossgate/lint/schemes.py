"""What to write for origins of extensions and apps, by their scheme.

Sources: https://developer.chrome.com/docs/extensions/reference/manifest/key,
https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/Chrome_incompatibilities (the ID in
``moz-extension``), https://capacitorjs.com/docs/config (``server``), https://v2.tauri.app/reference/config.
"""

from __future__ import annotations

import re
from typing import Final

_PERMISSIONS: Final = (
    "Request the API's host in host_permissions of the extension's manifest, whose GET requests then have no "
    "Origin; browsers give the extension another ID in each installation, so no entry can name it"
)
_ADVICE: Final = {
    "chrome-extension": (
        "Write chrome-extension:// and the extension's ID: 32 letters from a to p, which chrome://extensions "
        "shows"
    ),
    "moz-extension": _PERMISSIONS,
    "safari-web-extension": _PERMISSIONS,
    "capacitor": "Write capacitor://localhost, or the host that the app sets as server.hostname",
    "ionic": "Write ionic://localhost, or the host that the app sets as Hostname",
    "tauri": "Write tauri://localhost; on Windows, Tauri apps send http://tauri.localhost",
    "app": "Write app:// and the host that the app uses, or app://. if it uses none, as an exact entry",
    "file": (
        "Serve the app's pages from a scheme or a server of its own; file:// is possible as an exact entry "
        "only"
    ),
}
PER_INSTALLATION: Final = frozenset({"moz-extension", "safari-web-extension"})
"""Schemes whose host is another in each installation."""
_SCHEME: Final = re.compile(r"\^?\(*(?:\?:)?([a-z][a-z0-9+.-]*):")


def advice_for(source: str) -> str | None:
    """The remedy for an entry that begins with the scheme of extensions or apps; None for other entries."""
    found = _SCHEME.match(source.lower())
    return None if found is None else _ADVICE.get(found[1])


def local_app_advice(origin: str | None) -> str | None:
    """The remedy for an origin of the local machine that apps send; None if no framework is known for it."""
    if origin in ("http://localhost", "https://localhost"):
        return (
            "Set server.hostname to a name of your own domain if an app built with Capacitor or Ionic needs "
            "the entry; otherwise remove it from production policies"
        )
    if origin in ("http://tauri.localhost", "https://tauri.localhost"):
        return (
            "Accept the finding with a reason if a Tauri app on Windows needs the entry, and authenticate "
            "the app with tokens instead of cookies"
        )
    return None
