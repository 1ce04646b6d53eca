"""The resources in front of all APIs."""

from __future__ import annotations

from crossgate.catalogue.model import Catalogue
from crossgate.compiler.inner import compile_way_inside
from crossgate.compiler.listener import compile_inner_listener, compile_listener
from crossgate.compiler.resource import Resource
from crossgate.compiler.server_flow import compile_server_flow


def compile_edge(catalogue: Catalogue) -> list[Resource]:
    """The listener, and with server-level CORS what judges requests before an API is looked up."""
    if catalogue.server_policy is None:
        return [compile_listener(catalogue.gateway, server_level=False)]
    return [
        compile_listener(catalogue.gateway, server_level=True),
        compile_server_flow(catalogue.server_policy),
        compile_way_inside(),
        compile_inner_listener(),
    ]
