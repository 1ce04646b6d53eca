"""Services, routes, upstreams and plugins of a declarative configuration, wherever they are written.

Entities are nested, or stand at the top level and refer to each other by name or id
(https://developer.konghq.com/gateway/entities/).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from crossgate.importers.cursor import Cursor, LayeredCursor
from crossgate.importers.limits import refuse_excess

CORS: Final = "cors"
_TERMINATION: Final = "request-termination"
ACCESS_PLUGINS: Final = frozenset(
    {
        "acl",
        "basic-auth",
        "bot-detection",
        "hmac-auth",
        "ip-restriction",
        "jwt",
        "jwt-signer",
        "key-auth",
        "key-auth-enc",
        "ldap-auth",
        "ldap-auth-advanced",
        "mtls-auth",
        "oauth2",
        "oauth2-introspection",
        "opa",
        "openid-connect",
        "rate-limiting",
        "rate-limiting-advanced",
        "request-size-limiting",
        "session",
        "upstream-oauth",
        "vault-auth",
    }
)
"""Plugins that restrict who may call a service."""
_KNOWN: Final = ACCESS_PLUGINS | {CORS, _TERMINATION}
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


class Entities:
    """The entities of a configuration, found by what they refer to without looking at all of them."""

    def __init__(self, root: Cursor) -> None:
        self._root = root
        self._services = [*root["services"].entries()]
        routes = sum(1 for _ in root["routes"].entries())
        refuse_excess(max(len(self._services), routes), "services or routes", root.place)
        self._routes = _Referring(root["routes"].entries(), "service")
        self._targets = _Referring(root["targets"].entries(), "upstream")
        self._upstreams: dict[str | None, Cursor] = {}
        for upstream in root["upstreams"].entries():
            self._upstreams.setdefault(upstream["name"].text, upstream)
        plugins = [*root["plugins"].entries()]
        self._of_route = _Referring(plugins, "route")
        self._of_service = _Referring((one for one in plugins if not one["route"].exists), "service")
        scopes = ("route", "service", "consumer")
        self._global = self._first_of_each_name(
            one for one in plugins if not any(one[scope].exists for scope in scopes)
        )

    def services(self) -> Iterator[Service]:
        """The services that are not disabled, with the routes of each."""
        for node in self._services:
            if node["enabled"].value is False:
                continue
            routes = [*node["routes"].entries(), *self._routes.to(node)]
            own = self._first_of_each_name([*node["plugins"].entries(), *self._of_service.to(node)])
            shared = {**self._global, **own}
            yield Service(node, tuple(Route(route, self._plugins(node, route, shared)) for route in routes))

    def routes_without_service(self) -> Iterator[Cursor]:
        """The routes at the top level that refer to no service."""
        names = {name for node in self._services for name in _names(node)}
        for route in self._root["routes"].entries():
            if names.isdisjoint(_referred(route["service"])):
                yield route

    def upstream_target(self, host: str) -> tuple[Cursor, int] | None:
        """The first target of the upstream with that name, and how many there are."""
        upstream = self._upstreams.get(host)
        if upstream is None:
            return None
        nodes = [*upstream["targets"].entries(), *self._targets.to(upstream)]
        targets = [one["target"] for one in nodes if one["target"].text]
        return (targets[0], len(targets)) if targets else None

    def _plugins(self, service: Cursor, route: Cursor, shared: Mapping[str, Plugin]) -> tuple[Plugin, ...]:
        """The plugins in force: those of the route precede those of the service, then come global ones.

        https://developer.konghq.com/gateway/entities/plugin/, "Plugin precedence".
        """
        of_route = self._of_route.to(route)
        names = _names(service)
        # A plugin for the pair of route and service comes before those for the route alone.
        of_pair = [one for one in of_route if not names.isdisjoint(_referred(one["service"]))]
        alone = [one for one in of_route if not one["service"].exists]
        own = self._first_of_each_name([*of_pair, *route["plugins"].entries(), *alone])
        return tuple({**shared, **own}.values())

    def _first_of_each_name(self, nodes: Iterable[Cursor]) -> dict[str, Plugin]:
        """The plugins by name, of those that matter here.

        A plugin that is disabled is not in force, and does not hide that of the next level.
        """
        found: dict[str, Plugin] = {}
        for node in nodes:
            name = node["name"].text
            if name in _KNOWN and name not in found and node["enabled"].value is not False:
                found[name] = Plugin(name, node, _config_of(self._root, node))
        return found


class _Referring:
    """Entities by the name or id of the one to which they refer."""

    def __init__(self, entities: Iterable[Cursor], key: str) -> None:
        self._by_name: defaultdict[str, list[Cursor]] = defaultdict(list)
        for entity in entities:
            for name in _referred(entity[key]):
                self._by_name[name].append(entity)

    def to(self, entity: Cursor) -> list[Cursor]:
        """Those that refer to the entity, in their order for each of its names."""
        found = (one for name in sorted(_names(entity)) for one in self._by_name.get(name, ()))
        return list({one.path: one for one in found}.values())


def _config_of(root: Cursor, node: Cursor) -> Cursor:
    """The configuration of a plugin, completed by a shared one from ``_plugin_configs``, as decK does."""
    shared = node["_config"].text
    if shared is None:
        return node["config"]
    own, common = node["config"], root["_plugin_configs"][shared]
    return LayeredCursor(own.tree, own.path, own.value, common) if own.exists else common


def _referred(reference: Cursor) -> set[str]:
    """The names or ids in a reference, which is a string, or a mapping with a name or an id."""
    found = (reference.text, *(reference[key].text for key in _ENTITY_KEYS))
    return {one for one in found if one is not None}


def _names(entity: Cursor) -> set[str]:
    """By what others refer to the entity."""
    return {name for key in _ENTITY_KEYS if (name := entity[key].text) is not None}
