"""Worker processes answer, hold to their budget, end with their caller, and are replaced."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
import pytest

from crossgate.workers.frames import WorkerEnd, WorkFailedError, decode_answer, encode_answer
from crossgate.workers.pool import WorkerPool

COMMAND = (sys.executable, str(Path(__file__).parent / "echo.py"))
PATIENT, IMPATIENT = "300", "0.5"
"""Seconds that a worker may take."""
LARGE = b"x" * (16 * 2**20)


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    opened = WorkerPool((*COMMAND, PATIENT))
    yield opened
    opened.close()


def nothing(_: bool) -> Iterable[bytes]:
    return ()


async def run(pool: WorkerPool, job: bytes) -> bytes:
    return await pool.run(job, nothing)


async def end_of(pool: WorkerPool, job: bytes) -> tuple[WorkerEnd, bytes]:
    with pytest.raises(WorkFailedError) as failed:
        await run(pool, job)
    return failed.value.end, failed.value.output


def server_of(pool: WorkerPool) -> psutil.Process:
    assert pool._process is not None
    return psutil.Process(pool._process.pid)


async def until_working(pool: WorkerPool, count: int) -> None:
    """Wait until there are so many workers."""

    def wait() -> None:
        deadline = time.monotonic() + 60
        while pool._process is None or len(server_of(pool).children()) != count:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    await asyncio.to_thread(wait)


def test_answers_of_many_at_once(pool: WorkerPool) -> None:
    async def all_of_them() -> list[bytes]:
        return await asyncio.gather(*(run(pool, b"%d" % number) for number in range(20)))

    assert asyncio.run(all_of_them()) == [b"%d" % number for number in range(20)]


def test_a_failure_is_written_as_one_line(pool: WorkerPool, capfd: pytest.CaptureFixture[str]) -> None:
    assert asyncio.run(end_of(pool, b"raise"))[0] is WorkerEnd.CRASHED
    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith("A worker failed: Traceback (most recent call last):\\n")
    assert line.endswith("ValueError\\n")


def test_large_job_and_answer(pool: WorkerPool) -> None:
    assert asyncio.run(run(pool, LARGE)) == LARGE


def test_updates_reach_later_workers_only(pool: WorkerPool) -> None:
    calls = []

    def updates(new: bool) -> Iterable[bytes]:
        calls.append(new)
        return [b"first ", b"second "] if new else []

    async def two() -> list[bytes]:
        return [await pool.run(b"job", updates), await pool.run(b"job", updates)]

    assert asyncio.run(two()) == [b"second job", b"second job"]
    assert calls == [True, False]


@pytest.mark.parametrize(
    ("job", "end", "output"),
    [
        (b"spin", WorkerEnd.CPU, b"spinning"),
        (b"spin in C", WorkerEnd.CPU, b""),
        (b"allocate", WorkerEnd.MEMORY, b""),
        (b"crash", WorkerEnd.CRASHED, b""),
        (b"raise", WorkerEnd.CRASHED, b""),
        (b"end the server", WorkerEnd.CRASHED, b""),
    ],
)
def test_worker_that_does_not_answer(pool: WorkerPool, job: bytes, end: WorkerEnd, output: bytes) -> None:
    async def both() -> None:
        assert await end_of(pool, job) == (end, output)
        assert await run(pool, b"next") == b"next"

    asyncio.run(both())


def test_worker_that_takes_too_long() -> None:
    pool = WorkerPool((*COMMAND, IMPATIENT))
    try:
        assert asyncio.run(end_of(pool, b"sleep")) == (WorkerEnd.SECONDS, b"")
    finally:
        pool.close()


def test_workers_have_no_credentials_of_the_store(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CROSSGATE_DATABASE", "CROSSGATE_TOKEN", "PGPASSWORD", "PGPASSFILE", "OTHER"):
        monkeypatch.setenv(name, "postgresql://crossgate:secret@host/name")

    names = asyncio.run(run(pool, b"environment")).decode().splitlines()

    assert "OTHER" in names
    assert [one for one in names if one.startswith(("CROSSGATE_", "PG"))] == []


def test_cancelled_call_ends_the_worker(pool: WorkerPool) -> None:
    async def cancel() -> None:
        assert await run(pool, b"next") == b"next"
        spinning = asyncio.create_task(run(pool, b"sleep"))
        await until_working(pool, 1)
        spinning.cancel()
        await until_working(pool, 0)
        assert await run(pool, b"next") == b"next"

    asyncio.run(cancel())


def test_workers_end_with_the_fork_server(pool: WorkerPool) -> None:
    async def close() -> None:
        sleeping = asyncio.create_task(run(pool, b"sleep"))
        await until_working(pool, 1)
        server = server_of(pool)
        processes = [server, *server.children()]
        await asyncio.to_thread(pool.close)
        assert not any(one.is_running() for one in processes)
        with pytest.raises(WorkFailedError):
            await sleeping

    asyncio.run(close())


def test_fork_server_ends_with_its_starter() -> None:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            pool = WorkerPool((*COMMAND, PATIENT))
            asyncio.run(run(pool, b"next"))
            assert pool._process is not None
            os.write(write, b"%d" % pool._process.pid)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    with os.fdopen(read) as reader:
        server = int(reader.read())

    deadline = time.monotonic() + 60
    while psutil.pid_exists(server):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("cut", [0, 1, 8, 9, 12])
def test_answer_that_was_cut_is_no_answer(cut: int) -> None:
    stream = encode_answer(b"0000000") + WorkerEnd.ANSWERED.value

    assert decode_answer(stream) == b"0000000"
    with pytest.raises(WorkFailedError):
        decode_answer(stream[:cut])
