"""The gateway at a glance."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from crossgate.console.overview import PERIODS, node_notes, node_state, open_refusals, traffic_chart
from crossgate.console.page import Page, page


async def show_overview(found: Page) -> Response:
    """Decisions over time, open refusals, the newest changes, nodes."""
    period = found.query.get("period", PERIODS[0][0])
    if period not in dict(PERIODS):
        return RedirectResponse("/", HTTPStatus.SEE_OTHER)
    overview = await found.api.get("/v1/overview", {"period": period})
    nodes = overview["nodes"]
    return await found.show(
        "overview.html",
        title="Overview",
        call=f"GET /v1/overview?period={period}",
        period=period,
        periods=PERIODS,
        overview=overview,
        chart=traffic_chart(overview),
        nodes=nodes,
        notes=node_notes(nodes),
        states=[node_state(one) for one in nodes["items"]],
        refusals=open_refusals(overview["refusals"]),
    )


routes: Final[list[BaseRoute]] = [page("/", show_overview)]
