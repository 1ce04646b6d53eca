"""Certificates that are renewed while a real Envoy serves: each way of renewing, and each way to fail."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import trustme
from cryptography import x509
from tests.live.edge.requests import POLICY, publish, send
from tests.live.in_process_gateway import LiveGateway, api, live_gateway
from tests.native_services import ScriptedNative, SocketNative
from tests.raw_http import RawRequest, http1

from crossgate.catalogue.model import Catalogue, Gateway, NativeClientCertificate, NativeService, Tls
from crossgate.dataplane.supervisor import Timeouts
from crossgate.net.address import HostPort

pytestmark = pytest.mark.live
_SECONDS = 30.0


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


class Pair:
    """A certificate and its key, which a CA issued for a name."""

    def __init__(self, authority: trustme.CA, *names: str, **validity: object) -> None:
        issued = authority.issue_cert(*names, **validity)  # type: ignore[arg-type]
        self.certificate = b"".join(one.bytes() for one in issued.cert_chain_pems)
        self.key = issued.private_key_pem.bytes()
        self.serial = x509.load_pem_x509_certificate(self.certificate).serial_number


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def pair(authority: trustme.CA) -> Pair:
    return Pair(authority, "gateway.test")


@pytest.fixture(scope="module")
def secure() -> Iterator[LiveGateway]:
    with live_gateway() as gateway:
        yield gateway


def serve(gateway: LiveGateway, tls: tuple[Tls, ...], native: ScriptedNative) -> None:
    settings = Gateway(HostPort("127.0.0.1", gateway.port), tls=tls)
    pet = api("pet", native.port, POLICY)
    publish(gateway, Catalogue(settings, apis={pet.key: pet}))


def untrusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def served(port: int, name: str | None = "gateway.test") -> int | None:
    """The serial number of the certificate that a new connection gets."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as plain,
            untrusting().wrap_socket(plain, server_hostname=name) as opened,
        ):
            found = opened.getpeercert(binary_form=True)
    except (OSError, EOFError):
        return None
    return x509.load_der_x509_certificate(found or b"").serial_number


def overwrite(folder: Path, pair: Pair) -> Tls:
    """As lego and acme.sh do: both files are written again, the certificate first."""
    folder.mkdir(exist_ok=True)
    certificate, key = folder / "gateway.test.crt", folder / "gateway.test.key"
    certificate.write_bytes(pair.certificate)
    key.write_bytes(pair.key)
    return Tls(str(certificate), str(key))


def rename(folder: Path, pair: Pair) -> Tls:
    """As careful scripts do: each file is written beside, and renamed over the old one."""
    folder.mkdir(exist_ok=True)
    for name, content in (("tls.key", pair.key), ("tls.crt", pair.certificate)):
        (folder / f"{name}.new").write_bytes(content)
        (folder / f"{name}.new").rename(folder / name)
    return Tls(str(folder / "tls.crt"), str(folder / "tls.key"))


def certbot(folder: Path, pair: Pair) -> Tls:
    """As certbot does: new files in `archive/`, then each symbolic link in `live/` is replaced."""
    live, archive = folder / "live" / "gateway.test", folder / "archive" / "gateway.test"
    live.mkdir(parents=True, exist_ok=True)
    archive.mkdir(parents=True, exist_ok=True)
    number = len(list(archive.glob("privkey*"))) + 1
    for name, content in (("privkey", pair.key), ("fullchain", pair.certificate)):
        (archive / f"{name}{number}.pem").write_bytes(content)
    for name in ("privkey", "fullchain"):
        link = live / f"{name}.pem"
        link.unlink(missing_ok=True)
        link.symlink_to(f"../../archive/gateway.test/{name}{number}.pem")
    return Tls(str(live / "fullchain.pem"), str(live / "privkey.pem"))


def kubernetes(folder: Path, pair: Pair) -> Tls:
    """As a mounted secret does: a new folder, then the link `..data` is renamed over the old one."""
    folder.mkdir(exist_ok=True)
    new = folder / f"..{pair.serial}"
    new.mkdir()
    (new / "tls.crt").write_bytes(pair.certificate)
    (new / "tls.key").write_bytes(pair.key)
    old = (folder / "..data").resolve()
    (folder / "..data_tmp").symlink_to(new.name)
    (folder / "..data_tmp").rename(folder / "..data")
    if old.name != "..data":
        shutil.rmtree(old)
    for name in ("tls.crt", "tls.key"):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    return Tls(str(folder / "tls.crt"), str(folder / "tls.key"))


