"""The load balancers of the how-to page in front of real gateways: headers, policy, a gateway taken out."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.certificates import good_pair
from tests.command import ROOT, CommandProcess, running_gateway
from tests.executable_docs import File, steps
from tests.native_services import ScriptedNative
from tests.ports import free_ports

PAGE = ROOT / "docs" / "how-to" / "run-behind-a-load-balancer.md"
_SECONDS = 30.0
_POLICY = """\
    cors:
      allowed_origins: [https://app.example.com]
      allowed_methods: [GET]
      max_age: 600
"""


@dataclass(frozen=True, slots=True)
class Balanced:
    """A balancer and the gateways behind it."""

    client: httpx.Client
    gateways: list[CommandProcess]


def _shown(language: str) -> str:
    # The first is the whole file; the others replace lines of it.
    block, *_ = re.findall(
        rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(block)


def _nginx(folder: Path, port: int, gateways: list[int]) -> list[str]:
    servers = "".join(f"server 127.0.0.1:{one};" for one in gateways)
    shown = (
        _shown("nginx")
        .replace("/etc/nginx/tls", str(folder))
        .replace("listen 443", f"listen 127.0.0.1:{port}")
    )
    (folder / "crossgate.conf").write_text(shown.replace("server 127.0.0.1:8080;", servers), encoding="utf-8")
    folders = "".join(
        f"{kind}_temp_path {folder / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"daemon off;\npid {folder / 'nginx.pid'};\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{folders}include {folder / 'crossgate.conf'};\n}}\n",
        encoding="utf-8",
    )
    return ["nginx", "-p", str(folder), "-c", str(main)]


def _haproxy(folder: Path, port: int, gateways: list[int]) -> list[str]:
    (folder / "both.pem").write_bytes(
        (folder / "gateway.pem").read_bytes() + (folder / "gateway.key").read_bytes()
    )
    shown = _shown("haproxy").replace("/etc/haproxy/tls/gateway.pem", str(folder / "both.pem"))
    for before, after in zip((":443", "127.0.0.1:8080", "127.0.0.1:8081"), (port, *gateways), strict=True):
        shown = shown.replace(before, f"127.0.0.1:{after}")
    file = folder / "haproxy.cfg"
    file.write_text(shown, encoding="utf-8")
    return ["haproxy", "-W", "-db", "-f", str(file)]


@contextmanager
def _balanced(folder: Path, balancer: Callable[[Path, int, list[int]], list[str]]) -> Iterator[Balanced]:
    """Two gateways with the document of the page, and the balancer with its file of the page."""
    good_pair().write(folder)
    port, *gateways = free_ports(3)
    [document] = [step.content for step in steps(PAGE) if isinstance(step, File)]
    document = document.replace("10.0.0.0/8, 2001:db8:1::/48", "127.0.0.1/32") + _POLICY
    with ExitStack() as stack:
        native = stack.enter_context(ScriptedNative())
        running = []
        for number, one in enumerate(gateways):
            file = folder / str(number) / "gateway.yaml"
            file.parent.mkdir()
            here = document.replace("0.0.0.0:8080", f"127.0.0.1:{one}").replace("9101", str(native.port))
            file.write_text(here, encoding="utf-8")
            options = ("--admin", "off", "--health", "off")
            running.append(stack.enter_context(running_gateway(file, *options)))
        process = subprocess.Popen(balancer(folder, port, gateways))
        stack.callback(process.wait, _SECONDS)
        stack.callback(process.terminate)
        client = stack.enter_context(
            httpx.Client(
                base_url=f"https://127.0.0.1:{port}",
                verify=_any_certificate(),
                timeout=_SECONDS,
                trust_env=False,
            )
        )
        _wait_for(lambda: _status(client) == 200)
        yield Balanced(client, running)


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _status(client: httpx.Client) -> int:
    try:
        return client.get("/gateway/petstore/1/pets").status_code
    except httpx.TransportError:
        return 0


def _wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.acceptance
@pytest.mark.parametrize("balancer", [_nginx, _haproxy])
def test_natives_learn_the_client_and_the_policy_is_enforced(
    balancer: Callable[[Path, int, list[int]], list[str]], tmp_path: Path
) -> None:
    with _balanced(tmp_path, balancer) as balanced:
        forged = {
            "X-Forwarded-For": "203.0.113.9",
            "X-Forwarded-Proto": "http",
            "X-Forwarded-Host": "evil.example",
        }
        found: Any = balanced.client.get(
            "/gateway/petstore/1/headers", headers={"Host": "api.example.com", **forged}
        )
        received = {name.lower(): value for name, value in json.loads(found.text)}
        addresses = re.split(r",\s*", received["x-forwarded-for"])
        assert (addresses[0], len(addresses)) == ("203.0.113.9", 3)
        assert received["x-forwarded-proto"] == "https"
        assert received["x-forwarded-host"] == "api.example.com"

        preflight = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "GET"}
        allowed = balanced.client.options("/gateway/petstore/1/pets", headers=preflight)
        assert allowed.headers["access-control-allow-origin"] == "https://app.example.com"
        refused = balanced.client.get(
            "/gateway/petstore/1/pets", headers={"Origin": "https://evil.example.net"}
        )
        assert (refused.status_code, refused.text) == (403, "Specified Origin is not allowed")


@pytest.mark.acceptance
@pytest.mark.parametrize("balancer", [_nginx, _haproxy])
def test_one_of_two_gateways_is_stopped_under_load(
    balancer: Callable[[Path, int, list[int]], list[str]], tmp_path: Path
) -> None:
    with _balanced(tmp_path, balancer) as balanced:
        stopping = threading.Event()
        statuses: list[int] = []

        def send() -> None:
            with httpx.Client(
                base_url=balanced.client.base_url,
                verify=_any_certificate(),
                timeout=_SECONDS,
                trust_env=False,
            ) as client:
                while not stopping.is_set():
                    statuses.append(_status(client))

        clients = [threading.Thread(target=send) for _ in range(4)]
        for one in clients:
            one.start()
        _wait_for(lambda: len(statuses) > 100)
        balanced.gateways[0].stop()
        after = len(statuses)
        _wait_for(lambda: len(statuses) > after + 200)
        stopping.set()
        for one in clients:
            one.join(_SECONDS)
        assert {status: statuses.count(status) for status in statuses} == {200: len(statuses)}
