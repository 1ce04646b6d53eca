"""Envoy's clusters: the addresses of native services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from crossgate.diagnostics import Place
from crossgate.importers.cursor import Cursor
from crossgate.importers.envoy.fields import field


@dataclass(frozen=True, slots=True)
class Upstreams:
    """Origins of native services by the names of their clusters, each with its place."""

    by_cluster: Mapping[str, tuple[tuple[str, Place], ...]] = dataclass_field(default_factory=dict)

    def urls(self, cluster: str, path: str) -> list[tuple[str, Place]]:
        """Base URLs of the cluster's hosts, with a path behind each."""
        return [(base + path, place) for base, place in self.by_cluster.get(cluster, ())]


def upstreams_of(found: list[Cursor]) -> Upstreams:
    """The addresses in the messages: of static clusters, and of endpoints in a dump."""
    secure: set[str] = set()
    hosts: dict[str, list[tuple[str, int, Place]]] = {}
    for message in found:
        name = message["name"].text
        assignment = field(message, "load_assignment")
        is_cluster = assignment.exists or message["hosts"].exists or field(message, "connect_timeout").exists
        if name is not None and is_cluster:
            addresses = [*_endpoints(assignment), *message["hosts"].entries()]
            hosts.setdefault(name, []).extend(_hosts(addresses))
            if _is_tls(message):
                secure.add(name)
        cluster = field(message, "cluster_name").text
        if cluster is not None and message["endpoints"].exists:
            hosts.setdefault(cluster, []).extend(_hosts(list(_endpoints(message))))
    return Upstreams(
        {
            name: tuple(
                dict.fromkeys(
                    (f"{'https' if name in secure else 'http'}://{host}:{port}", place)
                    for host, port, place in addresses
                )
            )
            for name, addresses in hosts.items()
        }
    )


def _endpoints(assignment: Cursor) -> Iterator[Cursor]:
    for locality in assignment["endpoints"].entries():
        for endpoint in field(locality, "lb_endpoints").entries():
            yield endpoint["endpoint"]["address"]


def _hosts(addresses: list[Cursor]) -> Iterator[tuple[str, int, Place]]:
    for address in addresses:
        socket = field(address, "socket_address")
        host, port = socket["address"].text, field(socket, "port_value").value
        if host is not None and isinstance(port, int):
            yield f"[{host}]" if ":" in host else host, port, socket["address"].place


def _is_tls(cluster: Cursor) -> bool:
    socket = field(cluster, "transport_socket")
    name = str(socket["name"].value)
    return field(cluster, "tls_context").exists or "tls" in name.lower()
