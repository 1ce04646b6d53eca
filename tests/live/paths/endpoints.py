"""Endpoints of the gateway under test, and the base path of its native service."""

from __future__ import annotations

from typing import Final

from crossgate.policy.request import normalise_path

BASE: Final = "/v2/app"
MAIN_ENDPOINTS: Final = ("/gateway/open/1", "/gateway/guarded/1", "/shop/v1")
"""Without a policy, with one, and outside ``/gateway``."""

OTHER_ENDPOINTS: Final = ("/gateway/table/1", "/gateway/observed/1", "/shop/v2")


def received_path(target: str, endpoint: str, base: str = BASE) -> str | None:
    """The path that the native service would receive if the gateway normalised the target but refused none.

    None if the target is then not the endpoint's, or if Envoy refuses to normalise it.
    """
    path = normalise_path(target)
    if path is None or not f"{path}/".startswith(f"{endpoint}/"):
        return None
    return base + path.removeprefix(endpoint)
