"""Whether a native service does CORS itself, by what it answers to one preflight."""

import asyncio

from tests.native_services import ScriptedNative
from tests.ports import refusing_port

from crossgate.catalogue.model import NativeService
from crossgate.dataplane.native_preflight import NativePreflight, find_native_cors


def test_only_an_answer_shows_whether_a_native_service_does_cors() -> None:
    with ScriptedNative() as native, refusing_port() as deaf:
        answering = {
            path: _preflight(native.port, path) for path in ("/cors", "/plain", "/reset", "/status/503")
        }
        preflights = {**answering, "deaf": _preflight(deaf, "")}
        answers = asyncio.run(find_native_cors(preflights))
    assert answers == {"/cors": True, "/plain": False, "/status/503": False}


def _preflight(port: int, path: str) -> NativePreflight:
    return NativePreflight(NativeService("http", "127.0.0.1", port, path), "https://example.com", "GET")
