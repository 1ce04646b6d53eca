"""What is delivered, and what is reported, as the files of secrets change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.certificates import PemPair, certificate_of, every_pair, good_pair, key_pem

from crossgate.catalogue.model import Tls
from crossgate.compiler.resource import Resource
from crossgate.compiler.secrets import authorities_name, client_pair_name, pair_name, parse_secret_name
from crossgate.dataplane.secrets import (
    KEEP_SECONDS,
    REPEAT_SECONDS,
    SETTLE_SECONDS,
    CertificateReport,
    Secrets,
)
from crossgate.dataplane.tls_files import load_pair
from crossgate.diagnostics import Place


class Watched:
    """Secrets with one subscriber, a clock, and what was delivered and reported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 0.0
        self.delivered: list[Resource] = []
        self.reports: list[CertificateReport] = []
        self.secrets = Secrets(self.reports.append, lambda: self.now)

    async def after(self, seconds: float) -> list[CertificateReport]:
        """What is reported when the files are examined after that time."""
        self.reports.clear()
        self.now += seconds
        await self.secrets.examine()
        return list(self.reports)

    def write(self, pair: PemPair) -> Tls:
        certificate, key = pair.write(self.folder)
        key.chmod(0o600)
        return Tls(str(certificate), str(key))


@asynccontextmanager
async def watched(folder: Path, first: PemPair) -> AsyncIterator[Watched]:
    found = Watched(folder)
    tls = found.write(first)
    found.secrets.subscribe(pair_name(tls), tls, found.delivered.append)
    await found.after(0)
    yield found
    await found.secrets.close()


def new_pair(days: tuple[int, int] = (-1, 30)) -> PemPair:
    key = ec.generate_private_key(ec.SECP256R1())
    return PemPair(certificate_of(key, days=days), key_pem(key))


@pytest.mark.parametrize(
    "path", ["/etc/a.pem", "/etc/a b&c=d?e#f%2Fg.pem", "/é/ü.pem", "relative.pem", "/a+b/;x"]
)
def test_a_secret_is_named_after_its_files(path: str) -> None:
    assert parse_secret_name(pair_name(Tls(path, path + ".key"))) == Tls(path, path + ".key")
    assert parse_secret_name(client_pair_name(Tls(path, path + ".key"))) == Tls(path, path + ".key")
    assert parse_secret_name(authorities_name(path)) == path


@pytest.mark.parametrize(
    "name", ["", "default", "pair?certificate=a", "pair", "authorities?key=a", "x?file=a"]
)
def test_another_name_names_no_file(name: str) -> None:
    assert parse_secret_name(name) is None


def test_a_renewed_pair_is_delivered_once_and_reported(tmp_path: Path) -> None:
    async def renew() -> None:
        async with watched(tmp_path, good_pair()) as found:
            assert len(found.delivered) == 1
            found.write(new_pair())
            [report] = await found.after(0.1)
            assert (report.renewed, report.state.current, report.state.problems) == (True, True, ())
            await found.after(100)
            assert len(found.delivered) == 2

    asyncio.run(renew())


@pytest.mark.parametrize("name", [name for name, (_, codes) in every_pair().items() if codes])
def test_no_bad_pair_replaces_a_good_one(name: str, tmp_path: Path) -> None:
    async def break_it() -> None:
        async with watched(tmp_path, new_pair()) as found:
            [good] = found.delivered
            pair, codes = every_pair()[name]
            found.write(pair)
            # An expired intermediate is the operator's: clients may not need it.
            replaces = name == "an expired chain"
            first = await found.after(0.1)
            assert bool(first) == replaces, "a renewal writes two files"
            reported = first or await found.after(SETTLE_SECONDS)
            assert {one.code for one in reported[-1].state.problems} == codes
            assert reported[-1].state.current == replaces
            assert (found.delivered[-1] == good) != replaces
            assert await found.after(SETTLE_SECONDS) == []

            found.write(new_pair())
            [healed] = await found.after(0.1)
            assert (healed.renewed, healed.state.problems) == (True, ())

    asyncio.run(break_it())


