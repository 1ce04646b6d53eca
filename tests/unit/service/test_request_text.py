"""What is read from pasted text, and that no secret is."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossgate.service.request_text import MAX_TEXT, TextKind, parse_request_text

URL = "https://api.example.com/gateway/petstore/1.0/pets/81"
ORIGIN = "https://app.example.com"

BASH = f"""curl '{URL}?key=SECRET' \\
  -X 'PATCH' \\
  -H 'accept: */*' \\
  -H 'accept-language: en-US,en;q=0.9' \\
  -H 'authorization: Bearer SECRET' \\
  -H 'content-type: application/json' \\
  -b 'session=SECRET; other=SECRET' \\
  -H 'origin: {ORIGIN}' \\
  -H 'sec-fetch-site: same-site' \\
  -H $'x-trace: it\\'s \\u0053ECRET' \\
  -H 'user-agent: Mozilla/5.0' \\
  --data-raw '{{"name":"SECRET"}}'"""
CMD = f"""curl ^"{URL}?key=SECRET^" ^
  -X ^"PATCH^" ^
  -H ^"accept: */*^" ^
  -H ^"authorization: Bearer SECRET^" ^
  -H ^"content-type: application/json^" ^
  -b ^"session=SECRET^" ^
  -H ^"origin: {ORIGIN}^" ^
  -H ^"x-trace: ^\\^"SECRET^\\^"^" ^
  --data-raw ^"^{{^\\^"name^\\^":^\\^"SECRET^\\^"^}}^" """
POWERSHELL = f"""$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession
$session.Cookies.Add((New-Object System.Net.Cookie("session", "SECRET", "/", "api.example.com")))
Invoke-WebRequest -UseBasicParsing -Uri "{URL}?key=SECRET" `
-Method "PATCH" `
-WebSession $session `
-Headers @{{
"accept"="*/*"
  "authorization"="Bearer SECRET"
  "origin"="{ORIGIN}"
  "x-trace"="a `"SECRET`""
}} `
-ContentType "application/json" `
-Body "{{`"name`":`"SECRET`"}}" """
FETCH = f"""fetch("{URL}?key=SECRET", {{
  "headers": {{
    "accept": "*/*",
    "authorization": "Bearer SECRET",
    "content-type": "application/json",
    "x-trace": "SECRET"
  }},
  "referrer": "{ORIGIN}/page?SECRET",
  "body": "{{\\"name\\":\\"SECRET\\"}}",
  "method": "PATCH",
  "mode": "cors",
  "credentials": "include"
}});"""
HTTP = f"""PATCH /gateway/petstore/1.0/pets/81?key=SECRET HTTP/1.1\r
Host: api.example.com\r
Origin: {ORIGIN}\r
Authorization: Bearer SECRET\r
Content-Type: application/json\r
Cookie: session=SECRET\r
X-Trace: SECRET\r
\r
{{"name": "SECRET"}}"""


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (BASH, "curl"),
        (CMD, "curl"),
        (POWERSHELL, "powershell"),
        (FETCH, "fetch"),
        (f"await {FETCH}", "fetch"),
        (HTTP, "http"),
    ],
    ids=["bash", "cmd", "powershell", "fetch", "firefox", "http"],
)
def test_a_copied_request_is_read_without_its_secrets(text: str, kind: str) -> None:
    found = parse_request_text(text)
    assert found.kind == kind
    assert (found.host, found.path) == ("api.example.com", "/gateway/petstore/1.0/pets/81")
    assert (found.origin, found.method) == (ORIGIN, "PATCH")
    assert sorted(found.headers) == ["authorization", "content-type", "x-trace"]
    assert found.content_type == "application/json"
    assert "SECRET" not in str(asdict(found))


BLOCKED = f"Access to fetch at '{URL}' from origin '{ORIGIN}' has been blocked by CORS policy:"
FIREFOX = "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at"
CHROME = (
    f"Access to fetch at '{URL}' from origin '{ORIGIN}' has been blocked by CORS policy: Response to "
    "preflight request doesn't pass access control check: No 'Access-Control-Allow-Origin' header is present "
    "on the requested resource."
)


