"""A collector of OpenTelemetry metrics, for tests: it keeps every request."""

from __future__ import annotations

import gzip
import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any as Message

from crossgate.telemetry.otlp_request import ExportMetricsServiceRequest

SECONDS = 30.0


class OtlpCollector(ThreadingHTTPServer):
    """Keeps every request, and answers with ``status``."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        self.requests: queue.Queue[tuple[str, Mapping[str, str], Message]] = queue.Queue()
        self.status = 200
        super().__init__(("127.0.0.1", port), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v1/metrics"

    def metrics(self, requests: int = 1) -> dict[str, Message]:
        """The metrics of the next requests, by name."""
        bodies = [self.requests.get(timeout=SECONDS)[2] for _ in range(requests)]
        return {
            metric.name: metric
            for body in bodies
            for metric in body.resource_metrics[0].scope_metrics[0].metrics
        }


class _Handler(BaseHTTPRequestHandler):
    server: OtlpCollector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        request = ExportMetricsServiceRequest.FromString(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.put((self.path, headers, request))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def otlp_collector(port: int = 0) -> Iterator[OtlpCollector]:
    """A running collector on that port, or on a free one."""
    with OtlpCollector(port) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.02,))
        serving.start()
        try:
            yield server
        finally:
            server.shutdown()
            serving.join()