def folder_replaced(folder: Path, pair: Pair) -> Tls:
    """As a deploy hook that keeps the last release does: the folder itself is exchanged."""
    current = folder / "current"
    folder.mkdir(exist_ok=True)
    shutil.rmtree(folder / "old", ignore_errors=True)
    if current.exists():
        current.rename(folder / "old")
    return overwrite(current, pair)


@pytest.mark.parametrize("renew", [overwrite, rename, certbot, kubernetes, folder_replaced])
def test_a_renewed_pair_is_served_and_no_connection_is_dropped(
    renew: Callable[[Path, Pair], Tls],
    secure: LiveGateway,
    pet: ScriptedNative,
    authority: trustme.CA,
    pair: Pair,
    tmp_path: Path,
) -> None:
    serve(secure, (renew(tmp_path / "etc", pair),), pet)
    eventually(lambda: served(secure.port) == pair.serial)
    with http1(secure.port, untrusting()) as kept, http1(secure.port, untrusting()) as running:
        slow = RawRequest("GET", "/gateway/pet/1/slow?seconds=0.4", ())
        running.send_only(slow)
        assert kept.send(RawRequest("GET", "/gateway/pet/1/x", ())).status == 200
        for _ in range(2):
            renewed = Pair(authority, "gateway.test")
            renew(tmp_path / "etc", renewed)
            eventually(lambda: served(secure.port) == renewed.serial)  # noqa: B023 - called at once
        assert kept.send(RawRequest("GET", "/gateway/pet/1/x", ())).status == 200
        assert running.read_response(slow).status == 200
    assert not any(one.state.problems for one in secure.reports[-2:])
    assert secure.reports[-1].renewed


def test_a_bad_pair_is_reported_while_the_last_good_one_serves_and_heals_by_itself(
    secure: LiveGateway, pet: ScriptedNative, authority: trustme.CA, pair: Pair, tmp_path: Path
) -> None:
    tls = overwrite(tmp_path, pair)
    certificate = Path(tls.certificate)
    serve(secure, (tls,), pet)
    eventually(lambda: served(secure.port) == pair.serial)
    expired = Pair(
        authority,
        "gateway.test",
        not_before=datetime(2020, 1, 1, tzinfo=UTC),
        not_after=datetime(2021, 1, 1, tzinfo=UTC),
    )

    def write_expired() -> None:
        overwrite(tmp_path, expired)

    for break_it, code in (
        (lambda: certificate.write_bytes(Pair(authority, "gateway.test").certificate), "tls-key-mismatch"),
        (write_expired, "tls-certificate-expired"),
    ):
        secure.reports.clear()
        break_it()
        eventually(lambda: bool(secure.reports))
        state = secure.reports[-1].state
        assert [one.code for one in state.problems][:1] == [code]
        assert (state.current, state.names) == (False, ("gateway.test",))
        assert served(secure.port) == pair.serial

        secure.reports.clear()
        pair = Pair(authority, "gateway.test")
        overwrite(tmp_path, pair)
        eventually(lambda: served(secure.port) == pair.serial)  # noqa: B023 - called at once
        eventually(lambda: bool(secure.reports))
        assert (secure.reports[-1].renewed, secure.reports[-1].state.problems) == (True, ())


def test_an_envoy_that_is_started_again_serves_the_last_good_pair(
    pet: ScriptedNative, authority: trustme.CA, pair: Pair, tmp_path: Path
) -> None:
    with live_gateway() as gateway:
        tls = overwrite(tmp_path, pair)
        serve(gateway, (tls,), pet)
        eventually(lambda: served(gateway.port) == pair.serial)
        Path(tls.key).write_bytes(b"")
        killed = gateway.envoy.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: gateway.envoy.pid not in (None, killed))
        eventually(lambda: served(gateway.port) == pair.serial)
        renewed = Pair(authority, "gateway.test")
        overwrite(tmp_path, renewed)
        eventually(lambda: served(gateway.port) == renewed.serial)


