"""Serves certificates to this machine's Envoy, watches their files, and tells what is wrong with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import grpc

from crossgate.app.events import CertificateReported
from crossgate.app.tasks import background_task
from crossgate.catalogue.model import Gateway, Tls
from crossgate.dataplane.secret_server import SecretServer
from crossgate.dataplane.secrets import CertificateReport, Secrets
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.net.address import Address
from crossgate.service.certificates import CertificateState
from crossgate.telemetry.certificate_reports import send_certificates

_POLL_SECONDS: Final = 0.1
_BAD_POLLS: Final = 10
_RETRY_SECONDS: Final = 2.0
_REPEAT_SECONDS: Final = 30.0
"""A control plane that was started meanwhile knows nothing of the node's certificates."""


@asynccontextmanager
async def served_secrets(
    socket: Path, on_report: Callable[[CertificateReport], None]
) -> AsyncIterator[Secrets]:
    """Serve secrets at ``socket`` for as long as the context lasts."""
    secrets = Secrets(on_report)
    async with SecretServer(secrets, socket), background_task(_keep_current(secrets)):
        yield secrets


async def unless_unusable(work: Coroutine[None, None, None], secrets: Secrets) -> None:
    """Await ``work``, which waits for the first listener.

    Raises:
        InvalidInput: for a second, the listener has had no certificate that it could serve.

    """
    task = asyncio.create_task(work)
    bad = 0
    try:
        while True:
            found = secrets.unusable()
            bad = bad + 1 if found else 0
            if bad > _BAD_POLLS:
                raise InvalidInput(found)
            # A listener with several certificates does not wait for them for long.
            if task.done() and not found:
                break
            if found:
                await asyncio.sleep(_POLL_SECONDS)
            else:
                await asyncio.wait({task}, timeout=_POLL_SECONDS)
        await task
    finally:
        task.cancel()
        await asyncio.wait({task})


def without_places(report: CertificateReport) -> CertificateReported:
    """The event of a report where no catalogue has the places; each problem names its file."""
    found = tuple(replace(one, place=Place()) for one in report.state.problems)
    return CertificateReported(report.state, report.renewed, found)


async def report_certificates(secrets: Secrets, control_plane: Address, node: str) -> None:
    """Report the states of this node's certificates to its control plane, until cancelled."""
    await secrets.wanted.wait()
    changed = asyncio.Event()
    stop = secrets.watch(changed.set)
    try:
        async with grpc.aio.insecure_channel(str(control_plane)) as channel:
            while True:
                changed.clear()
                sent = await send_certificates(channel, node, secrets.states())
                try:
                    async with asyncio.timeout(_REPEAT_SECONDS if sent else _RETRY_SECONDS):
                        await changed.wait()
                except TimeoutError:
                    pass
    finally:
        stop()


def located_problems(gateway: Gateway, state: CertificateState) -> list[Diagnostic]:
    """The problems of a certificate, at each place of a catalogue where its settings name it."""
    places = list(_places(gateway, state))
    return [one.within(*place.path) for place in places for one in state.problems] or [*state.problems]


def _places(gateway: Gateway, state: CertificateState) -> Iterator[Place]:
    place = Place(("gateway",))
    if not state.key:
        yield place
        return
    pair = Tls(state.certificate, state.key)
    for index, one in enumerate(gateway.tls):
        if one == pair:
            yield place.at("tls") if len(gateway.tls) == 1 else place.at("tls", index)
    for index, entry in enumerate(gateway.native_client_certificates):
        if entry.pair == pair:
            yield place.at("native_client_certificates", index)


async def _keep_current(secrets: Secrets) -> None:
    await secrets.wanted.wait()
    # Imported here: most gateways that are behind a load balancer have no certificate, and watch none.
    from crossgate.app.file_watch import examinations

    async for _ in examinations(secrets.paths, asyncio.Event()):
        await secrets.examine()
