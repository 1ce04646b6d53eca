"""Writes that no page of this session has sent, on a page of the test's own."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from crossgate.console.csrf import CSRF_HEADER, refuse_forged_write
from crossgate.console.form_body import MAX_FIELDS, MAX_PARTS, FormRefusedError, form_fields, multipart_form

SECRET = "the-token-of-the-session"
OWN = {"Origin": "http://testserver"}


class Browser:
    """Posts forms to the page."""

    def post(self, path: str, **sent: Any) -> httpx.Response:
        return asyncio.run(self._post(path, sent))

    async def _post(self, path: str, sent: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=[Route("/write", _write, methods=["POST"])]))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.post(path, **sent)


async def _write(request: Request) -> Response:
    refused = await refuse_forged_write(request, SECRET)
    return refused or PlainTextResponse("written")


@pytest.fixture
def browser() -> Browser:
    return Browser()


def test_own_forms_and_scripts_write(browser: Browser) -> None:
    assert browser.post("/write", data={"csrf": SECRET}, headers=OWN).text == "written"
    assert browser.post("/write", headers={**OWN, CSRF_HEADER: SECRET}).text == "written"
    by_metadata = {"Sec-Fetch-Site": "same-origin", CSRF_HEADER: SECRET}
    assert browser.post("/write", headers=by_metadata).text == "written"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_other_sites_do_not_write(browser: Browser, site: str) -> None:
    refused = browser.post("/write", data={"csrf": SECRET}, headers={**OWN, "Sec-Fetch-Site": site})
    assert refused.status_code == 403
    assert "did not come from a page of this console" in refused.text


def test_a_request_without_origin_does_not_write(browser: Browser) -> None:
    assert browser.post("/write", data={"csrf": SECRET}).status_code == 403


@pytest.mark.parametrize("csrf", ["", "x", SECRET[:-1], "é"])
def test_another_token_does_not_write_and_keeps_the_fields(browser: Browser, csrf: str) -> None:
    typed = {"csrf": csrf, "origin": '\n"><script>', "name": "2"}
    refused = browser.post("/write", data=typed, headers=OWN)
    assert (refused.status_code, refused.headers["Crossgate-Session"]) == (403, "another-session")
    assert f'name="csrf" value="{SECRET}"' in refused.text
    assert '<textarea hidden name="origin">\n\n&#34;&gt;&lt;script&gt;</textarea>' in refused.text
    assert csrf == "" or f'value="{csrf}"' not in refused.text


def test_a_form_without_length_or_too_large_is_not_read(browser: Browser) -> None:
    headers = {**OWN, CSRF_HEADER: SECRET, "Content-Length": str(1 << 40)}
    assert browser.post("/write", content=b"", headers=headers).status_code == 413


def test_a_length_that_chunks_override_is_none(browser: Browser) -> None:
    headers = {**OWN, CSRF_HEADER: SECRET, "Content-Length": "3", "Transfer-Encoding": "chunked"}
    assert browser.post("/write", content=b"a=b", headers=headers).status_code == 413


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"a&" * MAX_FIELDS, 413), (b"csrf=%zz", 403), (b"csrf=%", 403)],
    ids=["many fields", "no escape", "half an escape"],
)
def test_a_form_that_no_page_sends_is_refused(browser: Browser, body: bytes, status: int) -> None:
    headers = {**OWN, "Content-Type": "application/x-www-form-urlencoded"}
    assert browser.post("/write", content=body, headers=headers).status_code == status


def test_fields_are_decoded_as_browsers_encode_them() -> None:
    values = ["", " ", "+", "=", "==", "a=b&c", "\r\n", " \n", "_", "é\u202e", "%41", "=\n", "\0", ".", "\t"]
    pairs = [(name, value) for name in values for value in values]
    assert form_fields(urlencode(pairs).encode()) == pairs
    assert form_fields(b"a&&=b&c=d=e&raw=\xc3\xa9&bad=%ff") == [
        ("a", ""),
        ("", "b"),
        ("c", "d=e"),
        ("raw", "é"),
        ("bad", "\ufffd"),
    ]


def test_a_form_with_a_file_writes(browser: Browser) -> None:
    sent = {"data": {"csrf": SECRET}, "files": {"upload": ("a.yaml", b"x")}}
    assert browser.post("/write", **sent, headers=OWN).text == "written"
    sent["data"] = {"csrf": "another", "typed": "kept"}
    refused = browser.post("/write", **sent, headers=OWN)
    assert refused.status_code == 403
    assert '<textarea hidden name="typed">' in refused.text


def test_files_keep_each_byte_and_fields_are_strings() -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    content = bytes(range(256)) + b"\r\n--c\r\n--"
    body = part % (b"native", b"", b"a\r\nb") + part % (b"upload", b'; filename="x \xc3\xa9.zip"', content)
    body += part % (b"empty", b'; filename=""', b"") + part % (b"bad", b"", b"\xff") + b"--b--\r\n"
    form = multipart_form(body, "b")
    assert form.fields == [("native", "a\r\nb"), ("bad", "\ufffd")]
    assert list(form.files) == ["upload"]
    assert (form.files["upload"].name, form.files["upload"].data) == ("x é.zip", content)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"a=b",
        b"--b\r\n\r\nx\r\n--b--",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n' + b"x" * 9000,
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * (MAX_PARTS + 1),
    ],
    ids=["empty", "url-encoded", "no name", "cut off", "long header", "many parts"],
)
def test_a_malformed_form_with_files_is_refused(body: bytes, browser: Browser) -> None:
    with pytest.raises(FormRefusedError):
        multipart_form(body, "b")
    for kind in ("multipart/form-data; boundary=b", "multipart/form-data"):
        headers = {**OWN, "Content-Type": kind}
        assert browser.post("/write", content=body, headers=headers).status_code in (403, 413)
