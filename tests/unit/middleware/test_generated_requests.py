"""Random policies and near-miss requests: both middlewares do what the engine decides."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.asgi_wsgi import REACHED, asgi_native, call, environ_of, scope_of, serve, wsgi_native
from tests.case_table import HOSTILE_NATIVE, CaseRequest
from tests.differential.generate import Sample, random_pairs
from tests.visible_result import VisibleResult, expected_result, visible_result

from crossgate.middleware import CorsMiddleware, WsgiCorsMiddleware
from crossgate.policy import Request, decide


@pytest.mark.parametrize("seed", range(4))
def test_both_agree_with_the_engine(seed: int) -> None:
    for sample, requests in random_pairs(seed, samples=60, requests=25):
        policy = sample.prepared()
        asgi = CorsMiddleware(asgi_native(HOSTILE_NATIVE), policy)
        wsgi = WsgiCorsMiddleware(wsgi_native(HOSTILE_NATIVE), policy)
        for request in requests:
            # A path, and a Host where no policy is about it, are the server's.
            parsed = replace(request.parsed(), path="", host="")
            _compare(sample, request, parsed, _asgi(asgi, request))
            environ = environ_of(request.method, request.headers)
            joined = Request(
                request.method,
                environ.get("HTTP_ORIGIN", ""),
                environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", ""),
                environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", ""),
                sec_fetch_site=environ.get("HTTP_SEC_FETCH_SITE", ""),
            )
            _compare(sample, request, joined, _wsgi(wsgi, request))


def _compare(sample: Sample, request: CaseRequest, parsed: Request, seen: VisibleResult) -> None:
    expected = expected_result(decide(sample.prepared(), parsed), HOSTILE_NATIVE)
    assert expected.differences(seen) == [], (sample, request)


def _asgi(app: CorsMiddleware, request: CaseRequest) -> VisibleResult:
    called = call(app, scope_of(request.method, request.headers))
    return visible_result(
        reaches_native=bool(called.all(REACHED)), status=called.status, headers=called.headers, body=None
    )


def _wsgi(app: WsgiCorsMiddleware, request: CaseRequest) -> VisibleResult:
    status, headers, _ = serve(app, environ_of(request.method, request.headers))
    return visible_result(
        reaches_native=(REACHED, "yes") in headers, status=status, headers=headers, body=None
    )
