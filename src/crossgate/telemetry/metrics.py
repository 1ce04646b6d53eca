"""The page ``/metrics``: decisions, one line a series, and what registered collectors report of the gateway.

Decisions are joined here and not by prometheus_client, which takes a second for 60,000 series: the aim is
0.1 s, measured by ``bench/metrics.py``. The labels of a series are a string that is made once.

Formats: https://prometheus.io/docs/instrumenting/exposition_formats/ and, if the client accepts it,
OpenMetrics (https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import is_
from typing import Final, Protocol
from urllib.parse import parse_qs

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from crossgate.compiler.route_names import DecisionSeries

DECISIONS: Final = "crossgate_decisions"
DECISIONS_HELP: Final = "Requests by API, endpoint, flow and reason of the decision."
DECISION_LABELS: Final = ("api", "endpoint", "flow", "reason", "observed")
NODE_LABEL: Final = "node"
_LABELS: Final = f"{DECISIONS}_total{{" + ",".join(f'{name}="%s"' for name in DECISION_LABELS)
_END: Final = b"# EOF\n"
_GZIP_WINDOW: Final = 31
"""zlib's value for the gzip format with the largest window."""

Response = tuple[str, dict[str, str], bytes]
"""Content type, further headers, body."""


class DecisionSums(Protocol):
    """Sums of decisions since they were first counted. Thread-safe; each call returns a copy."""

    def totals(self) -> Mapping[DecisionSeries, int]:
        """Over all nodes."""
        ...

    def totals_by_node(self) -> Mapping[str, Mapping[DecisionSeries, int]]:
        """By name of the node."""
        ...


class MetricsPage:
    """Renders the page. Thread-safe."""

    def __init__(self, decisions: DecisionSums, registry: CollectorRegistry) -> None:
        self._decisions = decisions
        self._registry = registry
        self._labels = _LabelStrings()

    def render(self, query: str, accept: str, accept_encoding: str) -> Response:
        """The page for a query string and the values of two request headers.

        Raises:
            ValueError: the query has another ``by`` than ``node``.

        """
        by_node = _is_by_node(query)
        encode, content_type = choose_encoder(accept)
        own = encode(self._registry)
        decisions = self._render_decisions(openmetrics=own.endswith(_END), by_node=by_node)
        body = own.removesuffix(_END) + decisions + (_END if own.endswith(_END) else b"")
        headers = {"Vary": "Accept, Accept-Encoding"}
        if _accepts_gzip(accept_encoding):
            headers["Content-Encoding"] = "gzip"
            packer = zlib.compressobj(level=1, wbits=_GZIP_WINDOW)
            body = packer.compress(body) + packer.flush()
        return content_type, headers, body

    def _render_decisions(self, *, openmetrics: bool, by_node: bool) -> bytes:
        family = DECISIONS if openmetrics else f"{DECISIONS}_total"
        lines = [f"# HELP {family} {DECISIONS_HELP}", f"# TYPE {family} counter"]
        if by_node:
            nodes = self._decisions.totals_by_node()
            self._labels.forget(sum(map(len, nodes.values())))
            for node, totals in nodes.items():
                end = f',{NODE_LABEL}="{_escape(node)}"}}'
                lines += _lines(self._labels.of(totals), end, totals)
        else:
            totals = self._decisions.totals()
            self._labels.forget(len(totals))
            lines += _lines(self._labels.of_all(totals), "}", totals)
        return ("\n".join(lines) + "\n").encode(errors="replace")


class _LabelStrings:
    """The beginning of each series' line, made once."""

    def __init__(self) -> None:
        self._known: dict[DecisionSeries, str] = {}
        self._last: tuple[list[DecisionSeries], list[str]] = ([], [])

    def of_all(self, totals: Mapping[DecisionSeries, int]) -> list[str]:
        """Name and labels of each series in order, without the closing brace.

        The same series as last time are recognised by their identity: hashing them costs more than the page.
        """
        last, strings = self._last
        wanted = list(totals)
        if len(wanted) == len(last) and all(map(is_, wanted, last)):
            return strings
        strings = self.of(wanted)
        self._last = wanted, strings
        return strings

    def of(self, wanted: Iterable[DecisionSeries]) -> list[str]:
        """The same for any of the series."""
        known = self._known
        strings = []
        for series in wanted:
            string = known.get(series)
            if string is None:
                string = known[series] = _labels(series)
            strings.append(string)
        return strings

    def forget(self, size: int) -> None:
        """Forget deleted series, if they are more than the ``size`` series that there are."""
        if len(self._known) > 2 * size:
            self._known = {}


def _lines(labels: Iterable[str], end: str, totals: Mapping[DecisionSeries, int]) -> list[str]:
    return [f"{one}{end} {count}" for one, count in zip(labels, totals.values(), strict=True)]


def label_values(series: DecisionSeries) -> tuple[str, ...]:
    """The values of `DECISION_LABELS`."""
    observed = "true" if series.observed else "false"
    return (series.api, series.endpoint, series.flow, series.reason, observed)


def _labels(series: DecisionSeries) -> str:
    return _LABELS % tuple(map(_escape, label_values(series)))


@lru_cache(16_384)
def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _is_by_node(query: str) -> bool:
    by = parse_qs(query, keep_blank_values=True).get("by", [])
    if by not in ([], [NODE_LABEL]):
        raise ValueError(f"invalid parameter by: expected {NODE_LABEL}")
    return bool(by)


def _accepts_gzip(accept_encoding: str) -> bool:
    """Whether gzip is among the codings with a quality other than 0 (RFC 9110 §12.5.3)."""
    for coding in accept_encoding.lower().split(","):
        name, _, parameter = coding.partition(";")
        if name.strip() == "gzip":
            quality = parameter.strip().removeprefix("q=")
            return quality.rstrip("0") not in ("", ".", "0.") or not parameter
    return False
