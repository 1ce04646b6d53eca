"""The measured policies and requests, independent of any library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Final

SHOP: Final = "https://shop.example.com"
EVIL: Final = "https://evil.example.org"
METHODS: Final = ("GET", "POST", "PUT")
HEADERS: Final = ("X-Token", "Content-Type")
EXPOSED: Final = ("X-Out",)
MAX_AGE: Final = 600

# Other headers of a browser.
_BROWSER: Final = (
    ("Host", "api.example.com"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0"),
    ("Accept", "application/json"),
    ("Accept-Language", "en"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Referer", "https://shop.example.com/"),
    ("Sec-Fetch-Mode", "cors"),
    ("Sec-Fetch-Site", "cross-site"),
)


@dataclass(frozen=True, slots=True)
class Origins:
    """A set of allowed origins; libraries without wildcards use the regular expression."""

    name: str
    exact: tuple[str, ...] = ()
    wildcard: str | None = None
    regex: str | None = None
    allowed: str = SHOP


@dataclass(frozen=True, slots=True)
class Request:
    """One request, with the other headers of a browser."""

    name: str
    method: str
    headers: tuple[tuple[str, str], ...]
    others: tuple[Request, ...] = ()
    """More requests, sent in turn with this one."""

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """All header lines."""
        return (*_BROWSER, *self.headers)


def _numbered(count: int) -> Origins:
    exact = tuple(f"https://pr-{number}.example.com" for number in range(count - 1))
    return Origins(f"{count:,} origin{'s' if count > 1 else ''}", (*exact, SHOP))


ORIGINS: Final = (
    _numbered(1),
    _numbered(1_000),
    _numbered(100_000),
    Origins("a wildcard", wildcard="https://*.example.com", regex=r"https://([a-z0-9-]+\.)+example\.com"),
    Origins("a regex", regex=r"https://(shop|pr-[0-9]+)\.example\.com"),
)


def requests(allowed: str) -> Iterator[Request]:
    """A request and a preflight, each allowed and refused, and a request without an origin."""
    yield Request("no Origin", "GET", ())
    for what, origin in (("allowed", allowed), ("refused", EVIL)):
        yield Request(f"request, {what}", "GET", (("Origin", origin),))
        yield preflight(f"preflight, {what}", "content-type,x-token", origin)


def newcomers(*domains: str, count: int = 1_500) -> Iterator[Request]:
    """Requests and preflights whose origin is not cached."""
    for domain in domains:
        what = "allowed" if domain == "example.com" else "refused"
        origins = [f"https://pr-{number}.{domain}" for number in range(count)]
        requests_ = [Request(f"request, {what}, not cached", "GET", (("Origin", o),)) for o in origins]
        yield replace(requests_[0], others=tuple(requests_[1:]))
        requests_ = [preflight(f"preflight, {what}, not cached", "content-type,x-token", o) for o in origins]
        yield replace(requests_[0], others=tuple(requests_[1:]))


def preflight(name: str, names: str, origin: str = SHOP) -> Request:
    """A preflight that requests these header names."""
    headers = (("Access-Control-Request-Method", "PUT"), ("Access-Control-Request-Headers", names))
    return Request(name, "OPTIONS", (("Origin", origin), *headers))


def hostile_origins() -> Iterator[Request]:
    """Origins as long as a request head, that no browser sends."""
    size = 2**14 - 64
    for name, origin in (
        ("labels, another domain", f"https://{'a.' * (size // 2)}example.net"),
        ("labels, then junk", f"https://{'a.' * (size // 2)}example.com#"),
        ("dots", "https://" + "." * size),
        ("one label", "https://" + "a" * size),
        ("schemes", "https://" * (size // 8)),
        ("a long port", "https://evil.example.org:" + "9" * size),
        ("1 MiB", "a" * 2**20),
    ):
        yield Request(name, "GET", (("Origin", origin),))


def hostile_preflights() -> Iterator[Request]:
    """Lists of header names that no browser sends."""
    random = Random(1)  # noqa: S311 - the same on every run
    for label, size in (("1 KiB", 2**10), ("64 KiB", 2**16), ("1 MiB", 2**20)):
        yield preflight(f"{label} of commas", "," * size)
        yield preflight(f"{label} of spaces between names", "x-token" + " " * size + ",x-token")
        yield preflight(f"{label} of separators", "".join(random.choices(", \t", k=size)) + "x-token")
        yield preflight(f"{label} of a name", "x-token," * (size // 8))
        yield preflight(f"{label} of junk", "".join(chr(random.randrange(33, 127)) for _ in range(size)))
