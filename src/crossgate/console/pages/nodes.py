"""The nodes and the revision that each runs."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.page import Page, page


async def show_nodes(found: Page) -> Response:
    """All nodes that are connected to this control plane."""
    nodes = await found.api.get("/v1/nodes")
    return await found.show("nodes.html", title="Nodes", call="GET /v1/nodes", nodes=nodes)


routes: Final[list[BaseRoute]] = [page("/nodes", show_nodes)]
