"""The rules for Prometheus: promtool accepts them, each alert has been seen to fire, and says what to do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.metric_names import documented, named_in
from tests.prerequisites import prometheus_bin
from tests.source import ROOT

DEPLOY = ROOT / "deploy" / "prometheus"
RULES = DEPLOY / "crossgate-rules.yaml"
TESTS = sorted(Path(__file__).parent.glob("*_test.yaml"))
GUIDE = (ROOT / "docs" / "how-to" / "monitor.md").read_text(encoding="utf-8")

RECORDED: list[dict[str, Any]] = []
ALERTS: list[dict[str, Any]] = []
for _group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]:
    for _rule in _group["rules"]:
        (ALERTS if "alert" in _rule else RECORDED).append(_rule)


def _promtool(*arguments: str | Path) -> None:
    command = [prometheus_bin() / "promtool", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_promtool_accepts_rules_and_configuration() -> None:
    _promtool("check", "config", DEPLOY / "prometheus.yml")
    _promtool("check", "rules", RULES)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_rules_do_what_their_tests_say(path: Path) -> None:
    _promtool("test", "rules", path)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_each_alert_fires_in_one_test_and_is_silent_in_another(alert: dict[str, Any]) -> None:
    files = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in TESTS)
    expected = [
        bool(check["exp_alerts"])
        for file in files
        for test in file["tests"]
        for check in test["alert_rule_test"]
        if check["alertname"] == alert["alert"]
    ]
    assert set(expected) == {True, False}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_each_alert_has_severity_texts_and_a_runbook(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"info", "warning", "critical"}
    annotations = alert["annotations"]
    assert annotations["summary"]
    assert annotations["description"]
    page, _, anchor = annotations["runbook"].partition("#")
    assert page == "docs/how-to/monitor.md"
    assert anchor == alert["alert"].lower()
    assert re.search(rf"^### {alert['alert']}$", GUIDE, re.MULTILINE)


def test_rules_name_documented_metrics_only() -> None:
    known = documented() | {rule["record"] for rule in RECORDED}
    assert {name for rule in RECORDED + ALERTS for name in named_in(rule["expr"])} - known == set()
