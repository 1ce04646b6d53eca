"""Reads a declarative configuration of Kong, formats 1.1 to 3.0: services and routes become APIs.

Routes of one service that lead to the same URL under the same policy are one API with several endpoints.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crossgate.diagnostics import Diagnostic, Severity
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Contents, FoundApi
from crossgate.importers.kind import Kind
from crossgate.importers.kong.entities import Entities
from crossgate.importers.kong.service import KnownPlugins, ServiceRoutes
from crossgate.importers.kong.targets import limit_to_inner_paths
from crossgate.importers.source import Source


def _recognises(source: Source) -> bool:
    for root in map(Cursor.root, source.parsed):
        services = list(root["services"].entries())
        # deck reads files without a version, too.
        if root["_format_version"].exists or any(
            one[key].exists for one in services for key in ("routes", "url", "plugins")
        ):
            return True
    return False


def read(source: Source) -> Contents:
    """The APIs of a declarative configuration."""
    apis: list[FoundApi] = []
    diagnostics: list[Diagnostic] = []
    for tree in source.trees:
        root = Cursor.root(tree)
        diagnostics += _read_root(root, apis)
    return Contents(tuple(apis), diagnostics=tuple(diagnostics))


KONG: Final = Kind(
    "kong",
    "Kong's declarative configuration",
    "Services, routes and upstreams become APIs, and each cors plugin the policy of those that it is for.",
    _recognises,
    read,
)


def _read_root(root: Cursor, apis: list[FoundApi]) -> Iterator[Diagnostic]:
    known: KnownPlugins = {}
    entities = Entities(root)
    services = [(service, ServiceRoutes(root, entities, service, known)) for service in entities.services()]
    combined: list[Diagnostic] = []
    limit_to_inner_paths([target for _, reader in services for target in reader.targets], combined)
    shown_behaviour = False
    for service, reader in services:
        apis += reader.apis()
        yield from reader.diagnostics
        cors = next((route.cors for route in service.routes if route.cors is not None), None)
        if cors is not None and not shown_behaviour:
            shown_behaviour = True
            yield cors.node.diagnose(
                "behaviour-differs",
                "Kong forwards requests of every origin and leaves the refusal to browsers; Crossgate "
                "answers 403, and 405 or 403 to preflights with a method or header that is not allowed",
                "Tell programs that are no browsers to send no foreign Origin",
                Severity.INFO,
            )
    yield from combined
    for route in entities.routes_without_service():
        yield route.diagnose(
            "route-skipped",
            "a route without a service has no native service; left out",
            "Add a service to the route if the gateway shall serve it",
        )