def test_a_key_that_comes_after_its_certificate_is_no_problem(tmp_path: Path) -> None:
    async def renew() -> None:
        async with watched(tmp_path, good_pair()) as found:
            renewed = new_pair()
            found.write(PemPair(renewed.certificate, good_pair().key))
            assert await found.after(0.1) == []
            found.write(renewed)
            [report] = await found.after(SETTLE_SECONDS / 2)
            assert report.renewed
            assert len(found.delivered) == 2

    asyncio.run(renew())


def test_an_expired_pair_is_delivered_at_the_start_and_reported_every_day(tmp_path: Path) -> None:
    async def start() -> None:
        async with watched(tmp_path, new_pair((-30, -1))) as found:
            assert len(found.delivered) == 1
            [state] = found.secrets.states()
            assert [one.code for one in state.problems] == ["tls-certificate-expired"]
            assert state.current
            assert await found.after(REPEAT_SECONDS / 2) == []
            [again] = await found.after(REPEAT_SECONDS / 2)
            assert (again.state, again.renewed) == (state, False)
            found.write(new_pair())
            [renewed] = await found.after(1)
            assert renewed.renewed

    asyncio.run(start())


def test_a_missing_pair_is_reported_at_once_and_delivered_when_it_comes(tmp_path: Path) -> None:
    async def start() -> None:
        async with watched(tmp_path, PemPair(b"", b"")) as found:
            assert [one.code for one in found.secrets.unusable()] == ["tls-file-unreadable"] * 2
            found.write(good_pair())
            [report] = await found.after(1)
            assert (report.renewed, report.state.problems) == (False, ())
            assert len(found.delivered) == 1
            assert not found.secrets.unusable()

    asyncio.run(start())


def test_a_client_certificate_says_nothing_about_the_listener(tmp_path: Path) -> None:
    async def start(listener: PemPair, client: PemPair) -> list[str]:
        found = Watched(tmp_path)
        folders = {pair_name: tmp_path / "listener", client_pair_name: tmp_path / "client"}
        for (name, folder), pair in zip(folders.items(), (listener, client), strict=True):
            folder.mkdir(exist_ok=True)
            tls = Tls(*map(str, pair.write(folder)))
            found.secrets.subscribe(name(tls), tls, found.delivered.append)
            await found.secrets.examine()
        unusable = found.secrets.unusable()
        await found.secrets.close()
        assert {str(one.place) for one in unusable} <= {"$.gateway.tls"}
        return [one.code for one in unusable]

    bad = PemPair(b"", b"")
    assert asyncio.run(start(good_pair(), bad)) == []
    assert asyncio.run(start(bad, good_pair())) == ["tls-file-unreadable"] * 2


def test_before_the_listener_is_known_no_certificate_is_missing(tmp_path: Path) -> None:
    async def start() -> None:
        found = Watched(tmp_path)
        tls = found.write(PemPair(b"", b""))
        found.secrets.subscribe(client_pair_name(tls), tls, found.delivered.append)
        await found.secrets.examine()
        assert found.secrets.states()[0].problems
        assert found.secrets.unusable() == []
        await found.secrets.close()

    asyncio.run(start())


def test_what_envoy_refuses_is_reported_until_other_files_come(tmp_path: Path) -> None:
    async def refuse() -> None:
        async with watched(tmp_path, good_pair()) as found:
            [sent] = found.delivered
            found.secrets.refused(sent.name, sent.version, "BAD_ECC_CERT")
            [problem] = found.secrets.states()[0].problems
            assert "BAD_ECC_CERT" in problem.message
            await found.after(100)
            assert found.secrets.states()[0].problems == (problem,)
            found.write(new_pair())
            [report] = await found.after(0.1)
            assert (report.renewed, report.state.problems) == (True, ())

    asyncio.run(refuse())


