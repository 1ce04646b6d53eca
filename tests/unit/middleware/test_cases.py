"""Both middlewares do what the case table says, called as a server calls them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.asgi_wsgi import REACHED, asgi_native, call, environ_of, scope_of, serve, wsgi_native
from tests.case_table import Case, load_cases
from tests.visible_result import HeaderLines, VisibleResult, visible_result

from crossgate.middleware import CorsMiddleware, WsgiCorsMiddleware


@pytest.mark.parametrize("case", load_cases("asgi"), ids=lambda case: case.id)
def test_asgi(case: Case) -> None:
    app = CorsMiddleware(asgi_native(case.native), case.prepared())
    for _ in range(2):  # once decided, once remembered
        called = call(app, scope_of(case.request.method, case.request.headers))
        seen = _outcome(called.status, tuple(called.headers), called.body, case.request.method)
        assert case.expect.differences(seen) == []


@pytest.mark.parametrize("spell", [str.title, str.upper], ids=["title", "upper"])
@pytest.mark.parametrize("case", load_cases("asgi"), ids=lambda case: case.id)
def test_asgi_with_header_names_that_are_not_in_lower_case(case: Case, spell: Callable[[str], str]) -> None:
    """A server that breaks the ASGI specification never makes a policy ineffective."""
    app = CorsMiddleware(asgi_native(case.native), case.prepared())
    scope = scope_of(case.request.method, case.request.headers)
    scope["headers"] = [(spell(name.decode()).encode(), value) for name, value in scope["headers"]]
    called = call(app, scope)
    seen = _outcome(called.status, tuple(called.headers), called.body, case.request.method)
    assert case.expect.differences(seen) == []


@pytest.mark.parametrize("case", load_cases("wsgi"), ids=lambda case: case.id)
def test_wsgi(case: Case) -> None:
    app = WsgiCorsMiddleware(wsgi_native(case.native), case.prepared())
    for _ in range(2):
        status, headers, body = serve(app, environ_of(case.request.method, case.request.headers))
        assert case.expect.differences(_outcome(status, headers, body, case.request.method)) == []


def _outcome(status: int, lines: HeaderLines, body: bytes, method: str) -> VisibleResult:
    reached = (REACHED, "yes") in lines
    return visible_result(
        reaches_native=reached,
        status=status,
        headers=lines,
        body=None if reached or method == "HEAD" else body.decode("latin-1"),
    )
