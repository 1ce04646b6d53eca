"""The resources in front of all APIs."""

from __future__ import annotations

from crossgate.catalogue.model import Catalogue
from crossgate.compiler.inner import compile_way_inside
from crossgate.compiler.listener import compile_inner_listener, compile_listener
from crossgate.compiler.resource import Resource
from crossgate.compiler.server_flow import compile_server_flow


def compile_edge(catalogue: Catalogue, *, elsewhere: bool) -> list[Resource]:
    """The listeners, and with server-level CORS what judges requests before an API is looked up.

    ``elsewhere`` says whether any endpoint lies under none of the roots.
    """
    policy = catalogue.server_policy
    listener = compile_listener(catalogue.gateway, server_level=policy is not None, elsewhere=elsewhere)
    always = [listener, compile_inner_listener(elsewhere=elsewhere), compile_way_inside()]
    return always if policy is None else [*always, compile_server_flow(policy)]