@pytest.mark.parametrize(
    ("text", "path", "origin", "method", "headers"),
    [
        (CHROME, True, ORIGIN, "", []),
        (CHROME.replace("fetch", "XMLHttpRequest"), True, ORIGIN, "", []),
        (
            (f"{BLOCKED} Method PATCH is not allowed by Access-Control-Allow-Methods in preflight response."),
            True,
            ORIGIN,
            "PATCH",
            [],
        ),
        (
            (
                f"{BLOCKED} Request "
                "header field x-trace is not allowed by Access-Control-Allow-Headers in preflight response."
            ),
            True,
            ORIGIN,
            "",
            ["x-trace"],
        ),
        (
            (
                f"{FIREFOX} "
                f"{URL}. (Reason: CORS header \u2018Access-Control-Allow-Origin\u2019 "
                "missing). Status code: 403."
            ),
            True,
            "",
            "",
            [],
        ),
        (
            (
                "Quellübergreifende (Cross-Origin) Anfrage blockiert: Die Gleiche-Quelle-Regel verbietet "
                f"das Lesen der externen Ressource auf {URL}. (Grund: CORS-Kopfzeile "
                "'Access-Control-Allow-Origin' "
                "fehlt). Statuscode: 403."
            ),
            True,
            "",
            "",
            [],
        ),
        (
            (
                f"{FIREFOX} "
                f"{URL}. (Reason: header \u2018x-trace\u2019 is not allowed according to header "
                "\u2018Access-Control-Allow-Headers\u2019 from CORS preflight response)."
            ),
            True,
            "",
            "",
            ["x-trace"],
        ),
        (
            f"Origin {ORIGIN} is not allowed by Access-Control-Allow-Origin. Status code: 403",
            False,
            ORIGIN,
            "",
            [],
        ),
        (f"Fetch API cannot load {URL} due to access control checks.", True, "", "", []),
        ("Method PATCH is not allowed by Access-Control-Allow-Methods.", False, "", "PATCH", []),
    ],
)
def test_what_browsers_write_on_their_console(
    text: str, path: bool, origin: str, method: str, headers: list[str]
) -> None:
    found = parse_request_text(text)
    assert found.kind is TextKind.BROWSER_ERROR
    assert found.path == ("/gateway/petstore/1.0/pets/81" if path else "")
    assert (found.origin, found.method, found.headers) == (origin, method, headers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (URL, ("api.example.com", "/gateway/petstore/1.0/pets/81", "")),
        ("https://user:SECRET@api.example.com:8443", ("api.example.com:8443", "/", "")),
        ("/gateway/petstore/1.0", ("", "/gateway/petstore/1.0", "")),
        ("curl -sXDELETE api.example.com/a -H'Origin: null'", ("api.example.com", "/a", "DELETE")),
        ("curl --json '{}' https://api.example.com/a", ("api.example.com", "/a", "POST")),
        ("curl -I https://api.example.com/a", ("api.example.com", "/a", "HEAD")),
        ("curl --max-time 3 -G -d q=1 https://api.example.com/a", ("api.example.com", "/a", "GET")),
        (
            (
                "curl -X OPTIONS https://api.example.com/a -H 'Access-Control-Request-Method: PUT' "
                "-H 'Access-Control-Request-Headers: x-a, x-b'"
            ),
            ("api.example.com", "/a", "PUT"),
        ),
        ("good morning", ("", "", "")),
        ("http://[", ("", "", "")),
        ("", ("", "", "")),
    ],
)
def test_short_texts(text: str, expected: tuple[str, str, str]) -> None:
    found = parse_request_text(text)
    assert (found.host, found.path, found.method) == expected


_PIECES = st.sampled_from(
    [
        "curl ",
        "fetch(",
        '"',
        "'",
        "^",
        "`",
        "\\",
        "\n",
        "$'",
        "-H ",
        "-X",
        "{",
        "}",
        ":",
        "@{",
        "=",
        CHROME,
        URL,
    ]
)


@given(st.lists(_PIECES | st.text(max_size=8), max_size=40).map("".join))
@settings(max_examples=150, deadline=None)
def test_no_text_fails(text: str) -> None:
    found = parse_request_text(text)
    assert all(one.isascii() for one in (found.method, found.origin, *found.headers))


@given(
    st.from_regex(r"[A-Za-z0-9]{16,24}", fullmatch=True),
    st.sampled_from([BASH, CMD, POWERSHELL, FETCH, HTTP]),
)
@settings(max_examples=50, deadline=None)
def test_no_secret_is_kept(secret: str, text: str) -> None:
    assert secret not in str(asdict(parse_request_text(text.replace("SECRET", secret))))


@pytest.mark.parametrize("piece", ["'", '\\"', "^\n", "{", "[", "`", "-H 'a: b' ", "Access to ", "Origin "])
def test_long_texts_are_bounded(piece: str) -> None:
    for start in ("curl ", "fetch(", 'fetch("a",', "CORS ", "Invoke-WebRequest ", "GET / HTTP/1.1\n"):
        parse_request_text(start + piece * (2 * MAX_TEXT // len(piece)))
