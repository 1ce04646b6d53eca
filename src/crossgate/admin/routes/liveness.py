"""The one route for everybody."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from crossgate.admin.auth import LIVENESS
from crossgate.admin.validation import routes_about

router = routes_about("Liveness")


class Live(BaseModel):
    """It lives."""

    status: Literal["live"] = "live"


@router.get(LIVENESS, openapi_extra={"security": []})
async def live() -> Live:
    """Whether the control plane answers; says nothing else, and needs no token."""
    return Live()
