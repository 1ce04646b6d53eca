"""The company's provider: where it is, its keys, and the exchange of a code for an ID token."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final
from urllib.parse import quote, urlsplit

import anyio
import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from crossgate.console.oidc.failure import SignInFailedError
from crossgate.console.oidc.id_token import Expected, UnknownKeyError, validate_id_token
from crossgate.console.oidc.options import OidcOptions, is_private_url

CALLBACK: Final = "/sign-in/company/callback"
_TIMEOUT: Final = 10.0
_KEPT: Final = 3600.0
"""Seconds for which the provider's metadata and keys are used before they are read again."""
_KEYS_AGAIN: Final = 10.0
"""Seconds between two readings of the keys because of an unknown one: anybody can send such a token."""
_MOST_BYTES: Final = 1 << 20
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a browser keeps between leaving for the provider and coming back."""

    state: str
    nonce: str
    verifier: str
    next: str


@dataclass(slots=True)
class Provider:
    """The provider, with its metadata and keys as they were last read."""

    options: OidcOptions
    _metadata: Mapping[str, Any] = field(default_factory=dict)
    _metadata_at: float = float("-inf")
    _keys: KeySet = field(default_factory=lambda: KeySet([]))
    _keys_at: float = float("-inf")
    _limiter: anyio.CapacityLimiter | None = None

    @property
    def callback(self) -> str:
        """The URL that the provider sends browsers back to."""
        return self.options.console_url + CALLBACK

    async def authorization_url(self, attempt: Attempt) -> str:
        """Where a browser signs in.

        Raises:
            SignInFailedError: the provider cannot be reached, or is another one.

        """
        metadata = await self._read_metadata()
        url: str = prepare_grant_uri(
            metadata["authorization_endpoint"],
            self.options.client_id,
            "code",
            redirect_uri=self.callback,
            scope=" ".join(self.options.scopes),
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )
        return url

    async def claims(self, code: str, attempt: Attempt) -> Mapping[str, Any]:
        """The validated claims of the person whose sign-in ended with the code.

        Raises:
            SignInFailedError: the provider refuses the code, or its answer is not to be trusted.

        """
        self._limiter = self._limiter or anyio.CapacityLimiter(_AT_ONCE)
        async with self._limiter:
            metadata = await self._read_metadata()
            answer = await self._exchange(metadata, code, attempt)
            access = str(answer.get("access_token", ""))
            expected = Expected(self.options.issuer, self.options.client_id, attempt.nonce, access)
            claims = await self._validate(metadata, str(answer.get("id_token", "")), expected)
            wanted = {self.options.groups_claim, self.options.author_claim}
            if wanted <= claims.keys() or "userinfo_endpoint" not in metadata or not access:
                return claims
            return await self._with_userinfo(metadata, access, claims)

    async def _exchange(self, metadata: Mapping[str, Any], code: str, attempt: Attempt) -> Mapping[str, Any]:
        options = self.options
        sent = {"code_verifier": attempt.verifier}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if not options.client_secret:
            sent["client_id"] = options.client_id
        elif "client_secret_basic" in metadata.get("token_endpoint_auth_methods_supported", _BASIC):
            # RFC 6749, §2.3.1: both are encoded as in a form first.
            pair = f"{quote(options.client_id, safe='')}:{quote(options.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            sent |= {"client_id": options.client_id, "client_secret": options.client_secret}
        body: str = prepare_token_request("authorization_code", redirect_uri=self.callback, code=code, **sent)
        status, answer = await self._fetch("POST", metadata["token_endpoint"], body, headers)
        if status != httpx.codes.OK or "id_token" not in answer:
            words = " ".join(str(answer[key]) for key in ("error", "error_description") if key in answer)
            raise SignInFailedError(
                "The provider did not accept the sign-in",
                "Begin again. If it happens again, compare client_id, secret and callback with the provider",
                found=words or f"status {status}",
            )
        return answer

    async def _validate(self, metadata: Mapping[str, Any], raw: str, expected: Expected) -> Mapping[str, Any]:
        if monotonic() - self._keys_at > _KEPT:
            await self._read_keys(metadata)
        try:
            return validate_id_token(raw, self._keys, expected)
        except UnknownKeyError:
            if monotonic() - self._keys_at > _KEYS_AGAIN:
                await self._read_keys(metadata)
        try:
            return validate_id_token(raw, self._keys, expected)
        except UnknownKeyError:
            raise SignInFailedError(
                "The provider's ID token was refused: none of the provider's keys has signed it",
                "Try again in a minute: the provider may be changing its keys",
            ) from None

    async def _with_userinfo(
        self, metadata: Mapping[str, Any], access: str, claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The claims, with those that only the UserInfo endpoint has (OpenID Connect Core 1.0, §5.3)."""
        headers = {"Authorization": f"Bearer {access}"}
        status, answer = await self._fetch("GET", metadata["userinfo_endpoint"], None, headers)
        # §5.3.2: another subject is somebody else's claims.
        if status != httpx.codes.OK or answer.get("sub") != claims["sub"]:
            return claims
        return {**answer, **claims}

    async def _read_metadata(self) -> Mapping[str, Any]:
        if monotonic() - self._metadata_at <= _KEPT:
            return self._metadata
        issuer = self.options.issuer
        url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        status, found = await self._fetch("GET", url, None, {})
        if status != httpx.codes.OK or found.get("issuer") != issuer:
            raise SignInFailedError(
                f"The provider at {issuer} does not describe itself by this name",
                "Compare issuer with the provider; every character counts, a slash at the end too",
                found=f"status {status}" if status != httpx.codes.OK else str(found.get("issuer")),
            )
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
            if name in found or name != "userinfo_endpoint":
                self._require_private(name, str(found.get(name, "")))
        self._metadata, self._metadata_at = found, monotonic()
        return found

    async def _read_keys(self, metadata: Mapping[str, Any]) -> None:
        status, found = await self._fetch("GET", metadata["jwks_uri"], None, {})
        usable = [one for one in found.get("keys", ()) if one.get("use", "sig") == "sig"]
        try:
            self._keys = KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, TypeError, AttributeError) as error:
            raise SignInFailedError(
                "The provider's keys cannot be read", "Look at its jwks_uri", found=f"status {status}"
            ) from error
        self._keys_at = monotonic()

    def _require_private(self, name: str, url: str) -> None:
        try:
            private = is_private_url(urlsplit(url))
        except ValueError:
            private = False
        if not private:
            raise SignInFailedError(
                f"The provider's {name} is not an https URL", "Ask the provider's operators", found=url
            )

    async def _fetch(
        self, method: str, url: str, body: str | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, Any]]:
        """The status, and the JSON object of the response; empty if it has none."""
        sent = {"Accept": "application/json", **headers}
        try:
            async with (
                httpx.AsyncClient(timeout=_TIMEOUT, verify=self._trust()) as client,
                client.stream(method, url, content=body, headers=sent) as response,
            ):
                received = b""
                async for chunk in response.aiter_bytes():
                    received += chunk
                    if len(received) > _MOST_BYTES:
                        break
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise SignInFailedError(
                "The provider does not answer",
                "Sign in with a token meanwhile. The gateway works without the provider",
                found=f"{urlsplit(url).netloc}: {str(error) or type(error).__name__}",
            ) from error
        try:
            found = json.loads(received)
        except ValueError:
            found = None
        return response.status_code, found if isinstance(found, dict) else {}

    def _trust(self) -> ssl.SSLContext | bool:
        return True if self.options.ca is None else ssl.create_default_context(cafile=self.options.ca)


_BASIC: Final = ("client_secret_basic",)
"""What a provider supports that does not say (OpenID Connect Discovery 1.0, §3)."""
