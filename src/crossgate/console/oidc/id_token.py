"""The validation of an ID token: who signed it, for whom, for which sign-in, until when.

OpenID Connect Core 1.0, §3.1.3.7: https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, ClaimError, ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from crossgate.console.oidc.failure import SignInFailedError

ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519",
)  # fmt: skip
"""Signatures with public keys only: with `none` nobody signs, with HS256 all who have the client's secret."""
LEEWAY: Final = 60
"""Seconds by which the clocks may differ."""


class UnknownKeyError(Exception):
    """No known key has signed the token: the provider may have new keys."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must say."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str


def validate_id_token(
    raw: str, keys: KeySet, expected: Expected, now: float | None = None
) -> Mapping[str, Any]:
    """The claims of a valid ID token.

    Raises:
        UnknownKeyError: none of the keys has signed it.
        SignInFailedError: it is invalid.

    """
    try:
        registry = jws.JWSRegistry(algorithms=list(ALGORITHMS))
        token = jwt.decode(raw, keys, algorithms=list(ALGORITHMS), registry=registry)
    except (BadSignatureError, InvalidKeyIdError) as error:
        raise UnknownKeyError from error
    except (JoseError, ValueError, TypeError) as error:
        raise _refused(f"it cannot be read ({_name(error)})") from error
    claims = CodeIDToken(
        dict(token.claims),
        token.header,
        {
            "iss": {"essential": True, "value": expected.issuer},
            "aud": {"essential": True, "value": expected.client_id},
        },
        {
            "nonce": expected.nonce,
            "client_id": expected.client_id,
            "access_token": expected.access_token,
        },
    )
    try:
        claims.validate(now=time.time() if now is None else now, leeway=LEEWAY)
    except ExpiredTokenError as error:
        raise _refused("it has expired") from error
    except ClaimError as error:
        raise _refused(f"its claim {error.claim} is missing or wrong") from error
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise _refused(f"its claims cannot be read ({_name(error)})") from error
    return dict(claims)


def _refused(reason: str) -> SignInFailedError:
    return SignInFailedError(
        f"The provider's ID token was refused: {reason}",
        "Try again. If it happens again, compare issuer and client_id with the provider, and both clocks",
    )


def _name(error: Exception) -> str:
    return str(getattr(error, "error", "")) or type(error).__name__
