"""Envoy dies, or the process that watches it does."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.command import running_gateway
from tests.live.dataplane.process_end import wait_for_end
from tests.live.faults.document import SIMPLE, Document, version_of
from tests.raw_http import RawResponse, http1

pytestmark = pytest.mark.live


def first_answer(port: int) -> RawResponse:
    """The answer to whoever gets in first; asking leaves the processor to Envoy."""
    while True:
        with suppress(ConnectionError, EOFError), http1(port) as connection:
            return connection.send(SIMPLE)
        time.sleep(0.005)


def test_a_killed_envoy_serves_all_again_in_less_than_three_seconds(document: Document, file: Path) -> None:
    # More routes than fit one batch: the first answer must find them all in place.
    document = Document(document.port, document.native_port, others=300)
    file.write_text(document.at(1), encoding="utf-8")
    with running_gateway(file, "--concurrency", "1") as gateway:
        seconds = []
        for kills in range(1, 4):
            began = time.monotonic()
            os.kill(gateway.envoy_pid, signal.SIGKILL)
            assert version_of(first_answer(document.port)) == 1
            seconds.append(time.monotonic() - began)
            gateway.wait_until_envoy_is_ready(times=kills + 1)
        # A machine that others load too can be late once, not three times.
        assert min(seconds) < 3, seconds
        assert gateway.output.count("Envoy was ended by SIGKILL") == 3, gateway.output


def test_a_killed_gateway_leaves_no_envoy(document: Document, file: Path) -> None:
    with running_gateway(file, "--concurrency", "1") as gateway:
        envoy = gateway.envoy_pid
        gateway.kill()
        assert wait_for_end(envoy, 5)
    with running_gateway(file, "--concurrency", "1"), http1(document.port) as connection:
        assert version_of(connection.send(SIMPLE)) == 1
