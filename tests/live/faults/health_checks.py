"""A client of the health checks."""

from __future__ import annotations

import time
from typing import Any

import httpx

_SECONDS = 60.0


class Checks:
    """The health checks at one port."""

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def option(self) -> tuple[str, str]:
        return ("--health", f"127.0.0.1:{self.port}")

    def get(self, path: str = "/ready") -> httpx.Response | None:
        """The response; None if nothing listens."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=20, trust_env=False)
        except httpx.TransportError:
            return None

    def wait_for(self, *codes: str) -> Any:
        """Wait until exactly these are the reasons; returns the body."""
        deadline = time.monotonic() + _SECONDS
        while True:
            response = self.get()
            if response is not None:
                body = response.json()
                assert (response.status_code == 200) == (not body["reasons"]), body
                if [one["code"] for one in body["reasons"]] == list(codes):
                    return body
            assert time.monotonic() < deadline, response and response.text
            time.sleep(0.02)
