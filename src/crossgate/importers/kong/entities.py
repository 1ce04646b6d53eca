"""Services, routes, upstreams and plugins of a declarative configuration, wherever they are written.

Entities are nested, or stand at the top level and refer to each other by name or id
(https://developer.konghq.com/gateway/entities/).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from crossgate.importers.cursor import Cursor, LayeredCursor

CORS: Final = "cors"
_TERMINATION: Final = "request-termination"
_ENTITY_KEYS: Final = ("name", "id")


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that is enabled, and its name."""

    name: str
    node: Cursor
    config: Cursor
    """Its configuration, its own or a shared one; without a value if there is none."""


@dataclass(frozen=True, slots=True)
class Route:
    """A route, and the plugins that are in force for it."""

    node: Cursor
    plugins: tuple[Plugin, ...]

    @property
    def cors(self) -> Plugin | None:
        """The cors plugin in force."""
        return next((one for one in self.plugins if one.name == CORS), None)

    @property
    def terminated(self) -> bool:
        """Whether Kong answers its requests itself."""
        return any(one.name == _TERMINATION for one in self.plugins)


@dataclass(frozen=True, slots=True)
class Service:
    """A service with its routes."""

    node: Cursor
    routes: tuple[Route, ...]


def services_of(root: Cursor) -> Iterator[Service]:
    """The services that are not disabled, with the routes of each."""
    for node in root["services"].entries():
        if node["enabled"].value is False:
            continue
        routes = [*node["routes"].entries()]
        routes += [one for one in root["routes"].entries() if _refers(one["service"], node)]
        yield Service(node, tuple(Route(route, _plugins(root, node, route)) for route in routes))


def routes_without_service(root: Cursor) -> Iterator[Cursor]:
    """The routes at the top level that refer to no service."""
    for route in root["routes"].entries():
        if not any(_refers(route["service"], node) for node in root["services"].entries()):
            yield route


def upstream_target(root: Cursor, host: str) -> tuple[Cursor, int] | None:
    """The first target of the upstream with that name, and how many there are."""
    for upstream in root["upstreams"].entries():
        if upstream["name"].text == host:
            targets = [one["target"] for one in upstream["targets"].entries() if one["target"].text]
            targets += [
                one["target"]
                for one in root["targets"].entries()
                if _refers(one["upstream"], upstream) and one["target"].text
            ]
            if targets:
                return targets[0], len(targets)
    return None


def _plugins(root: Cursor, service: Cursor, route: Cursor) -> tuple[Plugin, ...]:
    """The plugins in force: those of the route precede those of the service, then come global ones.

    https://developer.konghq.com/gateway/entities/plugin/, "Plugin precedence".
    """
    every = [
        one
        for one in root["plugins"].entries()
        if not one["service"].exists or _refers(one["service"], service)
    ]
    of_route = [one for one in every if _refers(one["route"], route)]
    levels = [
        # A plugin for the pair of route and service comes before those for the route alone.
        [one for one in of_route if one["service"].exists],
        [*route["plugins"].entries(), *(one for one in of_route if not one["service"].exists)],
        [
            *service["plugins"].entries(),
            *(one for one in every if one["service"].exists and not one["route"].exists),
        ],
        [one for one in every if not any(one[key].exists for key in ("route", "service", "consumer"))],
    ]
    found: dict[str, Plugin] = {}
    for level in levels:
        for node in level:
            name = node["name"].text
            # A plugin that is disabled is not in force, and does not hide that of the next level.
            if name and node["enabled"].value is not False:
                found.setdefault(name, Plugin(name, node, _config_of(root, node)))
    return tuple(found.values())


def _config_of(root: Cursor, node: Cursor) -> Cursor:
    """The configuration of a plugin, completed by a shared one from ``_plugin_configs``, as decK does."""
    shared = node["_config"].text
    if shared is None:
        return node["config"]
    own, common = node["config"], root["_plugin_configs"][shared]
    return LayeredCursor(own.tree, own.path, own.value, common) if own.exists else common


def _refers(reference: Cursor, entity: Cursor) -> bool:
    """Whether a reference, by a string or by a mapping with a name or an id, is to the entity."""
    wanted = {reference.text, *(reference[key].text for key in _ENTITY_KEYS)} - {None}
    return bool(wanted & {entity[key].text for key in _ENTITY_KEYS})
