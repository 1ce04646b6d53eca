"""The APIs of one service of Kong: those of its routes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from crossgate.catalogue.model import ApiType
from crossgate.catalogue.names import parse_endpoint
from crossgate.diagnostics import Diagnostic, Severity, Step
from crossgate.importers.combine import within_methods
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found, FoundApi, FoundPolicy
from crossgate.importers.kong.cors_plugin import ReadPlugin, read_cors_plugin
from crossgate.importers.kong.entities import ACCESS_PLUGINS, Entities, Route, Service
from crossgate.importers.kong.native import native_of
from crossgate.importers.kong.targets import Target, merge_paths, merge_policies
from crossgate.importers.methods import preflights_not_routed

_REGEX_PATH: Final = re.compile(r"[^A-Za-z0-9._~/%:@!$&',;=-]")
"""Before format 3.0, a path with such a character is a regular expression."""


KnownPlugins = dict[tuple[Step, ...], ReadPlugin]
"""The cors plugins that were read, by their paths: many routes have that of a service, or a global one."""


class ServiceRoutes:
    """Reads the routes of one service, and makes APIs of them."""

    def __init__(self, root: Cursor, entities: Entities, service: Service, known: KnownPlugins) -> None:
        self._root = root
        self._entities = entities
        self._service = service
        self._known = known
        self.diagnostics: list[Diagnostic] = []
        self.targets = self._targets()

    def _targets(self) -> list[Target]:
        """Those of all routes; routes that differ only in their paths have one."""
        node = self._service.node
        native = native_of(self._entities, node, self.diagnostics)
        targets: list[Target] = []
        for route in self._service.routes:
            if route.terminated:
                self.diagnostics.append(
                    route.node.diagnose(
                        "route-skipped",
                        "Kong answers requests of this route itself (request-termination); left out",
                        "Check that no other API leads to the same native service",
                    )
                )
                continue
            targets += self._route_targets(route, native)
        if not self._service.routes:
            self.diagnostics.append(
                node.diagnose(
                    "service-without-route",
                    "a service without routes serves nothing; left out",
                    "Add a route to the service if the gateway shall serve it",
                )
            )
        self._report_access_plugins()
        return merge_paths(merge_policies(targets, self.diagnostics))

    def _route_targets(self, route: Route, native: Found[str] | None) -> Iterator[Target]:
        node = route.node
        policy, native_cors = self._policy(route)
        paths = [one for one in node["paths"].entries() if one.text]
        strip = node["strip_path"].value is not False
        self._report_route(node)
        endpoints = [(path, self._endpoint(path)) for path in paths]
        usable = {endpoint: path for path, endpoint in endpoints if endpoint}
        name = node["name"].text or "route"

        def target(found: Found[str] | None, served: dict[str, Found[str]]) -> Target:
            return Target(found, served, policy, [name], node, [repr(node["hosts"].value)], [*native_cors])

        if not usable:
            if not paths:
                self.diagnostics.append(
                    node.diagnose(
                        "path-without-endpoint",
                        "a route without paths serves every path; the API gets the default endpoint",
                        "Give the API endpoints, or tell clients of the new path",
                    )
                )
            yield target(native, {})
        elif strip:
            yield target(
                native,
                {end: Found(end, path.place, f"path of the route {name}") for end, path in usable.items()},
            )
        else:
            for end, path in usable.items():
                reason = f"path of the route {name}, which strip_path: false adds to the URL"
                below = None if native is None else replace(native, value=native.value + end)
                yield target(below, {end: Found(end, path.place, reason)})

    def _endpoint(self, path: Cursor) -> str | None:
        """The endpoint for a path of a route; None if there is none."""
        text = path.text or ""
        version = self._root["_format_version"].text or ""
        old = version.startswith(("1", "2"))
        if text.startswith("~") or (old and _REGEX_PATH.search(text)):
            code, message = (
                "path-without-endpoint",
                "a path that is a regular expression has no counterpart; left out",
            )
        else:
            trimmed = text.rstrip("/")
            if isinstance(parse_endpoint(trimmed), str):
                return trimmed
            code, message = "path-without-endpoint", "the path cannot be an endpoint; left out"
        self.diagnostics.append(
            path.diagnose(
                code, message, "Give the API an endpoint that clients can use, or keep the default one"
            )
        )
        return None

    def _policy(self, route: Route) -> tuple[FoundPolicy | None, list[Found[str]]]:
        if route.cors is None:
            return None, []
        at = route.cors.node.path
        if at not in self._known:
            self._known[at] = read_cors_plugin(route.cors.node, route.cors.config)
            self.diagnostics += self._known[at].diagnostics
        found = self._known[at]
        methods = [str(one.value) for one in route.node["methods"].entries() if isinstance(one.value, str)]
        if not methods:
            return found.policy, found.native_cors
        if "OPTIONS" not in methods:
            self.diagnostics.append(preflights_not_routed(route.node["methods"].place, "Kong answers 404"))
        return within_methods(found.policy, methods), found.native_cors

    def _report_route(self, node: Cursor) -> None:
        for key in ("hosts", "headers", "snis", "sources", "destinations", "expression"):
            if node[key].exists and node[key].value not in ([], {}, ""):
                self.diagnostics.append(
                    node[key].diagnose(
                        "route-conditions",
                        f"Crossgate routes by the path alone: {key} of the route is not taken over",
                        "Check that no other API needs the same path",
                    )
                )
        if node["methods"].exists:
            self.diagnostics.append(
                node["methods"].diagnose(
                    "methods-not-routed",
                    "Kong answers 404 to other methods; Crossgate forwards all but those that a preflight "
                    "is refused for",
                    "Refuse them in the native service",
                    Severity.INFO,
                )
            )

    def _report_access_plugins(self) -> None:
        names: dict[str, Cursor] = {}
        for route in self._service.routes:
            for plugin in route.plugins:
                if plugin.name in ACCESS_PLUGINS:
                    names.setdefault(plugin.name, plugin.node)
        if names:
            first = next(iter(names.values()))
            self.diagnostics.append(
                first.diagnose(
                    "access-not-taken-over",
                    f"Kong restricts access to this service; Crossgate does not: {', '.join(sorted(names))}",
                    "Keep Kong as the native service, or restrict access in the native service itself",
                )
            )

    def apis(self) -> Iterator[FoundApi]:
        """The API of each target."""
        node = self._service.node
        service = node["name"].text or node["host"].text or "service"
        alone = len(self.targets) == 1
        at = node["name"] if node["name"].exists else node
        for number, target in enumerate(self.targets):
            yield FoundApi(
                id=f"{node.path}/{number}",
                name=Found(service, at.place, "name of the service")
                if alone
                else Found(f"{service}-{target.names[0]}", target.at.place, "names of service and route"),
                version=Found("1", node.place, "Kong's services have no version"),
                type=Found(ApiType.REST, node.place, "Kong's services are REST"),
                natives=() if target.native is None else (target.native,),
                endpoints=tuple(target.endpoints.values()),
                cors=target.policy,
                native_cors=tuple(target.native_cors),
            )
