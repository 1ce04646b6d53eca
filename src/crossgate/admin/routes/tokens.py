"""Routes of tokens. A token is created and revoked, never changed: there is no update to lose, and no tag."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Path as InPath
from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from crossgate.admin.auth import Admin
from crossgate.admin.context import Context
from crossgate.admin.responses import made, seen
from crossgate.admin.validation import routes_about
from crossgate.catalogue.names import MAX_NAME, NAME_PATTERN
from crossgate.service.tokens import Role, Token

router = routes_about("Tokens")
_MOST_DAYS = 3650


class TokenBody(BaseModel):
    """A token as it is kept: without its secret."""

    name: str
    role: Role
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    revoked: datetime | None


class NewToken(TokenBody):
    """A token that was just created."""

    secret: str
    """Shown now and never again."""


class TokenList(BaseModel):
    """Every token, those that no longer work too."""

    items: list[TokenBody]


class Wanted(BaseModel):
    """A token to create."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=f"^{NAME_PATTERN}$", max_length=MAX_NAME)
    role: Role
    days: int | None = Field(default=None, ge=1, le=_MOST_DAYS, description="Until it expires; null: never.")


@router.get("/v1/tokens", response_model=TokenList)
def list_tokens(request: Request, context: Context, _: Admin) -> Response:
    """Every token, oldest first, those that no longer work too."""
    return seen(request, TokenList(items=[TokenBody(**_fields(one)) for one in context.tokens.all()]))


@router.post("/v1/tokens", response_model=NewToken, status_code=201)
def create_token(context: Context, _: Admin, wanted: Wanted) -> Response:
    """A new token with its secret, which is shown this once."""
    lifetime = None if wanted.days is None else timedelta(days=wanted.days)
    secret, token = context.tokens.create(wanted.name, wanted.role, lifetime)
    return made(NewToken(**_fields(token), secret=secret), status=HTTPStatus.CREATED)


@router.delete("/v1/tokens/{name}", response_model=TokenBody)
def revoke_token(
    context: Context, _: Admin, name: Annotated[str, InPath(pattern=f"^{NAME_PATTERN}$", max_length=MAX_NAME)]
) -> Response:
    """Let the token open nothing any more, at once and on every control plane."""
    return made(TokenBody(**_fields(context.tokens.revoke(name))))


def _fields(token: Token) -> dict[str, Any]:
    return {
        "name": token.name,
        "role": token.role,
        "created": token.created,
        "expires": token.expires,
        "last_used": token.last_used,
        "revoked": token.revoked,
    }
