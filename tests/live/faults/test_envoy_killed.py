"""Envoy is killed, or the gateway that supervises it."""

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
    """The response on the first connection that is accepted; the pauses leave the processor to Envoy."""
    for _ in range(4000):
        with suppress(ConnectionError, EOFError), http1(port) as connection:
            return connection.send(SIMPLE)
        time.sleep(0.005)
    raise AssertionError("the gateway accepts no connection")


def test_a_killed_envoy_is_restarted_and_its_first_response_is_right(document: Document, file: Path) -> None:
    # More routes than fit one batch: the first answer must find them all in place.
    document = Document(document.port, document.native_port, others=300)
    file.write_text(document.at(1), encoding="utf-8")
    with running_gateway(file, "--concurrency", "1") as gateway:
        for kills in range(1, 4):
            os.kill(gateway.envoy_pid, signal.SIGKILL)
            assert version_of(first_answer(document.port)) == 1
            gateway.wait_until_envoy_is_ready(times=kills + 1)
        assert gateway.output.count("Envoy was killed by SIGKILL") == 3, gateway.output


def test_a_killed_gateway_leaves_no_envoy(document: Document, file: Path) -> None:
    with running_gateway(file, "--concurrency", "1") as gateway:
        envoy = gateway.envoy_pid
        gateway.kill()
        assert wait_for_end(envoy, 5)
    with running_gateway(file, "--concurrency", "1"), http1(document.port) as connection:
        assert version_of(connection.send(SIMPLE)) == 1