def test_what_envoy_refuses_is_not_what_it_serves(tmp_path: Path) -> None:
    async def refuse() -> None:
        async with watched(tmp_path, new_pair((-1, 20))) as found:
            [before] = found.secrets.states()
            found.write(new_pair((-1, 90)))
            await found.after(0.1)
            refused = found.delivered[-1]
            found.secrets.refused(refused.name, refused.version, "BAD_ECC_CERT")
            for _ in range(2):
                [state] = found.secrets.states()
                assert (state.not_after, state.current) == (before.not_after, False)
                await found.after(100)

    asyncio.run(refuse())


def test_a_start_whose_only_pair_envoy_refuses_has_no_certificate(tmp_path: Path) -> None:
    async def refuse() -> None:
        async with watched(tmp_path, good_pair()) as found:
            [sent] = found.delivered
            found.secrets.refused(sent.name, sent.version, "BAD_ECC_CERT")
            await found.after(100)
            assert [one.code for one in found.secrets.unusable()] == ["envoy-refused"]
            found.write(new_pair())
            await found.after(0.1)
            assert not found.secrets.unusable()

    asyncio.run(refuse())


def test_refused_authorities_have_a_place_of_their_own(tmp_path: Path) -> None:
    async def refuse() -> None:
        found = Watched(tmp_path)
        file = found.write(good_pair()).certificate
        found.secrets.subscribe(authorities_name(file), file, found.delivered.append)
        await found.secrets.examine()
        found.secrets.refused(authorities_name(file), found.delivered[0].version, "no reason")
        [problem] = found.reports[-1].state.problems
        assert str(problem.place) == "$.native_ca"
        assert "authorities" in problem.message
        await found.secrets.close()

    asyncio.run(refuse())


def test_no_representation_shows_a_key(tmp_path: Path) -> None:
    async def show() -> None:
        async with watched(tmp_path, good_pair()) as found:
            loaded = load_pair(found.write(good_pair()), Place())
            shown = repr([found.delivered, found.secrets.states(), found.reports, loaded])
            assert "PRIVATE KEY" not in shown
            assert "PRIVATE KEY" in str(found.delivered[0].body)

    asyncio.run(show())


def test_without_a_subscriber_no_file_is_read(tmp_path: Path) -> None:
    async def remove() -> None:
        found = Watched(tmp_path)
        tls = found.write(good_pair())
        stop = [
            found.secrets.subscribe(pair_name(tls), tls, found.delivered.append),
            found.secrets.subscribe(pair_name(tls), tls, lambda _: None),
        ]
        stop[0]()
        assert found.secrets.paths() == {Path(tls.certificate), Path(tls.key)}
        stop[1]()
        assert found.secrets.paths() == set()
        await found.secrets.close()

    asyncio.run(remove())


@pytest.mark.parametrize(("away", "kept"), [(KEEP_SECONDS - 1, True), (KEEP_SECONDS, False)])
def test_the_last_good_pair_is_kept_for_an_envoy_that_is_started_again(
    away: float, *, kept: bool, tmp_path: Path
) -> None:
    async def start_again() -> None:
        found = Watched(tmp_path)
        tls = found.write(good_pair())
        stop = found.secrets.subscribe(pair_name(tls), tls, found.delivered.append)
        await found.after(0)
        found.write(PemPair(b"", b""))
        stop()
        assert found.secrets.states() == ()
        await found.after(away)
        again: list[Resource] = []
        found.secrets.subscribe(pair_name(tls), tls, again.append)
        await found.after(SETTLE_SECONDS)
        await found.after(SETTLE_SECONDS)
        assert again == (found.delivered if kept else [])
        [state] = found.secrets.states()
        assert state.serves == kept
        assert state.problems
        await found.secrets.close()

    asyncio.run(start_again())
