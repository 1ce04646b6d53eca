"""Whether and where metrics are exported, by the option and by the standard variables."""

from __future__ import annotations

import pytest

from crossgate.diagnostics import Diagnostic
from crossgate.telemetry.otlp_target import find_otlp_endpoint, parse_otlp_url

BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
METRICS = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"


@pytest.mark.parametrize(
    ("environment", "endpoint"),
    [
        ({}, None),
        ({BASE: ""}, None),
        ({BASE: "http://c:4318"}, "http://c:4318/v1/metrics"),
        ({BASE: "https://c/otlp/"}, "https://c/otlp/v1/metrics"),
        ({METRICS: "http://c/exactly/here"}, "http://c/exactly/here"),
        ({METRICS: "http://m/x", BASE: "http://c"}, "http://m/x"),
        ({"OTEL_METRICS_EXPORTER": "otlp"}, "http://localhost:4318/v1/metrics"),
        ({"OTEL_METRICS_EXPORTER": "prometheus, otlp", BASE: "http://c"}, "http://c/v1/metrics"),
        ({"OTEL_METRICS_EXPORTER": "none", BASE: "http://c"}, None),
        ({"OTEL_METRICS_EXPORTER": "prometheus", BASE: "http://c"}, None),
        ({"OTEL_SDK_DISABLED": "TRUE", BASE: "http://c"}, None),
        ({"OTEL_SDK_DISABLED": "false", BASE: "http://c"}, "http://c/v1/metrics"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, None),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", BASE: "http://c"}, "http://c/v1/metrics"),
        (
            {
                "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                BASE: "http://c",
            },
            "http://c/v1/metrics",
        ),
    ],
)
def test_the_environment(environment: dict[str, str], endpoint: str | None) -> None:
    assert find_otlp_endpoint(environment) == endpoint


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({BASE: "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "otlp-protocol-unsupported"),
        ({BASE: "http://c", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/json"}, "otlp-protocol-unsupported"),
        ({BASE: "collector:4318"}, "otlp-url-invalid"),
        ({METRICS: "ftp://c"}, "otlp-url-invalid"),
    ],
)
def test_what_cannot_work_is_reported(environment: dict[str, str], code: str) -> None:
    found = find_otlp_endpoint(environment)
    assert isinstance(found, Diagnostic)
    assert found.code == code


def test_the_option_has_priority_over_everything_but_the_switch() -> None:
    environment = {
        BASE: "http://other",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    }
    assert find_otlp_endpoint(environment, "http://c/v1/metrics") == "http://c/v1/metrics"
    assert find_otlp_endpoint({"OTEL_SDK_DISABLED": "true"}, "http://c/v1/metrics") is None


@pytest.mark.parametrize(
    ("raw", "url"),
    [
        ("http://c:4318", "http://c:4318/v1/metrics"),
        ("http://c:4318/", "http://c:4318/v1/metrics"),
        ("http://c:4318/v1/metrics", "http://c:4318/v1/metrics"),
        ("https://[2001:db8::1]/a", "https://[2001:db8::1]/a/v1/metrics"),
    ],
)
def test_urls_of_the_option(raw: str, url: str) -> None:
    assert parse_otlp_url(raw) == url


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "c:4318",
        "http://",
        "http://u:p@c",
        "http://c?x=1",
        "http://c#f",
        "http://c:x",
        "http://[::1",
        "http://c:0",
    ],
)
def test_invalid_urls_of_the_option(raw: str) -> None:
    assert isinstance(parse_otlp_url(raw), Diagnostic)
