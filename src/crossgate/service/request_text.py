"""What somebody pastes to ask about a request: a URL, a command, a call or a browser's error message.

Only what a decision depends on is kept: the path without its query, the origin, the method, and the names of
headers. Values of headers, cookies, users in URLs, bodies: dropped while reading.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, urlsplit

from crossgate.policy.names import is_token
from crossgate.policy.origin_error import nearest_origin
from crossgate.policy.special_headers import is_forbidden_request_header
from crossgate.service.command_words import CommandStyle, find_style, split_command

MAX_TEXT: Final = 64 * 1024
_MAX_HEADERS: Final = 200
_LONGEST_TYPE: Final = 128


class TextKind(StrEnum):
    """What was pasted."""

    URL = "url"
    CURL = "curl"
    POWERSHELL = "powershell"
    FETCH = "fetch"
    HTTP = "http"
    BROWSER_ERROR = "browser-error"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class RequestText:
    """What was read. What is empty was not in the text."""

    kind: TextKind
    host: str = ""
    path: str = ""
    """Without the query, which decides nothing and can hold secrets."""
    origin: str = ""
    method: str = ""
    headers: list[str] = field(default_factory=list)
    """Names in lower case, without those that browsers set themselves."""
    headers_known: bool = False
    """Whether the text has the headers of the request, so that no name means none."""
    content_type: str = ""
    sec_fetch_site: str = ""
    ignored: list[str] = field(default_factory=list)
    """Names of headers and parts that were dropped."""

    def read(self) -> list[str]:
        """The names of what was read."""
        found = {
            "path": self.path,
            "host": self.host,
            "origin": self.origin,
            "method": self.method,
            "headers": self.headers or self.headers_known,
        }
        return [name for name, value in found.items() if value]


_SET_BY_BROWSER: Final = frozenset(
    {
        "accept",
        "accept-language",
        "cache-control",
        "content-language",
        "if-modified-since",
        "if-none-match",
        "pragma",
        "priority",
        "purpose",
        "range",
        "save-data",
        "upgrade-insecure-requests",
        "user-agent",
        "x-client-data",
    }
)
"""In what browsers copy, besides those that no script can set; a preflight does not name them."""
_URL: Final = re.compile(r"https?://[^\s'\"<>^`\u2018\u2019\u201c\u201d\xab\xbb\u201e]+", re.IGNORECASE)
_REQUEST_LINE: Final = re.compile(
    r"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}) (/\S*|https?://\S+)(?: HTTP/[0-9.]{1,3})?[ \t]*(?:\r?\n|$)"
)
_QUOTE: Final = "['\"\u2018\u2019\u201c\u201d\xab\xbb\u201e]"
_CHROME: Final = re.compile(
    r"Access to [^\n]{0,100}? at '([^'\s]+)'[^\n]*? from origin '([^'\s]+)' has been blocked by CORS policy"
)
_SAFARI_ORIGIN: Final = re.compile(r"Origin (\S+) is not allowed by Access-Control-Allow-Origin")
_METHOD: Final = re.compile(r"Method (\S{1,64}) is not allowed by Access-Control-Allow-Methods")
_HEADER: Final = re.compile(
    rf"(?:[Rr]equest header field|header|token) {_QUOTE}?([!#$%&*+\-.^_|~0-9A-Za-z]{{1,256}}){_QUOTE}? "
    r"(?:is not allowed|in CORS header)"
)
_BROWSER_ERROR: Final = re.compile(
    r"CORS|Cross-Origin|Access-Control-Allow-|due to access control checks", re.IGNORECASE
)


def parse_request_text(text: str) -> RequestText:
    """What can be read from the text; never raises. Only the first 64 KiB are read."""
    text = text[:MAX_TEXT].strip()
    if match := re.match(r"(?:await\s+)?fetch\s*\(", text):
        return _read_fetch(text[match.end() :])
    if re.match(r"curl(?:\.exe)?\s", text, re.IGNORECASE):
        return _read_curl(text)
    if re.search(r"\bInvoke-(?:WebRequest|RestMethod)\b", text, re.IGNORECASE):
        return _read_powershell(text)
    if match := _REQUEST_LINE.match(text):
        return _read_http(match, text)
    if _CHROME.search(text) or (_BROWSER_ERROR.search(text) and not _is_url(text)):
        return _read_error(text)
    if _is_url(text) or re.fullmatch(r"/[^\s/]\S*", text):
        return _with_url(RequestText(TextKind.URL), text)
    found = _URL.search(text)
    return (
        RequestText(TextKind.UNKNOWN) if found is None else _with_url(RequestText(TextKind.UNKNOWN), found[0])
    )


def _is_url(text: str) -> bool:
    return _URL.fullmatch(text) is not None


def _read_error(text: str) -> RequestText:
    made = RequestText(TextKind.BROWSER_ERROR)
    chrome = _CHROME.search(text)
    if chrome is not None:
        _with_url(made, chrome[1])
        made.origin = _origin(chrome[2])
    else:
        origin = _SAFARI_ORIGIN.search(text)
        made.origin = _origin(origin[1]) if origin is not None else ""
        urls = [one for one in _URL.findall(text) if one.rstrip(".,;:)") != made.origin]
        urls = [one for one in urls if "developer.mozilla.org/" not in one]
        if urls:
            _with_url(made, urls[0].rstrip(".,;:)"))
    method, header = _METHOD.search(text), _HEADER.search(text)
    if method is not None and is_token(method[1]):
        made.method = method[1]
    if header is not None:
        made.headers = [header[1].lower()]
    return made


def _read_http(match: re.Match[str], text: str) -> RequestText:
    made = RequestText(TextKind.HTTP, method=match[1])
    _with_url(made, match[2])
    head = re.split(r"\r?\n\r?\n", text[match.end() :], maxsplit=1)[0]
    return _with_headers(made, _pairs(head.splitlines()))


def _read_fetch(text: str) -> RequestText:
    made = RequestText(TextKind.FETCH, method="GET")
    try:
        url, end = json.JSONDecoder().raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        found = re.match(r"\s*['`]([^'`\s]*)['`]", text)
        url, end = (found[1], found.end()) if found else ("", 0)
    if isinstance(url, str):
        _with_url(made, url)
    start = text.find("{", end)
    options: object = None
    if start >= 0:
        try:
            options, _ = json.JSONDecoder().raw_decode(text[start:])
        except (ValueError, RecursionError):
            made.ignored.append("options")
            made.method = ""
            return made
    if not isinstance(options, dict):
        made.headers_known = True
        return made
    headers = options.get("headers")
    _with_headers(made, _strings(headers) if isinstance(headers, dict) else [])
    _set_method(made, options.get("method", "GET"))
    referrer = options.get("referrer")
    if not made.origin and isinstance(referrer, str):
        made.origin = _origin_of_page(referrer)
    if options.get("body") is not None:
        made.ignored.append("body")
    if options.get("credentials") == "include":
        made.ignored.append("credentials")
    return made


def _strings(headers: Mapping[object, object]) -> Iterator[tuple[str, str]]:
    return ((str(name), value if isinstance(value, str) else "") for name, value in headers.items())


_SHORT_WITH_VALUE: Final = frozenset("XHdbuAeoxmwTFEcCyYzrKtU")
_SAME: Final = {
    "": "url",
    "--url": "url",
    "-X": "request",
    "--request": "request",
    "-H": "header",
    "--header": "header",
    "-d": "body",
    "--data": "body",
    "--data-raw": "body",
    "--data-binary": "body",
    "--data-ascii": "body",
    "--data-urlencode": "body",
    "--json": "json",
    "-F": "form",
    "--form": "form",
    "--form-string": "form",
    "-b": "cookie",
    "--cookie": "cookie",
    "-u": "user",
    "--user": "user",
    "--oauth2-bearer": "user",
    "-I": "head",
    "--head": "head",
    "-G": "get",
    "--get": "get",
}
"""curl's options, each by one name; https://curl.se/docs/manpage.html"""
_MEDIA_TYPES: Final = {
    "json": "application/json",
    "body": "application/x-www-form-urlencoded",
    "form": "multipart/form-data",
}
_FLAGS: Final = frozenset(
    {
        "--compressed",
        "--fail",
        "--get",
        "--globoff",
        "--head",
        "--http1.1",
        "--http2",
        "--include",
        "--insecure",
        "--ipv4",
        "--ipv6",
        "--location",
        "--no-buffer",
        "--path-as-is",
        "--show-error",
        "--silent",
        "--verbose",
    }
)


