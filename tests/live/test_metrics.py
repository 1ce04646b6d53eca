"""A real Prometheus scrapes a running gateway, and finds what the reference and the queries name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.certificates import good_pair
from tests.live.admin.store_gateway import StoreGateway, store_gateway
from tests.metric_names import documented, named_in, on_page
from tests.otlp_collector import OtlpCollector, otlp_collector
from tests.ports import free_ports
from tests.prometheus import Prometheus, running_prometheus
from tests.unit.deploy.test_grafana_dashboard import expressions
from tests.unit.deploy.test_prometheus_rules import ALERTS, RECORDED

pytestmark = pytest.mark.live
SECONDS = 60.0
REFUSED = 'crossgate_decisions_total{api="pets/1.0", reason="origin-refused", observed="false"}'
POLICY = {"allowed_origins": ["https://a.example"], "allowed_methods": ["GET"]}


@dataclass(frozen=True, slots=True)
class Scraped:
    """A gateway with some traffic, and the server that scrapes it."""

    gateway: StoreGateway
    page: str
    prometheus: Prometheus
    collector: OtlpCollector


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    folder = tmp_path_factory.mktemp("metrics")
    health = f"127.0.0.1:{free_ports(1)[0]}"
    with (
        otlp_collector() as collector,
        store_gateway(
            folder, "--data", "store", "--concurrency", "1", "--health", health, "--otlp", collector.url
        ) as gateway,
        running_prometheus(folder, health) as prometheus,
    ):
        _wait_for_page(f"http://{health}/metrics")
        api = {"type": "rest", "native": f"http://127.0.0.1:{free_ports(1)[0]}"}
        new = {"If-None-Match": "*"}
        gateway.admin.put("/v1/apis/pets/1.0", json=api, headers=new).raise_for_status()
        observed = api | {"cors": POLICY | {"mode": "observe"}}
        gateway.admin.put("/v1/apis/shop/1.0", json=observed, headers=new).raise_for_status()
        etag = gateway.admin.get("/v1/apis/pets/1.0").headers["ETag"]
        changed = api | {"cors": POLICY}
        gateway.admin.put("/v1/apis/pets/1.0", json=changed, headers={"If-Match": etag}).raise_for_status()
        # A certificate for a native service, so that the listener stays without one.
        gateway.admin.put("/v1/gateway", json=_with_certificate(gateway, folder), headers={"If-Match": "*"})
        secure = {"type": "rest", "native": "https://localhost:9"}
        gateway.admin.put("/v1/apis/secure/1.0", json=secure, headers=new).raise_for_status()
        # The first revision has the address of --listen.
        prometheus.wait_for('crossgate_node_revision{node="local"} == 6')
        for _ in range(5):
            assert gateway.preflight("https://a.example") == 200
            assert gateway.preflight("https://b.example") == 403
            gateway.preflight("https://b.example", "/gateway/shop/1.0/x")
        prometheus.wait_for(f"{REFUSED} == 5")
        prometheus.wait_for("crossgate_node_samples_total")
        prometheus.wait_for("crossgate_certificate_expiry_timestamp_seconds")
        yield Scraped(gateway, f"http://{health}/metrics", prometheus, collector)


def _with_certificate(gateway: StoreGateway, folder: Path) -> dict[str, object]:
    pair = good_pair()
    files = {"certificate": folder / "client.pem", "key": folder / "client.key"}
    for name, path in files.items():
        path.write_bytes(getattr(pair, name))
    sent = {"hosts": ["localhost"], **{name: str(path) for name, path in files.items()}}
    return {**gateway.admin.get("/v1/gateway").json(), "native_client_certificates": [sent]}


def _wait_for_page(url: str) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"no page at {url}")


def test_decisions_are_scraped(scraped: Scraped) -> None:
    [found] = scraped.prometheus.query(REFUSED)
    assert found["metric"] | {"instance": ""} == {
        "__name__": "crossgate_decisions_total",
        "job": "crossgate",
        "instance": "",
        "api": "pets/1.0",
        "endpoint": "/gateway/pets/1.0",
        "flow": "preflight",
        "reason": "origin-refused",
        "observed": "false",
    }
    scraped.prometheus.wait_for('crossgate_decisions_total{api="shop/1.0", observed="true"} == 5')


def test_the_page_has_what_the_reference_describes(scraped: Scraped) -> None:
    page = httpx.get(scraped.page, trust_env=False).text
    samples = {line.partition(" ")[0].partition("{")[0] for line in page.splitlines() if line[0] != "#"}
    assert on_page(samples) == documented()


@pytest.mark.parametrize(
    "expression",
    [*expressions(), *(rule["expr"] for rule in RECORDED + ALERTS)],
    ids=lambda expression: str(expression)[:60],
)
def test_queries_name_metrics_that_are_scraped(scraped: Scraped, expression: str) -> None:
    scraped.prometheus.query(expression)
    recorded = {rule["record"] for rule in RECORDED}
    assert named_in(expression) - recorded - on_page(scraped.prometheus.metric_names()) - {"up"} == set()


def test_rules_record_series(scraped: Scraped) -> None:
    # The rates need two scrapes; those of histograms two changes after the first.
    for name in ("api:crossgate_decisions:rate5m", "api:crossgate_refusals:rate5m"):
        scraped.prometheus.wait_for(name)


def test_changes_are_timed(scraped: Scraped) -> None:
    [found] = scraped.prometheus.query('crossgate_change_applied_seconds_count{node="local"}')
    assert int(found["value"][1]) >= 3


def test_series_of_a_deleted_api_go_away(scraped: Scraped) -> None:
    gateway = scraped.gateway
    api = {"type": "rest", "native": f"http://127.0.0.1:{free_ports(1)[0]}", "cors": POLICY}
    gateway.admin.put("/v1/apis/gone/1.0", json=api, headers={"If-None-Match": "*"}).raise_for_status()
    deadline = time.monotonic() + SECONDS
    while gateway.preflight("https://a.example", "/gateway/gone/1.0/x") != 200:
        assert time.monotonic() < deadline
    scraped.prometheus.wait_for('crossgate_decisions_total{api="gone/1.0"}')
    etag = gateway.admin.get("/v1/apis/gone/1.0").headers["ETag"]
    gateway.admin.delete("/v1/apis/gone/1.0", headers={"If-Match": etag}).raise_for_status()
    scraped.prometheus.wait_for('absent(crossgate_decisions_total{api="gone/1.0"})')
    assert scraped.prometheus.query('crossgate_decisions_total{api="pets/1.0"}')


def test_openmetrics_is_what_prometheus_chooses(scraped: Scraped) -> None:
    page = httpx.get(scraped.page, headers={"Accept": "application/openmetrics-text"}, trust_env=False)
    assert page.headers["Content-Type"].startswith("application/openmetrics-text")
    assert page.text.endswith("# EOF\n")


def test_a_wrong_parameter_is_refused(scraped: Scraped) -> None:
    assert httpx.get(f"{scraped.page}?by=nodes", trust_env=False).status_code == 400


def test_the_collector_gets_the_same(scraped: Scraped) -> None:
    found = scraped.collector.metrics()
    assert "crossgate_revision" in found
