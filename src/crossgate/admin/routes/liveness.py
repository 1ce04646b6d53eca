"""The liveness check, the only route without authentication."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from crossgate.admin.auth import LIVENESS
from crossgate.admin.context import resource_router

router = resource_router("Liveness")


class Liveness(BaseModel):
    """The state of the control plane."""

    status: Literal["live"] = "live"


@router.get(LIVENESS, openapi_extra={"security": []})
async def check_liveness() -> Liveness:
    """Whether the control plane responds. Needs no token."""
    return Liveness()
