"""Real Envoys: started, killed, drained, stopped."""

import asyncio
import os
import signal
from contextlib import suppress

import httpx
import pytest
from tests.live.dataplane.conftest import running
from tests.live.dataplane.held_native import HeldNative
from tests.live.dataplane.process_end import wait_for_end
from tests.live.dataplane.static import layered_bootstrap

from crossgate.app.health_state import EnvoyListens
from crossgate.dataplane.binary import EnvoyBinary
from crossgate.dataplane.lifecycle_events import (
    EnvoyDraining,
    EnvoyDrainTimedOut,
    EnvoyExited,
    EnvoyReady,
    EnvoyRestarting,
    EnvoyStarted,
    EnvoyStopped,
    LifecycleEvent,
)
from crossgate.dataplane.process import Envoy, EnvoySettings, StoppedBeforeReady
from crossgate.dataplane.runtime_dir import RuntimeDirectory
from crossgate.dataplane.supervisor import Timeouts
from crossgate.diagnostics import InvalidInput

pytestmark = [pytest.mark.live, pytest.mark.anyio]


async def get(port: int, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        return await client.get(f"http://127.0.0.1:{port}{path}")


async def until_refused(port: int) -> None:
    """Return once the port refuses connections; no request is sent, which would hold one in Envoy."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            continue  # it was waiting to be accepted when the listener closed
        writer.close()


async def test_it_serves_when_it_is_ready_and_leaves_nothing_when_it_stops(
    envoy_binary: EnvoyBinary, directory: RuntimeDirectory
) -> None:
    async with running(envoy_binary, directory) as run:
        pid = run.envoy.pid
        assert pid is not None
        assert (await get(run.port, "/here")).status_code == 200

    assert wait_for_end(pid, 0)
    assert run.envoy.pid is None
    assert [type(event) for event in run.events] == [
        EnvoyStarted,
        EnvoyReady,
        EnvoyDraining,
        EnvoyStopped,
    ]


# The next program waits for its end, and Popen knows of none.
@pytest.mark.filterwarnings("ignore:subprocess [0-9]+ is still running:ResourceWarning")
async def test_one_that_is_handed_over_still_answers_health_checks(
    envoy_binary: EnvoyBinary, directory: RuntimeDirectory
) -> None:
    async with running(envoy_binary, directory) as run:
        pid = run.envoy.pid
        assert pid is not None
        check = EnvoyListens(run.envoy)
        before = await check.reasons()
        handed_over = run.envoy.hand_over()
        assert handed_over is not None
    try:
        # Not the reasons that it remembers.
        assert await EnvoyListens(run.envoy).reasons() == before
    finally:
        await run.envoy.admin.close()
        os.close(handed_over.log_descriptor)
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(os.waitpid, pid, 0)


async def first_answer(port: int) -> httpx.Response:
    while True:
        with suppress(httpx.TransportError):
            return await get(port, "/here")


async def test_killed_it_serves_again(envoy_binary: EnvoyBinary, directory: RuntimeDirectory) -> None:
    async with running(envoy_binary, directory) as run:
        for _ in range(2):
            first = run.envoy.pid
            assert first is not None
            os.kill(first, signal.SIGKILL)
            assert await asyncio.to_thread(wait_for_end, first, 5)
            async with asyncio.timeout(20):
                answer = await first_answer(run.port)
            assert answer.status_code == 200
            await run.envoy.ready()
            assert run.envoy.pid != first

    assert run.seen(EnvoyExited) == [EnvoyExited("was killed by SIGKILL", ())] * 2


async def test_a_request_in_progress_is_finished(
    envoy_binary: EnvoyBinary, directory: RuntimeDirectory
) -> None:
    async with HeldNative() as native, running(envoy_binary, directory, native.port) as run:
        begun = asyncio.create_task(get(run.port, "/slow"))
        await native.requested.wait()
        stop = asyncio.create_task(run.envoy.stop())
        await until_refused(run.port)
        assert not stop.done()

        native.answer.set()

        answer = await begun
        assert (answer.status_code, answer.text) == (200, "done")
        assert answer.headers["connection"] == "close"
        await stop
        assert run.envoy.pid is None
        assert run.seen(EnvoyDrainTimedOut) == []


async def test_open_connections_may_send_requests_while_others_finish(
    envoy_binary: EnvoyBinary, directory: RuntimeDirectory
) -> None:
    async with (
        HeldNative() as native,
        running(envoy_binary, directory, native.port, bootstrap=layered_bootstrap) as run,
        httpx.AsyncClient(trust_env=False) as kept,
    ):
        here = f"http://127.0.0.1:{run.port}/here"
        assert "connection" not in (await kept.get(here)).headers
        begun = asyncio.create_task(get(run.port, "/slow"))
        await native.requested.wait()
        stop = asyncio.create_task(run.envoy.stop())
        await until_refused(run.port)

        again = await kept.get(here)
        assert (again.status_code, again.headers["connection"]) == (200, "close")
        # The first connection inside is busy with the slow request: this one was made while draining.
        inside = await run.envoy.admin.stats(r"^http\.inside\.downstream_cx_total$")
        assert inside == {"http.inside.downstream_cx_total": 2}
        native.answer.set()
        assert (await begun).status_code == 200
        await stop


async def test_a_request_that_takes_too_long_is_aborted(
    envoy_binary: EnvoyBinary, directory: RuntimeDirectory
) -> None:
    timeouts = Timeouts(drain=0.3)
    async with HeldNative() as native, running(envoy_binary, directory, native.port, timeouts) as run:
        begun = asyncio.create_task(get(run.port, "/slow"))
        await native.requested.wait()
        await run.envoy.stop()

        with pytest.raises(httpx.TransportError):
            await begun
        assert run.seen(EnvoyDrainTimedOut) == [EnvoyDrainTimedOut(0.3)]


async def test_a_second_stop_does_not_wait(envoy_binary: EnvoyBinary, directory: RuntimeDirectory) -> None:
    timeouts = Timeouts(drain=3600)
    async with HeldNative() as native, running(envoy_binary, directory, native.port, timeouts) as run:
        begun = asyncio.create_task(get(run.port, "/slow"))
        await native.requested.wait()
        first = asyncio.create_task(run.envoy.stop())
        await asyncio.wait_for(run.envoy.stop(drain=False), 10)
        await first

        with pytest.raises(httpx.TransportError):
            await begun


async def test_an_envoy_that_ignores_sigterm_is_killed(
    envoy_binary: EnvoyBinary, directory: RuntimeDirectory
) -> None:
    async with running(envoy_binary, directory, timeouts=Timeouts(terminate=0.2)) as run:
        pid = run.envoy.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)  # a stopped process takes no signal but SIGKILL
        await run.envoy.stop(drain=False)

        assert wait_for_end(pid, 0)


async def test_a_bootstrap_that_envoy_rejects_is_retried_and_explained(
    envoy_binary: EnvoyBinary, directory: RuntimeDirectory
) -> None:
    seen: asyncio.Queue[LifecycleEvent] = asyncio.Queue()
    settings = EnvoySettings(envoy_binary, b'{"admin": {"address": 1}}', directory, concurrency=1)
    async with Envoy(settings, seen.put_nowait) as envoy:
        waiting = asyncio.create_task(envoy.ready())
        reported = [await asyncio.wait_for(seen.get(), 20) for _ in range(6)]
        await envoy.stop()
        with pytest.raises(StoppedBeforeReady):
            await waiting

    assert [type(event) for event in reported] == [EnvoyStarted, EnvoyExited, EnvoyRestarting] * 2
    ended = reported[1]
    assert isinstance(ended, EnvoyExited)
    assert ended.reason == "exited with status 1"
    assert "admin" in ended.log_tail[0]
    assert [event.seconds for event in reported if isinstance(event, EnvoyRestarting)] == [0.1, 0.2]


async def test_an_envoy_that_is_never_ready_ends_the_start(
    envoy_binary: EnvoyBinary, directory: RuntimeDirectory
) -> None:
    timeouts = Timeouts(first_restart=0.01)
    settings = EnvoySettings(envoy_binary, b'{"admin": {"address": 1}}', directory, 1, timeouts)
    async with Envoy(settings) as envoy:
        with pytest.raises(InvalidInput) as refused:
            await asyncio.wait_for(envoy.ready(), 60)
    (found,) = refused.value.diagnostics
    assert found.code == "envoy-start-failed"
    assert "5 times in a row" in found.message
    assert "exited with status 1" in found.message
    assert "admin" in found.message


async def test_a_cancelled_run_leaves_no_envoy(
    envoy_binary: EnvoyBinary, directory: RuntimeDirectory
) -> None:
    started: asyncio.Queue[LifecycleEvent] = asyncio.Queue()

    async def serve() -> None:
        settings = EnvoySettings(envoy_binary, b"{}", directory, concurrency=1)
        async with Envoy(settings, started.put_nowait) as envoy:
            await envoy.stopped()

    task = asyncio.create_task(serve())
    first = await started.get()
    assert isinstance(first, EnvoyStarted)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert wait_for_end(first.pid, 0)


async def test_the_admin_interface_answers(envoy_binary: EnvoyBinary, directory: RuntimeDirectory) -> None:
    async with running(envoy_binary, directory) as run:
        await get(run.port, "/here")

        assert await run.envoy.admin.stats(r"^http\.ingress\.downstream_rq_2xx$") == {
            "http.ingress.downstream_rq_2xx": 1
        }
        assert await run.envoy.admin.active_requests() == 0
