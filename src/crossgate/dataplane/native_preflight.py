"""Finds out, by one preflight each, whether native services do CORS themselves.

Apart from checks.py, which every start loads: httpx takes a tenth of a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from crossgate.catalogue.model import NativeService

_SECONDS: Final = 2.0
_CONCURRENT: Final = 100


@dataclass(frozen=True, slots=True)
class NativePreflight:
    """A preflight to a native service."""

    native: NativeService
    origin: str
    method: str


async def find_native_cors(preflights: Mapping[str, NativePreflight]) -> dict[str, bool]:
    """Whether each native service does CORS itself, by the keys of ``preflights``.

    A service does if its response to the preflight has an ``Access-Control-Allow-*`` header. Each service is
    sent one preflight, the first that names its URL. Services that send no response headers within two
    seconds are missing from the result.
    """
    first: dict[NativeService, NativePreflight] = {}
    for preflight in preflights.values():
        first.setdefault(preflight.native, preflight)
    limit = asyncio.Semaphore(_CONCURRENT)
    # Without trust_env: Envoy connects to native services directly, whatever proxy is configured here.
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=_SECONDS) as client:
        answers = await asyncio.gather(*(_ask(client, limit, preflight) for preflight in first.values()))
    by_native = dict(zip(first, answers, strict=True))
    found = {key: by_native[preflight.native] for key, preflight in preflights.items()}
    return {key: answer for key, answer in found.items() if answer is not None}


async def _ask(
    client: httpx.AsyncClient, limit: asyncio.Semaphore, preflight: NativePreflight
) -> bool | None:
    headers = {
        "Origin": preflight.origin,
        "Access-Control-Request-Method": preflight.method,
        "User-Agent": "crossgate-check",
    }
    try:
        # The client's timeout is for each read: a response that trickles in needs one for the whole.
        async with (
            limit,
            asyncio.timeout(_SECONDS),
            client.stream("OPTIONS", str(preflight.native), headers=headers) as response,
        ):
            return any(name.startswith("access-control-allow-") for name in response.headers)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL):
        return None
