"""The nodes, the revision that each enforces, and what it rejected."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.api import encode_query
from crossgate.console.node_rows import next_name, node_problems, node_rows, revision_ticks
from crossgate.console.page import Page, page


async def show_nodes(found: Page) -> Response:
    """All nodes that are connected to this control plane."""
    nodes = await found.api.get("/v1/nodes")
    return await found.show(
        "nodes.html",
        title="Nodes",
        call="GET /v1/nodes",
        nodes=nodes,
        rows=node_rows(nodes),
        problems=node_problems(nodes),
        ticks=revision_ticks(nodes["head"]),
        next_name=next_name(one["node"] for one in nodes["items"]),
        retried=found.query.get("retried", ""),
    )


async def retry_node(found: Page) -> Response:
    """Send a node once more what it rejected."""
    node = (await found.form()).get("node", "")
    await found.api.read("POST", f"/v1/nodes/{node.replace('/', '%2F')}/retry")
    return found.redirect(f"/nodes?{encode_query({'retried': node})}")


routes: Final[list[BaseRoute]] = [
    page("/nodes", show_nodes),
    page("/nodes/retry", retry_node, methods=("POST",)),
]
