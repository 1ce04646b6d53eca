"""ID tokens: what is signed, by whom, for whom, and until when; with real keys and forged ones."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from crossgate.console.oidc.failure import SignInFailedError
from crossgate.console.oidc.id_token import Expected, UnknownKeyError, validate_id_token

_NOW = 1_800_000_000.0
_KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
_KEYS = KeySet.import_key_set({"keys": [_KEY.as_dict(private=False)]})
_EXPECTED = Expected("https://login.example.com", "crossgate", "a-nonce", "an-access-token")
_CLAIMS: dict[str, Any] = {
    "iss": "https://login.example.com",
    "sub": "ann",
    "aud": "crossgate",
    "exp": _NOW + 300,
    "iat": _NOW - 5,
    "nonce": "a-nonce",
}


def signed(changes: dict[str, Any] | None = None, key: Any = _KEY, algorithm: str = "RS256") -> str:
    """A token of these claims; a claim that is changed to None is left out."""
    claims = {name: value for name, value in (_CLAIMS | (changes or {})).items() if value is not None}
    header = {"alg": algorithm, **({"kid": key.kid} if key.kid else {})}
    return jwt.encode(header, claims, key, algorithms=[algorithm])


def unsigned(header: dict[str, Any], signature: bytes = b"") -> str:
    """A token with any header."""
    parts = (json.dumps(header).encode(), json.dumps(_CLAIMS).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)


def test_a_token_of_the_provider_is_valid() -> None:
    assert validate_id_token(signed(), _KEYS, _EXPECTED, _NOW)["sub"] == "ann"
    listed = signed({"aud": ["crossgate"], "azp": "crossgate"})
    assert validate_id_token(listed, _KEYS, _EXPECTED, _NOW)["sub"] == "ann"


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ECKey.generate_key("P-256", {"kid": "ec"}), "ES256"),
        (OKPKey.generate_key("Ed25519", {"kid": "ed"}), "Ed25519"),
        (_KEY, "PS256"),
    ],
    ids=["ES256", "Ed25519", "PS256"],
)
def test_signatures_with_other_public_keys_are_read(key: Any, algorithm: str) -> None:
    keys = KeySet.import_key_set({"keys": [key.as_dict(private=False)]})
    token = signed(key=key, algorithm=algorithm)
    assert validate_id_token(token, keys, _EXPECTED, _NOW)["sub"] == "ann"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://login.example.com/"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"aud": ["crossgate", "another"]},
        {"aud": ["crossgate"], "azp": "another"},
        {"aud": None},
        {"exp": _NOW - 61},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": None},
        {"iat": _NOW + 3600},
        {"nbf": _NOW + 3600},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"sub": None},
        {"at_hash": "of-another-token"},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SignInFailedError) as refused:
        validate_id_token(signed(changes), _KEYS, _EXPECTED, _NOW)
    assert "ID token was refused" in refused.value.message


def test_a_token_that_somebody_else_signed_is_of_an_unknown_key() -> None:
    forged = RSAKey.generate_key(2048, {"kid": "one"})
    with pytest.raises(UnknownKeyError):
        validate_id_token(signed(key=forged), _KEYS, _EXPECTED, _NOW)
    unknown = RSAKey.generate_key(2048, {"kid": "two"})
    with pytest.raises(UnknownKeyError):
        validate_id_token(signed(key=unknown), _KEYS, _EXPECTED, _NOW)


def test_the_public_key_is_no_secret_to_sign_with() -> None:
    """The known attack: HMAC with the provider's public key, which everybody has."""
    head = unsigned({"alg": "HS256", "kid": "one"}).rpartition(".")[0]
    for public in (_KEY.as_pem(private=False), _KEY.as_der(private=False)):
        signature = hmac.digest(public, head.encode(), "sha256")
        raw = f"{head}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
        with pytest.raises(SignInFailedError):
            validate_id_token(raw, _KEYS, _EXPECTED, _NOW)


@pytest.mark.parametrize(
    "raw",
    [
        unsigned({"alg": "none"}),
        unsigned({"alg": "none", "kid": "one"}),
        unsigned({"alg": "RS256", "kid": "one"}),
        unsigned({"alg": "RS256", "kid": "one"}, b"x" * 256),
        unsigned({"alg": "RS256", "jwk": _KEY.as_dict(private=False)}, b"x" * 256),
        unsigned({"alg": "RS256", "kid": "one", "crit": ["x"], "x": 1}, b"x" * 256),
        unsigned({"alg": ["RS256"]}),
        unsigned({}),
        "",
        "a.b.c",
        "a.b",
        "ä.ö.ü",
        ".".join(["e30"] * 5),
    ],
)
def test_what_is_no_signed_token_is_refused(raw: str) -> None:
    with pytest.raises((SignInFailedError, UnknownKeyError)):
        validate_id_token(raw, _KEYS, _EXPECTED, _NOW)


def test_a_changed_token_is_refused() -> None:
    head, body, signature = signed().split(".")
    other = signed({"sub": "eve"}).split(".")[1]
    assert body != other
    with pytest.raises(UnknownKeyError):
        validate_id_token(f"{head}.{other}.{signature}", _KEYS, _EXPECTED, _NOW)


def test_clocks_may_differ_a_little() -> None:
    assert validate_id_token(signed({"exp": _NOW - 30}), _KEYS, _EXPECTED, _NOW)["sub"] == "ann"