def _read_curl(text: str) -> RequestText:
    made = RequestText(TextKind.CURL)
    values: dict[str, str] = {}
    headers: list[tuple[str, str]] = []
    for option, value in _options(split_command(text, find_style(text))[1:]):
        name = _SAME.get(option, option)
        if name == "header":
            headers += _pairs([value])
        else:
            values.setdefault(name, value)
            values[name] = value if name == "request" else values[name]
    url = values.get("url", "")
    if url:
        _with_url(made, url if "://" in url or url.startswith("/") else f"http://{url}")
    made.ignored += [name for name in ("cookie", "body", "json", "form") if name in values]
    if "user" in values:
        headers.append(("authorization", ""))
    sends_body = bool(values.keys() & _MEDIA_TYPES.keys()) and "get" not in values
    if sends_body and not any(name.lower() == "content-type" for name, _ in headers):
        headers += [("content-type", one) for name, one in _MEDIA_TYPES.items() if name in values][:1]
    _with_headers(made, headers)
    usual = "HEAD" if "head" in values else "POST" if sends_body else "GET"
    _set_method(made, values.get("request", usual))
    return made


def _options(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Options with their values; a URL has the empty option."""
    remaining = iter(words)
    for word in remaining:
        if word.startswith("--"):
            name, has_value, value = word.partition("=")
            if name in _FLAGS or name.startswith("--no-"):
                yield name, ""
            else:
                yield name, value if has_value else next(remaining, "")
        elif word.startswith("-") and len(word) > 1:
            yield from _short(word[1:], remaining)
        else:
            yield "", word


def _short(letters: str, remaining: Iterator[str]) -> Iterator[tuple[str, str]]:
    """The options of one word, such as ``-sX PATCH`` or ``-XPATCH``."""
    for at, letter in enumerate(letters):
        if letter in _SHORT_WITH_VALUE:
            yield f"-{letter}", letters[at + 1 :] or next(remaining, "")
            return
        yield f"-{letter}", ""


def _read_powershell(text: str) -> RequestText:
    made = RequestText(TextKind.POWERSHELL, method="GET")
    words = split_command(text, CommandStyle.POWERSHELL)
    headers: list[tuple[str, str]] = []
    in_headers = False
    remaining = iter(words)
    for word in remaining:
        lower = word.lower()
        if lower == "-uri":
            _with_url(made, next(remaining, ""))
        elif lower == "-method":
            _set_method(made, next(remaining, ""))
        elif lower == "-contenttype":
            headers.append(("content-type", next(remaining, "")))
        elif lower == "-body":
            next(remaining, "")
            made.ignored.append("body")
        elif lower == "-headers":
            in_headers = True
        elif word == "}":
            in_headers = False
        elif in_headers and word != "@{" and next(remaining, "") == "=":
            headers.append((word, next(remaining, "")))
    return _with_headers(made, headers)


def _pairs(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Header lines, also those that are empty in curl's way (``X-Name;``)."""
    found = []
    for line in lines:
        name, colon, value = line.partition(":")
        if colon or line.endswith(";"):
            found.append((name.rstrip("; \t"), value.strip()))
    return found


def _with_headers(made: RequestText, headers: Iterable[tuple[str, str]]) -> RequestText:
    requested_method, names = "", dict[str, None]()
    for count, (name, value) in enumerate(headers):
        lower = name.strip().lower().removeprefix(":")
        if count >= _MAX_HEADERS or not is_token(lower):
            continue
        match lower:
            case "origin":
                made.origin = _origin(value)
            case "host" | "authority":
                made.host = made.host or _host(value)
            case "content-type":
                made.content_type = value[:_LONGEST_TYPE]
                names[lower] = None
            case "sec-fetch-site" if value in ("same-origin", "same-site", "cross-site", "none"):
                made.sec_fetch_site = value
            case "access-control-request-method" if is_token(value):
                requested_method = value
            case "access-control-request-headers":
                names.update(dict.fromkeys(one for one in _names(value) if is_token(one)))
            case _ if lower in _SET_BY_BROWSER or is_forbidden_request_header(lower):
                made.ignored.append(lower)
            case _:
                names[lower] = None
    made.headers = list(names)
    made.headers_known = True
    if requested_method:
        made.method = requested_method
    return made


def _names(value: str) -> list[str]:
    return [one.strip().lower() for one in value.split(",")[:_MAX_HEADERS]]


def _set_method(made: RequestText, value: object) -> None:
    """The method, unless the headers are those of a preflight, which names another."""
    preflight = made.method and made.kind in (TextKind.CURL, TextKind.FETCH)
    if isinstance(value, str) and is_token(value) and not (preflight and value.upper() == "OPTIONS"):
        made.method = value


def _with_url(made: RequestText, url: str) -> RequestText:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return made
    if parts.scheme.lower() in ("http", "https") and parts.hostname:
        made.host = _host_of(parts, port)
        made.path = parts.path or "/"
    elif not parts.scheme and not parts.netloc and parts.path.startswith("/"):
        made.path = parts.path
    return made


def _host_of(parts: SplitResult, port: int | None) -> str:
    name = parts.hostname or ""
    name = f"[{name}]" if ":" in name else name
    return name if port is None else f"{name}:{port}"


def _host(value: str) -> str:
    return value if re.fullmatch(r"[A-Za-z0-9.\-_\[\]:]{1,300}", value) else ""


def _origin(value: str) -> str:
    """The origin as sent, if it is a short value without spaces; it may be a wrong one."""
    value = value.strip(" \t.,")
    return value if re.fullmatch(r"[!-~]{1,2000}", value) and "@" not in value else ""


def _origin_of_page(url: str) -> str:
    return (nearest_origin(url) or "") if re.match("https?://", url, re.IGNORECASE) else ""
