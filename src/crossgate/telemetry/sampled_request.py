"""One request as a node's access log reports it."""

from __future__ import annotations

from dataclasses import dataclass

from crossgate.compiler.route_names import DecisionSeries


@dataclass(frozen=True, slots=True)
class SampledRequest:
    """A request and its decision. All but ``series`` and ``node`` comes from the client; nothing is checked.

    It lives in memory only, and for a short time: it has the client's address and the whole path.
    """

    series: DecisionSeries
    node: str
    time: float
    """When the request began, in seconds since 1970."""
    request_id: str
    method: str
    path: str
    """Without the query."""
    status: int
    origin: str = ""
    request_method: str = ""
    request_headers: str = ""
    address: str = ""
    """The client's address, without the port."""
    user_agent: str = ""
    fetch_site: str = ""
    fetch_mode: str = ""
    fetch_dest: str = ""
    drawn: bool = False
    """Whether it was drawn at random; then it may be reported a second time, because a bucket admitted it."""
