"""The gRPC services by which nodes report: Envoy's metrics service and its access log service.

They run on the control plane's own server and event loop, where pushes of policies go first: a message of
ordinary size is decoded within some milliseconds, a larger one in a thread, and between messages the loop
is free. The receiver of what is decoded is called in the event loop, and must not block.

Nodes are trusted (`crossgate.xds.server`); what their clients sent is not. A message that cannot be decoded
is skipped, with a warning: one hostile request must not end the reports of a node.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any as Message
from typing import Final, Protocol, TypeVar

import grpc
from google.protobuf.message import DecodeError

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.log import Log, LogLimit
from crossgate.service.stoppable import Stoppable
from crossgate.telemetry.reported_counters import (
    LogDeliveries,
    ReportedCounters,
    StreamMetricsMessage,
    reporter,
)
from crossgate.telemetry.sampled_request import SampledRequest

METRICS_SERVICE: Final = "envoy.service.metrics.v3.MetricsService"
ACCESS_LOG_SERVICE: Final = "envoy.service.accesslog.v3.AccessLogService"
LARGE_MESSAGE: Final = 256 * 1024
"""Bytes; decoding more takes several milliseconds."""
LONGEST_NODE_ID: Final = 256


class NodeReports(Protocol):
    """Receives what the nodes report. Called in the event loop; must not block or raise."""

    def counted(self, node: str, incarnation: str, values: Mapping[DecisionSeries, int]) -> None:
        """The counters of one process that changed: their cumulative values.

        ``incarnation`` names the process; empty if the node sends none.
        """
        ...

    def delivered(self, node: str, incarnation: str, deliveries: LogDeliveries) -> None:
        """What became of the requests that the process would report one by one."""
        ...

    def flushed(self, node: str) -> None:
        """All counters of a process of the node were read, changed or not."""
        ...

    def sampled(self, requests: Sequence[SampledRequest]) -> None:
        """Requests that a node reported one by one."""
        ...


def telemetry_services(
    reports: NodeReports, streams: Stoppable | None = None
) -> tuple[grpc.GenericRpcHandler, ...]:
    """The services, for a gRPC server of the event loop in which ``reports`` is called.

    ``streams`` runs them, and can end them.
    """
    intake = _Intake(reports)
    running = streams or Stoppable()
    return (
        _service(METRICS_SERVICE, "StreamMetrics", intake.stream_metrics, running),
        _service(ACCESS_LOG_SERVICE, "StreamAccessLogs", intake.stream_access_logs, running),
    )


_Messages = AsyncIterator[bytes]
_Behaviour = Callable[[_Messages, grpc.aio.ServicerContext], Coroutine[object, object, bytes]]
_T = TypeVar("_T")
_U = TypeVar("_U")


def _service(name: str, method: str, behaviour: _Behaviour, streams: Stoppable) -> grpc.GenericRpcHandler:
    async def run(messages: _Messages, context: grpc.aio.ServicerContext) -> bytes:
        return await streams.run(behaviour(messages, context)) or b""

    # Messages arrive as bytes, to be decoded where and when it suits. An empty response is zero bytes.
    handler = grpc.stream_unary_rpc_method_handler(run)
    return grpc.method_handlers_generic_handler(name, {method: handler})


class _Intake:
    def __init__(self, reports: NodeReports) -> None:
        self._reports = reports
        self._log = Log("telemetry")
        self._log_limit = LogLimit()

    async def stream_metrics(self, messages: _Messages, context: grpc.aio.ServicerContext) -> bytes:
        """One process's metrics, until it ends."""
        counters = ReportedCounters()
        node, incarnation = "", ""

        def hand_over() -> None:
            values, deliveries = counters.take()
            if values:
                self._reports.counted(node, incarnation, values)
            if deliveries is not None:
                self._reports.delivered(node, incarnation, deliveries)

        try:
            async for data in messages:
                message = await self._decode(StreamMetricsMessage.FromString, data)
                if message is None:
                    continue
                if not node:
                    node, incarnation = await self._known(reporter(message), context)
                if await _run(len(data), counters.add, message.envoy_metrics):
                    hand_over()
                    self._reports.flushed(node)
        finally:
            # Cumulative values are true without the rest of their flush. But without an incarnation, a sum
            # that is not whole would look like a new process.
            if incarnation:
                hand_over()
        return b""

    async def stream_access_logs(self, messages: _Messages, context: grpc.aio.ServicerContext) -> bytes:
        """The log entries of one of a node's threads, until it ends."""
        # Imported here: before the first entry, nobody needs these messages.
        from envoy.service.accesslog.v3 import als_pb2

        from crossgate.telemetry.access_log_entries import sampled_requests

        node, log_name = "", ""
        async for data in messages:
            message = await self._decode(als_pb2.StreamAccessLogsMessage.FromString, data)
            if message is None:
                continue
            if not node:
                log_name = message.identifier.log_name
                node, _ = await self._known((message.identifier.node.id, ""), context)
            requests = sampled_requests(log_name, message.http_logs, node)
            if requests:
                self._reports.sampled(requests)
        return b""

    async def _decode(self, parse: Callable[[bytes], Message], data: bytes) -> Message | None:
        with suppress(DecodeError):
            return await _run(len(data), parse, data)
        omitted = self._log_limit.admit()
        if omitted is not None:
            self._log.warning("cannot decode a node's report", bytes=len(data), omitted=omitted)
        return None

    async def _known(self, who: tuple[str, str] | None, context: grpc.aio.ServicerContext) -> tuple[str, str]:
        # Among others, PostgreSQL cannot store a NUL: no batch with such a name could ever be stored.
        if who is None or not who[0] or len(who[0]) > LONGEST_NODE_ID or not who[0].isprintable():
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"the first message must have a node.id of at most {LONGEST_NODE_ID} printable characters",
            )
            raise AssertionError("abort raises")
        return who


async def _run(size: int, work: Callable[[_T], _U], argument: _T) -> _U:
    """Do ``work`` on a message of that size here, or in a thread if it would hold up the event loop."""
    return work(argument) if size <= LARGE_MESSAGE else await asyncio.to_thread(work, argument)
