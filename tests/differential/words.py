"""The material of random policies and requests: what is allowed, what looks like it, what is junk."""

from __future__ import annotations

from typing import Final


def wire(text: str) -> str:
    """The UTF-8 bytes of the text as Latin-1, which is how header values stand for bytes here."""
    return text.encode().decode("latin-1")


def upper(text: str) -> str:
    """The text with its ASCII letters in upper case; everything else stays the byte that it stands for."""
    return text.encode("latin-1").upper().decode("latin-1")


HOSTS: Final = (
    "example.com",
    "example.org",
    "a.example.com",
    "b.a.example.com",
    "kiosk.example.com",
    "xn--mnchen-3ya.example",
    "localhost",
    "127.0.0.1",
    "[::1]",
    "[2001:db8::1]",
    "1password.com",
    "a_b.example.com",
)
NAMED_HOSTS: Final = tuple(host for host in HOSTS if host[0] not in "[1" or host[-1].isalpha())
SCHEMES: Final = ("https", "https", "https", "http", "http", "chrome-extension", "capacitor")
HOSTLESS: Final = ("file://", "app://", "app://.", "content://", "http-app://.")
PORTS: Final = ("", "", "", ":8443", ":3000", ":80", ":443", ":65535", ":1")

REGEXES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (r"https://pr-[0-9]+\.example\.com", ("https://pr-17.example.com", "https://pr-0.example.com")),
    (r"https://a\.example\.com|https://b\.example\.com", ("https://a.example.com", "https://b.example.com")),
    (r"https://.*\.example\.com", ("https://a.example.com", "https://b.a.example.com")),
    (r"https?://(.+\.)?example\.org(:[0-9]+)?", ("http://example.org", "https://x.example.org:8443")),
    (r"(?i)https://KIOSK\.example\.com", ("https://kiosk.example.com",)),
    (r"(?i)https://[k-s]+\.example\.com", ("https://kiosk.example.com", "https://s.example.com")),
    (r"^https://example\.com$", ("https://example.com",)),
    (r"https://[^.]+\.example\.com", ("https://a.example.com", "https://a!b.example.com")),
    (r"https://\w+\.example\.com", ("https://a_b.example.com",)),
    (r".*", ("https://evil.org", "null", "http://[::1]:3000")),
    (r"null|https://example\.com", ("null", "https://example.com")),
    (r"https://example\.com:\d{4}", ("https://example.com:8443",)),
    (r"(?s)https://.+", ("https://example.com", "https://evil.org")),
    ("", ()),
)

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "patch", "M-SEARCH")
ASKED_METHODS: Final = (*METHODS, "TRACE", "connect", "Track", "*", "GETS", "GE")
WIRE_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "TRACK", "TRY")
"""Methods that every parser on the way accepts in the request line, beside OPTIONS."""

SEC_FETCH_SITE_LINES: Final = (
    ("same-origin",),
    ("same-origin",),
    ("same-origin",),
    ("same-site",),
    ("cross-site",),
    ("none",),
    ("",),
    ("Same-Origin",),
    ("same-origin;v=1",),
    ("same-origin,same-origin",),
    ("same-origin", "same-origin"),
    ("same-origin", "cross-site"),
    ("", "same-origin"),
    ("same-origin", ""),
)

HOST_LINES: Final = (
    ("gateway.example:8080",),
    ("one.example", "two.example"),
    ("user@gateway.example",),
    ("one.example,two.example",),
)

PATHS: Final = (
    "/ok",
    "/%2e%2e;/x",
    "/.%2e;a=1/x",
    "/%2e;",
    "/x/%252e%252e/y",
    "/..%2fx",
    "/x%2f..",
    "/x%5C..%5cy",
    "/%252e%252e%252fx",
    "/%u002e%u002e/x",
    "/..%3b/x",
    "/P('a%2Fb')",
    "/..x/y",
    "/a%2F.b",
    "/...",
    "/x;v=1/y",
    "/%C3%A4%20",
)
"""What follows an endpoint: dot segments in disguise, and legal paths that look like them."""

UNDERSCORED: Final = (
    "Access_Control_Request_Method",
    "Access-Control-Request_Method",
    "access_control-request-headers",
    "Access-Control-Request_Headers",
    "Sec_Fetch_Site",
    "sec-fetch_site",
    "Content_Type",
    "X_Forwarded_Host",
    "api_key",
)
"""Names with an underscore: all count as absent, where the gateway accepts them."""

HEADERS: Final = (
    "X-One",
    "X-Token",
    "Content-Type",
    "Authorization",
    "X-Kiosk-Skin",
    "Accept",
    "x-lower",
    "K",
    "S",
    "If-None-Match",
    "x!#$%&'*+-.^_`|~",
)

LOOK_ALIKES: Final = (
    ("k", wire("\u212a")),  # KELVIN SIGN: folds to k
    ("K", wire("\u212a")),
    ("s", wire("\u017f")),  # LATIN SMALL LETTER LONG S: folds to s
    ("S", wire("\u017f")),
    (".", wire("\uff0e")),
    (".", wire("\u3002")),
    ("a", wire("\u0430")),
    ("e", wire("\u00e9")),
    ("e", "\xe9"),
    ("i", wire("\u0131")),
    ("o", "0"),
    ("l", "1"),
    ("-", "_"),
    (".", "x"),
    ("/", "\\"),
)
INSERTS: Final[tuple[str, ...]] = (
    *" \t,;:@#?/\\%.*-_!\"$&'()+=<>[]^`{|}~0aAzZ\xa0\xff\xc3\x80",
    "%2e",
    "%00",
    "evil.org",
    "evil.org#",
    "evil.org?",
    "evil.org/",
    "u:p@",
    "https://",
    ":443",
    ":80",
    ":8443",
    ":0",
    ":65536",
    ".evil.org",
    "null",
    "xn--",
    wire("\u00fc"),
    wire("\U0001f600"),
)
JUNK: Final = (
    "",
    "*",
    "null",
    "NULL",
    "https://",
    "://",
    "https://*",
    "https://*.example.com",
    "example.com",
    "https://evil.org",
    "https://evil.org#.example.com",
    "https://evil.org,https://example.com",
    "http://1.2.3",
    "http://0x7f.1",
    "https://example.1",
    "https://example.0x",
    "http://[::1",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://[1::2:0:0:0:3]",
    *HOSTLESS,
    "http://.",
    "wss://.",
    "ftp://",
    "file://:80",
    "file:///",
    "app://..",
    "data:text/html,x",
    "\xff",
    "\xff\xfe",
    wire("\ufeff") + "https://example.com",
    "<script>",
    '"',
)
