"""Whether and where metrics are exported over OTLP: the command's option, or the standard variables.

https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from crossgate.diagnostics import Diagnostic

DEFAULT_ENDPOINT: Final = "http://localhost:4318"
_PATH: Final = "/v1/metrics"
_PROTOCOL: Final = "http/protobuf"


def parse_otlp_url(raw: str) -> str | Diagnostic:
    """The URL to post metrics to, below a collector's URL."""
    try:
        url = urlsplit(raw)
        valid = bool(url.scheme in ("http", "https") and url.hostname and url.port != 0)
    except ValueError:
        valid = False
    else:
        valid = valid and not (url.query or url.fragment or url.username or url.password)
    if not valid:
        return Diagnostic(
            "otlp-url-invalid",
            "expected the URL of a collector, http or https, without credentials and query",
            "Write it as http://collector:4318; set OTEL_EXPORTER_OTLP_HEADERS to what authenticates it",
            found=raw,
        )
    return raw.rstrip("/").removesuffix(_PATH) + _PATH


def find_otlp_endpoint(environment: Mapping[str, str], url: str | None = None) -> str | Diagnostic | None:
    """The URL to post metrics to; None if the export is off, a diagnostic if it is on and cannot work.

    ``url`` is that of the option, from `parse_otlp_url`. Empty variables count as unset, as specified.
    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if url is not None:
        return url
    endpoint = environment.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
    base = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    exporters = environment.get("OTEL_METRICS_EXPORTER")
    if exporters:
        if "otlp" not in (name.strip() for name in exporters.split(",")):
            return None
    elif not endpoint and not base:
        return None
    # The more specific variable wins.
    for variable in ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        protocol = environment.get(variable)
        if protocol and protocol != _PROTOCOL:
            return Diagnostic(
                "otlp-protocol-unsupported",
                f"metrics are exported with the protocol {_PROTOCOL} only",
                f"Set {variable} to {_PROTOCOL}, or export with --otlp URL",
                found=protocol,
            )
        if protocol:
            break
    if endpoint:
        parsed = parse_otlp_url(endpoint)
        return parsed if isinstance(parsed, Diagnostic) else endpoint
    return parse_otlp_url(base or DEFAULT_ENDPOINT)