def test_the_name_that_a_client_requests_chooses_the_certificate(
    secure: LiveGateway, pet: ScriptedNative, authority: trustme.CA, tmp_path: Path
) -> None:
    names = ("first.test", "second.test", "*.third.test")
    pairs = [Pair(authority, name) for name in names]
    tls = tuple(overwrite(tmp_path / str(number), pair) for number, pair in enumerate(pairs))
    serve(secure, tls, pet)
    expected = {None: 0, "first.test": 0, "second.test": 1, "a.third.test": 2, "other.test": 0}
    for name, number in expected.items():
        eventually(lambda: served(secure.port, name) == pairs[number].serial)  # noqa: B023 - called at once

    renewed = Pair(authority, "second.test")
    overwrite(tmp_path / "1", renewed)
    eventually(lambda: served(secure.port, "second.test") == renewed.serial)
    assert served(secure.port, "first.test") == pairs[0].serial


def test_no_dump_of_the_configuration_shows_a_key(
    secure: LiveGateway, pet: ScriptedNative, pair: Pair, tmp_path: Path
) -> None:
    """Envoy's admin interface redacts it, so operators may attach a dump to a report."""
    serve(secure, (overwrite(tmp_path, pair),), pet)
    eventually(lambda: served(secure.port) == pair.serial)
    transport = httpx.HTTPTransport(uds=str(secure.envoy.settings.directory.admin_socket))
    with httpx.Client(transport=transport, base_url="http://envoy") as admin:
        dumps = [admin.get(path).text for path in ("/config_dump?include_eds", "/certs", "/listeners")]
    secrets = json.loads(dumps[0])["configs"]
    [found] = [one for one in secrets if one["@type"].endswith("SecretsConfigDump")]
    names = [one["name"] for one in found["dynamic_active_secrets"]]
    assert any(str(tmp_path) in name for name in names)
    key = pair.key.split(b"\n")[1]
    for dump in dumps:
        assert key.decode() not in dump
        assert base64.b64encode(pair.key).decode()[:40] not in dump


def test_files_of_a_removed_certificate_are_not_read_any_more(
    pet: ScriptedNative, authority: trustme.CA, pair: Pair, tmp_path: Path
) -> None:
    with live_gateway(timeouts=Timeouts(drain=1.0)) as gateway:
        old = overwrite(tmp_path / "old", Pair(authority, "gateway.test"))
        serve(gateway, (old,), pet)
        eventually(lambda: Path(old.key) in gateway.secrets.paths())
        new = overwrite(tmp_path / "new", pair)
        serve(gateway, (new,), pet)
        eventually(lambda: gateway.secrets.paths() == {Path(new.certificate), Path(new.key)})


def test_authorities_and_client_certificates_are_renewed_too(tmp_path: Path) -> None:
    first, second = trustme.CA(), trustme.CA()
    bundle = tmp_path / "authorities.pem"
    bundle.write_bytes(first.cert_pem.bytes())
    client = overwrite(tmp_path / "client", Pair(first, "client.test"))

    def native_context(authority: trustme.CA) -> ssl.SSLContext:
        """Of a native service with a certificate of the authority, for clients with one too."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    with (
        live_gateway() as gateway,
        SocketNative(tls=native_context(first)) as old,
        SocketNative(tls=native_context(second)) as new,
    ):
        apis = [
            api(name, 0, POLICY, native=NativeService("https", "localhost", native.port))
            for name, native in (("old", old), ("new", new))
        ]
        settings = Gateway(
            HostPort("127.0.0.1", gateway.port),
            native_ca=str(bundle),
            native_client_certificates=(
                NativeClientCertificate(("localhost",), client.certificate, client.key),
            ),
        )
        publish(gateway, Catalogue(settings, apis={one.key: one for one in apis}))
        eventually(lambda: send(gateway, "/gateway/old/1/x").status == 200)
        assert send(gateway, "/gateway/new/1/x").status == 503

        overwrite(tmp_path / "client", Pair(second, "client.test"))
        bundle.write_bytes(second.cert_pem.bytes())
        eventually(lambda: send(gateway, "/gateway/new/1/x").status == 200)
        eventually(lambda: send(gateway, "/gateway/old/1/x").status == 503)


def test_a_missing_pair_is_reported_and_served_once_it_is_there(
    pet: ScriptedNative, pair: Pair, tmp_path: Path
) -> None:
    with live_gateway() as gateway:
        tls = Tls(str(tmp_path / "gateway.test.crt"), str(tmp_path / "gateway.test.key"))
        serve(gateway, (tls,), pet)
        eventually(lambda: bool(gateway.reports))
        state = gateway.reports[-1].state
        assert {one.code for one in state.problems} == {"tls-file-unreadable"}
        assert not state.serves
        overwrite(tmp_path, pair)
        eventually(lambda: served(gateway.port) == pair.serial)
