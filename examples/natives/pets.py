"""The pet store: a REST service under ``/v2``, without CORS.

GET    /v2/pets         all pets, with the headers header1, header2 and header3
POST   /v2/pets         create a pet, from JSON or a form
GET    /v2/pets/{id}    one pet
PUT    /v2/pets/{id}    replace or create a pet
DELETE /v2/pets/{id}    remove a pet
POST   /v2/sign-in      a session cookie for the form's ``name``
GET    /v2/me           the session's user; null without the cookie
"""

from __future__ import annotations

import json
import threading
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, unquote

from examples.natives.http_message import Request, Response, json_response

BASE = "/v2"
_HEADERS = (("header1", "first"), ("header2", "second"), ("header3", "third"))
_COOKIE = "petstore-session"


class PetStore:
    """The pets, kept in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pets = {1: {"name": "Rex", "kind": "dog"}, 2: {"name": "Minka", "kind": "cat"}}

    def __call__(self, request: Request) -> Response:
        """The answer to one request."""
        if request.method == "OPTIONS":
            # A typical response to a preflight without CORS, which no browser accepts.
            return Response(204, (("Allow", "GET, POST, PUT, DELETE, OPTIONS"),))
        match request.path.removeprefix(BASE).strip("/").split("/"):
            case ["pets"]:
                return self._all(request)
            case ["pets", number] if number.isascii() and number.isdigit() and len(number) < 10:
                return self._one(request, int(number))
            case ["sign-in"] if request.method == "POST":
                return _sign_in(request)
            case ["me"]:
                return json_response({"name": _session(request)}, headers=(("Cache-Control", "no-store"),))
            case _:
                return json_response({"error": "not found"}, 404)

    def _all(self, request: Request) -> Response:
        with self._lock:
            match request.method:
                case "GET" | "HEAD":
                    pets = [{"id": number, **pet} for number, pet in self._pets.items()]
                    return json_response(pets, headers=_HEADERS)
                case "POST":
                    pet = _pet(request)
                    if pet is None:
                        return _unreadable()
                    number = max(self._pets, default=0) + 1
                    self._pets[number] = pet
                    place = f"{request.public_url(BASE)}/pets/{number}"
                    return json_response({"id": number, **pet}, 201, (("Location", place), *_HEADERS))
                case _:
                    return _wrong_method("GET, HEAD, POST")

    def _one(self, request: Request, number: int) -> Response:
        with self._lock:
            match request.method, self._pets.get(number):
                case "PUT", old:
                    pet = _pet(request)
                    if pet is None:
                        return _unreadable()
                    self._pets[number] = pet
                    return json_response({"id": number, **pet}, 200 if old else 201, _HEADERS)
                case _, None:
                    return json_response({"error": f"pet {number} not found"}, 404)
                case (("GET" | "HEAD"), dict(pet)):
                    return json_response({"id": number, **pet}, headers=_HEADERS)
                case "DELETE", _:
                    del self._pets[number]
                    return Response(204)
                case _:
                    return _wrong_method("GET, HEAD, PUT, DELETE")


def _pet(request: Request) -> dict[str, str] | None:
    """The pet in the body, or None if the body is invalid."""
    try:
        if "form-urlencoded" in (request.header("Content-Type") or ""):
            fields: object = dict(parse_qsl(request.body.decode()))
        else:
            fields = json.loads(request.body)
    except ValueError:
        return None
    match fields:
        case {"name": str(name), **others} if name:
            return {"name": name, "kind": str(others.get("kind", "unknown"))}
        case _:
            return None


def _sign_in(request: Request) -> Response:
    name = dict(parse_qsl(request.body.decode(errors="replace"))).get("name", "guest")
    cookie = f"{_COOKIE}={quote(name)}; Path=/; HttpOnly; SameSite=Lax"
    return json_response({"name": name}, headers=(("Set-Cookie", cookie),))


def _session(request: Request) -> str | None:
    try:
        morsel = SimpleCookie(request.header("Cookie") or "").get(_COOKIE)
    except CookieError:
        return None
    return unquote(morsel.value) if morsel else None


def _unreadable() -> Response:
    return json_response({"error": "send a pet: a JSON object or a form with a name"}, 400)


def _wrong_method(allowed: str) -> Response:
    return json_response({"error": "method not allowed"}, 405, (("Allow", allowed),))
