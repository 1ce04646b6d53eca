"""Routes of tokens. Tokens are created and revoked, never changed, so their writes need no precondition."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi import Path as InPath
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from crossgate.admin.auth import Admin
from crossgate.admin.body import ModelBody
from crossgate.admin.context import Context, resource_router
from crossgate.admin.responses import json_response, read_response
from crossgate.catalogue.names import MAX_NAME, NAME_PATTERN
from crossgate.service.permission import Role
from crossgate.service.tokens import Token

router = resource_router("Tokens")
_MAX_DAYS = 3650


class TokenBody(BaseModel):
    """A token without its secret."""

    name: str
    role: Role
    apis: list[str]
    """The APIs that it is limited to; empty: all."""
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    revoked: datetime | None


class CreatedTokenBody(TokenBody):
    """A new token with its secret."""

    secret: str
    """Returned once; only its hash is stored."""


class TokenList(BaseModel):
    """All tokens, expired and revoked ones included."""

    items: list[TokenBody]


class TokenRequest(BaseModel):
    """The token to create."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=f"^{NAME_PATTERN}$", max_length=MAX_NAME)
    role: Role
    days: int | None = Field(
        default=None, ge=1, le=_MAX_DAYS, description="Days until it expires; null: never."
    )
    apis: list[Annotated[str, Field(max_length=MAX_NAME)]] = Field(
        default=[],
        max_length=100,
        description="Names of the APIs that it can read and change, such as `team-a-*`; empty: all.",
    )


@router.get("/v1/tokens", response_model=TokenList)
def list_tokens(request: Request, context: Context, _: Admin) -> Response:
    """All tokens, oldest first, expired and revoked ones included."""
    return read_response(
        request, TokenList(items=[TokenBody(**_fields(one)) for one in context.tokens.all()])
    )


@router.post("/v1/tokens", response_model=CreatedTokenBody, status_code=201)
def create_token(
    context: Context, _: Admin, body: Annotated[TokenRequest, Depends(ModelBody(TokenRequest))]
) -> Response:
    """Create a token. The secret is returned once."""
    lifetime = None if body.days is None else timedelta(days=body.days)
    secret, token = context.tokens.create(body.name, body.role, lifetime, body.apis)
    return json_response(CreatedTokenBody(**_fields(token), secret=secret), status=HTTPStatus.CREATED)


@router.delete("/v1/tokens/{name}", response_model=TokenBody)
def revoke_token(
    context: Context, _: Admin, name: Annotated[str, InPath(pattern=f"^{NAME_PATTERN}$", max_length=MAX_NAME)]
) -> Response:
    """Revoke a token, at once and on every control plane."""
    return json_response(TokenBody(**_fields(context.tokens.revoke(name))))


def _fields(token: Token) -> dict[str, Any]:
    return {
        "name": token.name,
        "role": token.role,
        "apis": list(token.apis),
        "created": token.created,
        "expires": token.expires,
        "last_used": token.last_used,
        "revoked": token.revoked,
    }
