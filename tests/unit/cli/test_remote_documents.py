"""Fetching referenced documents: from judged addresses only, and within limits."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import certifi
import pytest
import trustme

from crossgate.catalogue.named_file import MAX_BYTES
from crossgate.cli import remote_documents
from crossgate.cli.remote_documents import fetch_document
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.net.public_address import IpAddress, is_public


@dataclass
class Site:
    """What a server answers by its path, and the requests that it got."""

    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@contextmanager
def serving(site: Site, tls: ssl.SSLContext | None = None) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requests.append((self.path, self.headers["Host"]))
            site.headers.append(dict(self.headers))
            status, headers, body = site.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        site.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    with serving(made):
        yield made


def anywhere(_: IpAddress) -> bool:
    return True


def loopback_too(address: IpAddress) -> bool:
    return address.is_loopback or is_public(address)


def refusal(url: str, **options: Any) -> Diagnostic:
    with pytest.raises(InvalidInput) as refused:
        fetch_document(url, "api.yaml", **options)
    (one,) = refused.value.diagnostics
    assert one.place.file == "api.yaml"
    return one


def test_a_document_is_fetched(site: Site) -> None:
    site.answers["/pet.yaml?v=1"] = 200, {}, b"type: object\n"
    found = fetch_document(site.url("/pet.yaml?v=1#/a"), "api.yaml", judge=anywhere)
    assert (found.url, found.data) == (site.url("/pet.yaml?v=1"), b"type: object\n")
    assert site.requests == [("/pet.yaml?v=1", f"127.0.0.1:{site.port}")]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "http://100.100.100.200/",
        "http://[fd00:ec2::254]/",
        "http://[2002:7f00:1::]/",
    ],
)
def test_addresses_that_are_not_public_are_refused(url: str) -> None:
    assert "private or special network" in refusal(url).message


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [ip_address("1.1.1.1"), ip_address("192.168.0.1")]
    monkeypatch.setattr(remote_documents, "resolve_names", lambda names, _: dict.fromkeys(names, both))
    assert refusal("http://docs.example/").code == "reference-refused"


def test_the_connection_goes_to_the_judged_address(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    resolved: list[str] = []

    def resolve(names: list[str], _: float) -> dict[str, list[IpAddress]]:
        resolved.extend(names)
        return {name: [ip_address("127.0.0.1")] for name in names}

    monkeypatch.setattr(remote_documents, "resolve_names", resolve)
    site.answers["/a"] = 200, {}, b"a: 1\n"
    found = fetch_document(site.url("/a", "docs.example"), "api.yaml", judge=anywhere)
    assert found.data == b"a: 1\n"
    assert site.requests == [("/a", f"docs.example:{site.port}")]
    assert resolved == ["docs.example"]


def test_proxies_of_the_environment_are_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.answers["/a"] = 200, {}, b"a"
    assert fetch_document(site.url("/a"), "api.yaml", judge=anywhere).data == b"a"


@pytest.mark.parametrize(("name", "accepted"), [("docs.example", True), ("other.example", False)])
def test_certificates_are_verified_for_the_name(
    name: str, accepted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("docs.example").configure_cert(context)
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setattr(certifi, "where", lambda: str(trusted))
    here = [ip_address("127.0.0.1")]
    monkeypatch.setattr(remote_documents, "resolve_names", lambda names, _: dict.fromkeys(names, here))
    site = Site({"/a": (200, {}, b"a")})
    with serving(site, context):
        url = f"https://{name}:{site.port}/a"
        if accepted:
            assert fetch_document(url, "api.yaml", judge=anywhere).data == b"a"
        else:
            assert "certificate" in refusal(url, judge=anywhere).message.lower()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("ftp://docs.example/a", "only http and https"),
        ("http:///a", "only http and https"),
        ("http://docs.example:99999999/", "invalid port"),
        ("http://docs.example:a/", "invalid URL"),
        ("http://ann:secret@docs.example/", "user name or password"),
    ],
)
def test_other_urls_are_refused(url: str, message: str) -> None:
    found = refusal(url)
    assert message in found.message
    assert "secret" not in str(found)


def test_redirects_are_followed_and_the_last_url_counts(site: Site) -> None:
    site.answers["/a"] = 302, {"Location": "b/c"}, b""
    site.answers["/b/c"] = 200, {}, b"c"
    assert fetch_document(site.url("/a"), "api.yaml", judge=anywhere).url == site.url("/b/c")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("http://169.254.169.254/latest", "private or special network"),
        ("file:///etc/passwd", "only http and https"),
        ("http://ann:secret@127.0.0.1/", "user name or password"),
    ],
)
@pytest.mark.parametrize("named_by_user", [False, True])
def test_each_redirect_is_judged(site: Site, target: str, message: str, named_by_user: bool) -> None:
    site.answers["/a"] = 307, {"Location": target}, b""
    found = refusal(site.url("/a"), judge=loopback_too, named_by_user=named_by_user)
    assert message in found.message
    assert len(site.requests) == 1


def test_a_url_of_the_user_may_have_any_address_and_redirect_within_its_host(site: Site) -> None:
    site.answers["/a"] = 301, {"Location": "/b"}, b""
    site.answers["/b"] = 200, {}, b"b"
    assert fetch_document(site.url("/a"), "api.yaml", named_by_user=True).data == b"b"
    site.answers["/c"] = 301, {"Location": f"http://localhost:{site.port}/b"}, b""
    found = refusal(site.url("/c"), named_by_user=True)
    assert found.found == site.url("/b", "localhost")


def test_redirects_without_end(site: Site) -> None:
    site.answers["/a"] = 302, {"Location": "/a"}, b""
    assert "more than 5 times" in refusal(site.url("/a"), judge=anywhere).message
    assert len(site.requests) == 6


def test_a_document_that_is_too_large(site: Site) -> None:
    site.answers["/a"] = 200, {}, b" " * (MAX_BYTES + 1)
    assert "larger than 16 MiB" in refusal(site.url("/a"), judge=anywhere).message


def test_compressed_documents_have_the_same_limit(site: Site) -> None:
    site.answers["/a"] = 200, {"Content-Encoding": "gzip"}, gzip.compress(b"a: 1\n")
    assert fetch_document(site.url("/a"), "api.yaml", judge=anywhere).data == b"a: 1\n"
    site.answers["/b"] = 200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(64 * 2**20), 1)
    assert "larger than 16 MiB" in refusal(site.url("/b"), judge=anywhere).message
    site.answers["/c"] = 200, {"Content-Encoding": "gzip"}, gzip.compress(b"a: 1\n")[:-4]
    assert "not complete" in refusal(site.url("/c"), judge=anywhere).message
    site.answers["/d"] = 200, {"Content-Encoding": "gzip"}, b"no gzip"
    assert refusal(site.url("/d"), judge=anywhere).code == "document-unreachable"
    site.answers["/e"] = 200, {"Content-Encoding": "br"}, b""
    assert "encoding br" in refusal(site.url("/e"), judge=anywhere).message


def test_servers_that_do_not_answer_with_a_document(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "answers 404" in refusal(site.url("/none"), judge=anywhere).message
    assert refusal("http://127.0.0.1:9/", judge=anywhere).code == "document-unreachable"
    monkeypatch.setattr(remote_documents, "resolve_names", lambda _names, _: {})
    assert "no address" in refusal("http://docs.example/").message


def test_a_document_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_documents, "TOTAL_SECONDS", 0.2)
    ended = threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), _silent(ended)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        found = refusal(f"http://127.0.0.1:{server.server_port}/", judge=anywhere)
        ended.set()
        server.shutdown()
        thread.join()
    assert "did not arrive within 0.2 s" in found.message


def _silent(ended: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Silent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            ended.wait(30)

        def log_message(self, *_: Any) -> None:
            pass

    return Silent
