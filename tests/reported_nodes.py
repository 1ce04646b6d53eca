"""Nodes as a control plane reports them: one that enforces, one that rejected an API, and one that lags."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta

from tests.admin_api import Nodes

from crossgate.service.ports import NodeRejection, NodeReport, NodeStanding

MESSAGE = (
    r"regex 'https://(?:app\.example\.com|[a-z0-9-]+\.example\.org)' RE2 program size of 143 > max program "
    "size of 100 set for the error level threshold. Increase configured max program size if necessary."
)


class ReportedNodes(Nodes):
    """Nodes whose reports are set by a test; it keeps what is to be sent again."""

    def __init__(self, *reports: NodeReport) -> None:
        super().__init__({one.node: one.revision for one in reports})
        self.now = reports
        self.retried: list[tuple[str, Collection[tuple[str, str]]]] = []
        self._observers: list[Callable[[], None]] = []

    def reports(self) -> Sequence[NodeReport]:
        return self.now

    def standings(self) -> Sequence[NodeStanding]:
        return [
            NodeStanding(one.node, one.revision, len(one.rejections), one.certificates) for one in self.now
        ]

    def retry(self, node: str, resources: Collection[tuple[str, str]]) -> int | None:
        self.retried.append((node, resources))
        return super().retry(node, resources)

    def watch(self, observer: Callable[[], None]) -> Callable[[], None]:
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    def set(self, *reports: NodeReport) -> None:
        """Report others from now on."""
        self.now = reports
        for one in self._observers:
            one()


def enforcing(node: str, revision: int = 1) -> NodeReport:
    """A node that enforces a revision."""
    now = datetime.now(UTC)
    return NodeReport(node, now - timedelta(days=9), now - timedelta(minutes=6), revision, 12, 0, ())


def rejecting(
    node: str, revision: int = 1, api: str = "petstore/1.0", message: str = MESSAGE, keeps: int | None = 0
) -> NodeReport:
    """A node that has decided on a revision, and rejected the routes of one API."""
    now = datetime.now(UTC)
    rejection = NodeRejection(
        "ScopedRouteConfiguration", api, "7", message, now - timedelta(minutes=27), (api,), revision, keeps
    )
    acknowledged = now - timedelta(minutes=6)
    return NodeReport(node, now - timedelta(hours=2), acknowledged, revision, 11, 0, (rejection,))


def lagging(node: str, revision: int | None = 0, apis: Sequence[str] = ("petstore/1.0",)) -> NodeReport:
    """A node that has not answered a newer revision for 6 minutes."""
    now = datetime.now(UTC)
    return NodeReport(
        node,
        now - timedelta(days=4),
        now - timedelta(minutes=27),
        revision,
        11,
        len(apis),
        (),
        undecided_apis=tuple(apis),
        behind_since=now - timedelta(minutes=6),
    )
