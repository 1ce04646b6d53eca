"""The server of the example's page, on an origin other than the gateway's.

Besides the page's files it serves ``/settings.json`` with the URLs, and ``/wire``, which sends a request to
the gateway without a browser's rules. So the page can show the gateway's response when the browser hides it.
``/wire`` sends to the gateway only, and only for the page itself.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from examples.natives.http_message import Request, Response, json_response

_FOLDER = Path(__file__).with_name("page")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Site:
    """The page on one origin: its role in the example, all origins by role, and the gateway's URL."""

    role: str
    origins: Mapping[str, str]
    gateway: str

    def __call__(self, request: Request) -> Response:
        """The answer to one request."""
        match request.method, request.path:
            case (("GET" | "HEAD"), "/settings.json"):
                return self._guarded(json_response(asdict(self)))
            case "POST", "/wire":
                return self._wire(request)
            case (("GET" | "HEAD"), path):
                return self._guarded(_file("index.html" if path == "/" else path[1:]))
            case _:
                return Response(405, (("Allow", "GET, HEAD, POST"),))

    def _guarded(self, response: Response) -> Response:
        policy = f"default-src 'self'; connect-src 'self' {self.gateway}; frame-ancestors 'none'"
        guards = (("Content-Security-Policy", policy), ("Cache-Control", "no-store"))
        return Response(response.status, (*response.headers, *guards), response.body)

    def _wire(self, request: Request) -> Response:
        # A page of another origin needs a preflight for this type, which this server never allows.
        if request.header("Content-Type") != "application/json":
            return Response(415)
        try:
            wanted = json.loads(request.body)
            method, path, body = wanted["method"], wanted["path"], wanted["body"]
            headers = {**wanted["headers"], "Origin": self.origins[self.role]}
            return json_response(_exchange(self.gateway, method, path, headers, body))
        except (ValueError, TypeError, KeyError, AttributeError):
            return Response(400)
        except (OSError, http.client.HTTPException) as error:
            return json_response({"error": f"the gateway does not respond: {error}"}, 502)


def _exchange(
    gateway: str, method: str, path: str, headers: dict[str, str], body: str | None
) -> dict[str, object]:
    connection = http.client.HTTPConnection(gateway.removeprefix("http://"), timeout=_TIMEOUT)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        return {
            "status": answer.status,
            "reason": answer.reason,
            "headers": answer.getheaders(),
            "body": text,
        }
    finally:
        connection.close()


def _file(name: str) -> Response:
    # The name is looked up in the folder; no path from a request is ever opened.
    for path in _FOLDER.iterdir():
        if path.name == name and path.suffix in _TYPES:
            return Response(
                200, (("Content-Type", f"{_TYPES[path.suffix]}; charset=utf-8"),), path.read_bytes()
            )
    return Response(404, (("Content-Type", "text/plain"),), b"not found\n")
