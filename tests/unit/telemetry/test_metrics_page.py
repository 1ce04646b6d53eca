"""The page ``/metrics``: the formats, sums over nodes, escaping, and content negotiation."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from crossgate.compiler.route_names import UNMATCHED, DecisionSeries
from crossgate.telemetry.metrics import MetricsPage

PETS = DecisionSeries("pets/1", "/gateway/pets/1", "preflight", "origin-refused")
SHOP = DecisionSeries("shop/1", "/gateway/shop/1", "cors-request", "origin-allowed", observed=True)
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


class Decisions:
    """Sums that a test sets."""

    def __init__(self, by_node: Mapping[str, Mapping[DecisionSeries, int]]) -> None:
        self.by_node = by_node

    def totals(self) -> Mapping[DecisionSeries, int]:
        return sum(map(Counter, self.by_node.values()), Counter[DecisionSeries]())

    def totals_by_node(self) -> Mapping[str, Mapping[DecisionSeries, int]]:
        return self.by_node


def page(by_node: Mapping[str, Mapping[DecisionSeries, int]]) -> MetricsPage:
    registry = CollectorRegistry()
    Gauge("crossgate_revision", "The newest revision.", registry=registry).set(7)
    return MetricsPage(Decisions(by_node), registry)


TWO_NODES = {"a": {PETS: 3, UNMATCHED: 1}, "b": {PETS: 4, SHOP: 5}}


def samples(body: bytes, *, openmetrics: bool = False) -> dict[tuple[str, ...], float]:
    families = (parse_openmetrics if openmetrics else parse_text)(body.decode())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


EXPECTED = {
    ("crossgate_revision",): 7,
    ("crossgate_decisions_total", "pets/1", "/gateway/pets/1", "preflight", "origin-refused", "false"): 7,
    ("crossgate_decisions_total", "shop/1", "/gateway/shop/1", "cors-request", "origin-allowed", "true"): 5,
    ("crossgate_decisions_total", "", "", "unmatched", "unmatched", "false"): 1,
}


def test_text_sums_over_nodes() -> None:
    content_type, headers, body = page(TWO_NODES).render("", "text/plain", "")
    assert content_type.startswith("text/plain; version=0.0.4")
    assert headers == {"Vary": "Accept, Accept-Encoding"}
    assert samples(body) == EXPECTED
    assert b"# TYPE crossgate_decisions_total counter\n" in body
    assert body.endswith(b"\n")


def test_openmetrics_names_the_family_without_total_and_ends_with_eof() -> None:
    content_type, _, body = page(TWO_NODES).render("", OPENMETRICS, "")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert samples(body, openmetrics=True) == EXPECTED
    assert b"# TYPE crossgate_decisions counter\n" in body
    assert body.endswith(b"\n# EOF\n")
    assert body.count(b"# EOF") == 1


@pytest.mark.parametrize("accept", ["text/plain", OPENMETRICS])
def test_by_node_adds_a_label(accept: str) -> None:
    _, _, body = page(TWO_NODES).render("by=node", accept, "")
    found = samples(body, openmetrics=accept is OPENMETRICS)
    assert found[("crossgate_decisions_total", *EXPECTED_PETS, "a")] == 3
    assert found[("crossgate_decisions_total", *EXPECTED_PETS, "b")] == 4
    assert len(found) == 5


EXPECTED_PETS = ("pets/1", "/gateway/pets/1", "preflight", "origin-refused", "false")


@pytest.mark.parametrize("query", ["by=nodes", "by=", "by=node&by=api"])
def test_another_grouping_is_refused(query: str) -> None:
    with pytest.raises(ValueError, match="invalid parameter by: expected node"):
        page(TWO_NODES).render(query, "", "")


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_values_of_labels_are_escaped(accept: str) -> None:
    hostile = 'a"} 9\ncrossgate_decisions_total{api="x\\'
    series = PETS._replace(api=hostile)
    _, _, body = page({hostile: {series: 1}}).render("by=node", accept, "")
    found = samples(body, openmetrics=bool(accept))
    assert found == {
        ("crossgate_revision",): 7,
        ("crossgate_decisions_total", hostile, *EXPECTED_PETS[1:], hostile): 1,
    }


def test_a_lone_surrogate_does_not_break_the_page() -> None:
    _, _, body = page({"a\udc80": {PETS: 1}}).render("by=node", "", "")
    assert 'node="a?"' in body.decode()


@pytest.mark.parametrize("accepted", ["gzip", "deflate, GZIP;q=0.5", "gzip;q=1.0"])
def test_gzip_if_accepted(accepted: str) -> None:
    _, headers, body = page(TWO_NODES).render("", "", accepted)
    assert headers["Content-Encoding"] == "gzip"
    assert samples(gzip.decompress(body)) == EXPECTED


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip;q=0.00", "xgzip"])
def test_no_gzip_otherwise(accepted: str) -> None:
    _, headers, body = page(TWO_NODES).render("", "", accepted)
    assert "Content-Encoding" not in headers
    assert samples(body) == EXPECTED


def test_series_that_come_and_go_show_their_own_labels() -> None:
    decisions = Decisions({})
    shown = MetricsPage(decisions, CollectorRegistry())
    for number in range(50):
        # Each round's series are new objects, often at addresses of freed ones.
        series = [PETS._replace(api=f"pets/{number}-{one}") for one in range(20)]
        decisions.by_node = {"a": dict.fromkeys(series, number + 1)}
        _, _, body = shown.render("", "", "")
        assert {labels[1]: count for labels, count in samples(body).items()} == {
            one.api: number + 1 for one in series
        }


def test_without_decisions_the_page_is_valid() -> None:
    _, _, body = page({}).render("", OPENMETRICS, "")
    assert samples(body, openmetrics=True) == {("crossgate_revision",): 7}
