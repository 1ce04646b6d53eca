"""No path that is sent through the gateway reads another web application of a real servlet container."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest
from tests.acceptance.servlet_containers import (
    PAGE,
    SECRET,
    Ports,
    get,
    running_jetty,
    running_tomcat,
)
from tests.command import CommandProcess, running_gateway
from tests.live.edge.requests import GOOD, cors_of
from tests.live.paths.endpoints import received_path
from tests.live.paths.sending import send_all
from tests.paths.native_rules import NATIVE_RULES
from tests.paths.traversals import TRAVERSALS, random_paths, random_traversals
from tests.ports import free_ports
from tests.raw_http import RawResponse

from crossgate.policy.request import is_malformed_path

pytestmark = pytest.mark.acceptance

_CONTAINERS = {"tomcat": running_tomcat, "jetty": running_jetty}
_BASE = "/app"
_REFUSAL = "Dot segment in the path"
_SPELLINGS = list(
    dict.fromkeys(
        [
            *(one.spelling for one in (*TRAVERSALS, *random_traversals(1, 2000))),
            *random_paths(1, 3000),
        ]
    )
)
_CORS = {"access-control-allow-origin": GOOD}

# Paths that, sent without the gateway, give the secret away in each configuration.
_READS_DIRECTLY = {
    "defaults": ("/app/..;/admin/secret", "/app/%2e%2e;/admin/secret", "/app/.%2e;x=1/admin/secret"),
    "permissive": ("/app/%2e%2e;/admin/secret", "/app/..%2fadmin/secret", "/app/%2e%2E%5Cadmin%2fsecret"),
    "legacy": ("/app/..;/admin/secret", "/app/%2e%2e;/admin/secret", "/app/%u002e%u002e/admin/secret"),
}
_RULES = {"defaults": "tomcat", "permissive": "tomcat_permissive", "legacy": "jetty"}


@dataclass(frozen=True, slots=True)
class Setup:
    """A gateway in front of every configuration of a container; each is the native service of an API."""

    name: str
    """Of the container and of the gateway's mode."""
    natives: Ports
    gateway: CommandProcess
    port: int

    def received(self, configuration: str) -> int:
        """How many requests Envoy has sent to the native service."""
        # Envoy has no counter of a native service that it has sent nothing to.
        return sum(self.gateway.envoy_stats(rf"-{self.natives[configuration]}\.upstream_rq_total$").values())


@pytest.fixture(scope="module", params=_CONTAINERS)
def container(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Ports]]:
    with _CONTAINERS[request.param](tmp_path_factory.mktemp(request.param)) as natives:
        yield request.param, natives


@pytest.fixture(scope="module", params=["API policies", "server-level CORS"])
def setup(
    request: pytest.FixtureRequest,
    container: tuple[str, Ports],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Setup]:
    name, natives = container
    [port] = free_ports(1)
    file = tmp_path_factory.mktemp("gateway") / "gateway.yaml"
    server_level = request.param == "server-level CORS"
    file.write_text(_document(port, natives, server_level=server_level), encoding="utf-8")
    with running_gateway(file) as gateway:
        yield Setup(f"{name}, {request.param}", natives, gateway, port)


def _document(port: int, natives: Ports, *, server_level: bool) -> str:
    apis = "".join(
        f"""
  - name: {configuration}
    version: "1.0"
    type: rest
    native: http://127.0.0.1:{native_port}{_BASE}
    cors:
      allowed_origins: [{GOOD}]
      allowed_methods: [GET]
"""
        for configuration, native_port in natives.items()
    )
    return f"""
gateway:
  listen: 127.0.0.1:{port}
settings:
  watt.server.cors.enabled: {str(server_level).lower()}
  watt.server.cors.allowedOrigins: {GOOD}
apis:{apis}"""


def test_the_secret_is_read_without_the_gateway(container: tuple[str, Ports]) -> None:
    _, natives = container
    for configuration, port in natives.items():
        for path in _READS_DIRECTLY[configuration]:
            assert get(port, path) == (200, SECRET), (configuration, path)


def test_whatever_reads_the_secret_does_so_by_the_rule_that_is_written_down(
    container: tuple[str, Ports],
) -> None:
    _, natives = container
    for configuration, port in natives.items():
        rule = NATIVE_RULES[_RULES[configuration]]
        targets = [_BASE + spelling for spelling in _SPELLINGS]
        reading = {target for target, response in send_all(port, targets) if response.text == SECRET}
        by_rule = {target for target in targets if rule(target) == "/admin/secret"}
        assert reading
        assert reading <= by_rule
        # Jetty's rule is wider than Jetty: it merges slashes.
        assert reading == by_rule or configuration == "legacy"


def test_the_application_is_read_through_the_gateway(setup: Setup) -> None:
    for configuration in setup.natives:
        endpoint = f"/gateway/{configuration}/1.0"
        responses = send_all(setup.port, [f"{endpoint}/", f"{endpoint}/x/../index.html?..;/"])
        found = [(response.status, response.text, cors_of(response)) for _, response in responses]
        assert found == [(200, PAGE, _CORS)] * 2


def test_no_spelling_reads_the_secret_through_the_gateway(setup: Setup) -> None:
    for configuration, native_port in setup.natives.items():
        endpoint = f"/gateway/{configuration}/1.0"
        targets = [endpoint + spelling for spelling in _SPELLINGS]
        paths = {target: received_path(target, endpoint, _BASE) for target in targets}
        forwarded = [
            target for target, path in paths.items() if path is not None and not is_malformed_path(target)
        ]
        before = setup.received(configuration)
        responses = [response for _, response in send_all(setup.port, targets)]
        received = setup.received(configuration) - before
        refused = [response for response in responses if response.status == 400 and response.text == _REFUSAL]
        unguarded = [path for path in paths.values() if path is not None]
        readable = _readings(response for _, response in send_all(native_port, unguarded))
        print(  # noqa: T201 - the figures are for the documentation
            f"\n{setup.name}, {configuration}: {len(targets)} spellings, {len(refused)} refused, "
            f"{received} forwarded, secret read {_readings(responses)} times; {readable} if only normalised"
        )
        assert readable
        assert not _readings(responses)
        assert received == len(forwarded)
        assert refused
        assert not [response for response in refused if cors_of(response)]


def _readings(responses: Iterable[RawResponse]) -> int:
    return sum(SECRET in response.text for response in responses)
