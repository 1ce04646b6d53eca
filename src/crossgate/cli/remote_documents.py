"""Fetches documents by http and https: from public addresses only, within limits.

A reference in a document is written by somebody else. It must not make this machine send requests into its
own networks. So the host's name is resolved once, each of its addresses is judged, and the connection goes to
a judged address itself: a name server cannot answer differently a second time. TLS is verified for the name.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

import httpx

from crossgate.catalogue.named_file import MAX_BYTES
from crossgate.dataplane.native_addresses import resolve_names
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.net.address import is_ip_address
from crossgate.net.public_address import IpAddress, is_public

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 20.0
MAX_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LAST_PORT: Final = 65535
_ACCEPT: Final = "application/json, application/yaml, application/xml, text/yaml, text/xml, */*;q=0.5"

Judge = Callable[[IpAddress], bool]
"""Whether a document may be fetched from the address."""


@dataclass(frozen=True, slots=True)
class RemoteDocument:
    """What was fetched, and the URL after all redirects."""

    url: str
    data: bytes


def fetch_document(
    url: str, base: str, *, named_by_user: bool = False, judge: Judge = is_public
) -> RemoteDocument:
    """The document at the URL, to which the document ``base`` refers.

    A URL that the user named may have any address, and so may its redirects within the same host; those to
    other hosts are judged.

    Raises:
        InvalidInput: it is refused, too large, or cannot be fetched.

    """
    try:
        return asyncio.run(_fetch_in_time(url, base, named_by_user=named_by_user, judge=judge))
    except TimeoutError as error:
        message = f"the document did not arrive within {TOTAL_SECONDS:g} s"
        raise _failed(base, url, message, "Try again later, or save the document to a file") from error


async def _fetch_in_time(url: str, base: str, *, named_by_user: bool, judge: Judge) -> RemoteDocument:
    async with asyncio.timeout(TOTAL_SECONDS):
        return await _follow(url, base, named_by_user=named_by_user, judge=judge)


async def _follow(url: str, base: str, *, named_by_user: bool, judge: Judge) -> RemoteDocument:
    target = named = _parse(url, base)
    for _ in range(MAX_REDIRECTS + 1):
        trusted = named_by_user and _same_host(named, target)
        addresses = await _resolve(target, base, None if trusted else judge)
        answer = await _request(target, addresses, base)
        if isinstance(answer, bytes):
            return RemoteDocument(str(target), answer)
        target = _parse(str(target.join(answer)), base)
    message = f"the server redirects more than {MAX_REDIRECTS} times"
    raise _failed(base, url, message, "Name the URL of the document itself")


def _parse(url: str, base: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url).copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError) as error:
        raise _refused(base, url, "invalid URL", "Correct the URL") from error
    if parsed.scheme not in _DEFAULT_PORTS or not parsed.host:
        raise _refused(base, url, "only http and https are followed", "Save the document to a file")
    if _port(parsed) > _LAST_PORT:
        raise _refused(base, url, "invalid port", "Correct the URL")
    if parsed.userinfo:
        # It is not shown: a password may be in it.
        found = str(parsed.copy_with(userinfo=b""))
        raise _refused(base, found, "a URL with a user name or password", "Save the document to a file")
    return parsed


def _same_host(named: httpx.URL, target: httpx.URL) -> bool:
    """Whether it is the host that the user named, at the same port or at the default port of https."""
    if named.host != target.host:
        return False
    return _port(named) == _port(target) or (named.port is None and target.port is None)


def _port(url: httpx.URL) -> int:
    return url.port or _DEFAULT_PORTS[url.scheme]


async def _resolve(url: httpx.URL, base: str, judge: Judge | None) -> list[IpAddress]:
    """The addresses of the host; all of them are judged, since a name server chooses their order."""
    host = url.raw_host.decode("ascii").strip("[]")
    if is_ip_address(host):
        addresses = [ip_address(host)]
    else:
        found = await asyncio.to_thread(resolve_names, [host], CONNECT_SECONDS)
        addresses = list(dict.fromkeys(found.get(host, ())))
    if not addresses:
        raise _failed(base, str(url), "the host has no address", "Check the URL and the name server")
    if judge is not None and not all(map(judge, addresses)):
        raise _refused(
            base,
            str(url),
            "the host is in a private or special network, into which no reference is followed",
            "Save the document to a file, or name its URL on the command line",
        )
    return addresses


async def _request(url: httpx.URL, addresses: list[IpAddress], base: str) -> bytes | str:
    """The document, or where the server redirects to."""
    error: Exception | None = None
    for address in addresses:
        try:
            return await _request_from(url, address, base)
        except httpx.ConnectError as unreachable:
            error = unreachable
        except (httpx.HTTPError, httpx.InvalidURL, zlib.error, ssl.SSLError) as broken:
            error = broken
            break
    reason = str(error) or type(error).__name__
    message = f"the document cannot be fetched: {reason}"
    raise _failed(base, str(url), message, "Check the URL, or save the document to a file") from error


async def _request_from(url: httpx.URL, address: IpAddress, base: str) -> bytes | str:
    headers = {
        "Host": url.netloc.decode("ascii"),
        "Accept": _ACCEPT,
        "Accept-Encoding": "gzip",
        "User-Agent": "crossgate-import",
    }
    # The name of SNI is also the one for which the certificate is verified.
    extensions = {"sni_hostname": url.raw_host.decode("ascii").strip("[]")}
    timeout = httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS)
    # Proxies and credentials from the environment are not for the hosts of references.
    async with (
        httpx.AsyncClient(trust_env=False, timeout=timeout, follow_redirects=False) as client,
        client.stream(
            "GET", url.copy_with(host=str(address)), headers=headers, extensions=extensions
        ) as response,
    ):
        if response.status_code in _REDIRECTS and "location" in response.headers:
            return str(response.headers["location"])
        if response.status_code != HTTPStatus.OK:
            message = f"the server answers {response.status_code}"
            raise _failed(base, str(url), message, "Check the URL, or save the document to a file")
        return await _read(response, url, base)


async def _read(response: httpx.Response, url: httpx.URL, base: str) -> bytes:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        message = f"the server sends the document in the encoding {encoding}, which is not read"
        raise _failed(base, str(url), message, "Save the document to a file")
    # Not by httpx: it unpacks a whole chunk at once, whatever that becomes.
    unpack = None if encoding == "identity" else zlib.decompressobj(wbits=31)
    data = bytearray()
    async for chunk in response.aiter_raw():
        data += chunk if unpack is None else unpack.decompress(chunk, MAX_BYTES + 1 - len(data))
        if len(data) > MAX_BYTES:
            message = f"the document is larger than {MAX_BYTES // 2**20} MiB"
            raise _failed(base, str(url), message, "Check the URL")
    if unpack is not None and (not unpack.eof or unpack.unused_data):
        message = "the compressed document is not complete"
        raise _failed(base, str(url), message, "Try again, or save the document to a file")
    return bytes(data)


def _refused(base: str, found: str, message: str, remedy: str) -> InvalidInput:
    return InvalidInput([Diagnostic("reference-refused", message, remedy, Place(file=base), found=found)])


def _failed(base: str, found: str, message: str, remedy: str) -> InvalidInput:
    return InvalidInput([Diagnostic("document-unreachable", message, remedy, Place(file=base), found=found)])
