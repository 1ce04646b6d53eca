"""Parcel tracking: a REST service under ``/track`` that does its own CORS, as many do.

Origins that it knows get ``Access-Control-*`` headers, all others the same response without them. It refuses
no request: that is left to browsers.
"""

from __future__ import annotations

from collections.abc import Collection

from examples.natives.http_message import Headers, Request, Response, json_response

BASE = "/track"
_PARCELS = {"7001": "on its way", "7002": "delivered"}
_PREFLIGHT = (("Access-Control-Allow-Methods", "GET, PUT"), ("Access-Control-Allow-Headers", "Content-Type"))


class Parcels:
    """Parcel tracking whose own CORS allows ``origins``."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(origins)

    def __call__(self, request: Request) -> Response:
        """The answer to one request."""
        cors = self._cors(request)
        headers = (("Vary", "Origin"), ("X-From-Native", "yes"), *cors)
        number = request.path.removeprefix(BASE).strip("/")
        match request.method:
            case "OPTIONS":
                return Response(204, (*headers, *(_PREFLIGHT if cors else ())))
            case "GET" | "HEAD" | "PUT" if number in _PARCELS:
                return json_response({"parcel": number, "state": _PARCELS[number]}, headers=headers)
            case "GET" | "HEAD" | "PUT":
                return json_response({"error": f"there is no parcel {number}"}, 404, headers)
            case _:
                return json_response(
                    {"error": "method not allowed"}, 405, (("Allow", "GET, HEAD, PUT"), *headers)
                )

    def _cors(self, request: Request) -> Headers:
        origin = request.header("Origin")
        if origin is None or origin not in self._origins:
            return ()
        return (("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", "X-From-Native"))
