"""The dashboard for Grafana can be provisioned, and Prometheus parses every query and has the metrics."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from tests.metric_names import documented, named_in
from tests.prerequisites import prometheus_bin
from tests.source import ROOT
from tests.unit.deploy.test_prometheus_rules import RECORDED

DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "crossgate.json").read_text("utf-8"))
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
VARIABLES = {"$__rate_interval": "5m", "$job": "crossgate", "$api": ".*"}


def expressions() -> list[str]:
    """Every query, with its variables replaced."""
    found = [target["expr"] for panel in PANELS for target in panel["targets"]]
    found += [annotation["expr"] for annotation in DASHBOARD["annotations"]["list"]]
    for name, value in VARIABLES.items():
        found = [expression.replace(name, value) for expression in found]
    return found


def test_prometheus_parses_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"query:{number}", "expr": one} for number, one in enumerate(expressions())]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    command: list[str | Path] = [prometheus_bin() / "promtool", "check", "rules", file]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_no_variable_is_unknown() -> None:
    assert [one for one in expressions() if "$" in one] == []


def test_queries_name_metrics_that_exist() -> None:
    known = documented() | {rule["record"] for rule in RECORDED}
    for expression in expressions():
        assert named_in(expression), expression
        assert named_in(expression) - known == set(), expression


def test_it_can_be_provisioned() -> None:
    assert DASHBOARD["uid"] == "crossgate"
    assert "id" not in DASHBOARD
    assert "__inputs" not in DASHBOARD
    first = DASHBOARD["templating"]["list"][0]
    assert (first["name"], first["type"], first["query"]) == ("datasource", "datasource", "prometheus")
    assert set(_datasources(DASHBOARD)) == {"${datasource}"}


def test_panels_are_distinct_described_and_do_not_overlap() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    cells = [cell for panel in DASHBOARD["panels"] for cell in _cells(panel["gridPos"])]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert all(panel["description"].endswith(".") for panel in PANELS)


def _cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            yield x, y


def _datasources(value: object) -> Iterator[str]:
    return iter(re.findall(r'"datasource": \{"type": "prometheus", "uid": "([^"]+)"\}', json.dumps(value)))
