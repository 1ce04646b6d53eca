"""Reads a declarative configuration of Kong, formats 1.1 to 3.0: services and routes become APIs.

Routes of one service that lead to the same URL under the same policy are one API with several endpoints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from crossgate.catalogue.model import ApiType
from crossgate.catalogue.names import parse_endpoint
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.importers.combine import strictest, union_of_methods, values_of, within_methods
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Contents, Found, FoundApi, FoundPolicy
from crossgate.importers.kind import Kind
from crossgate.importers.kong.cors_plugin import read_cors_plugin
from crossgate.importers.kong.entities import (
    Route,
    Service,
    routes_without_service,
    services_of,
    upstream_target,
)
from crossgate.importers.methods import preflights_not_routed
from crossgate.importers.source import Source

_REGEX_PATH: Final = re.compile(r"[^A-Za-z0-9._~/%:@!$&',;=-]")
"""Before format 3.0, a path with such a character is a regular expression."""
_SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https", "grpc": "", "grpcs": ""}
_ACCESS_PLUGINS: Final = frozenset(
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
_OPTIONS: Final = "OPTIONS"


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
    shown_behaviour = False
    for service in services_of(root):
        found = _ReadService(root, service)
        found.read()
        apis += found.apis
        yield from found.diagnostics
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
    for route in routes_without_service(root):
        yield route.diagnose(
            "route-without-service",
            "a route without a service has no native service; left out",
            "Nothing to do",
        )


@dataclass(slots=True)
class _Target:
    """Routes that lead to one URL under the same paths."""

    native: Found[str] | None
    endpoints: dict[str, Found[str]]
    policy: FoundPolicy | None
    names: list[str]
    place: Place
    native_cors: list[Found[str]] = field(default_factory=list)


class _ReadService:
    """Collects the APIs of one service."""

    def __init__(self, root: Cursor, service: Service) -> None:
        self._root = root
        self._service = service
        self.apis: list[FoundApi] = []
        self.diagnostics: list[Diagnostic] = []

    def read(self) -> None:
        """Reads all routes, and makes one API of those that differ only in their paths."""
        node = self._service.node
        native = self._native()
        targets: list[_Target] = []
        for route in self._service.routes:
            if route.terminated:
                self.diagnostics.append(
                    route.node.diagnose(
                        "route-blocked",
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
                    "Nothing to do",
                )
            )
        self._report_access_plugins()
        merged = _merge_paths(_merge_policies(targets, self.diagnostics))
        for number, target in enumerate(merged):
            self._add_api(target, number, alone=len(merged) == 1)

    def _native(self) -> Found[str] | None:
        node = self._service.node
        url = node["url"]
        if url.text:
            parts = _split(url.text)
            protocol, host, port, path = parts or ("", "", "", "")
            place, reason = url.place, "url of the service"
        else:
            protocol, host = node["protocol"].text or "http", node["host"].text or ""
            port, path = (
                node["port"].text or ("" if protocol in ("https", "wss") else "80"),
                node["path"].text or "",
            )
            place, reason = (
                (node["host"] if host else node).place,
                "protocol, host, port and path of the service",
            )
        protocol = node["protocol"].text or protocol
        scheme = _SCHEMES.get(protocol, "")
        target = upstream_target(self._root, host)
        if target is not None:
            entry, count = target
            host, _, port = (
                (entry.text or "").rpartition(":")
                if ":" in (entry.text or "")
                else (entry.text or "", "", "8000")
            )
            place, reason = entry.place, f"first target of the upstream {node['host'].text or host}"
            if count > 1:
                self.diagnostics.append(
                    entry.diagnose(
                        "several-targets",
                        f"the upstream has {count} targets; the native service is the first one",
                        "Put a load balancer in front of them, and name it with --native",
                        Severity.INFO,
                    )
                )
        if not scheme or not host:
            self.diagnostics.append(
                node.diagnose(
                    "native-unknown",
                    f"no native service can be made of the service's URL ({protocol or 'no'} protocol)",
                    "Name its URL with --native",
                )
            )
            return None
        default = "443" if scheme == "https" else "80"
        authority = host if port in ("", default) else f"{host}:{port}"
        return Found(f"{scheme}://{authority}{path.rstrip('/')}", place, reason)

    def _route_targets(self, route: Route, native: Found[str] | None) -> Iterator[_Target]:
        node = route.node
        policy, native_cors = self._policy(route)
        paths = [one for one in node["paths"].entries() if one.text]
        strip = node["strip_path"].value is not False
        self._report_route(node)
        endpoints = [(path, self._endpoint(path)) for path in paths]
        usable = {endpoint: path for path, endpoint in endpoints if endpoint}
        name = node["name"].text or "route"

        def target(found: Found[str] | None, served: dict[str, Found[str]]) -> _Target:
            return _Target(found, served, policy, [name], node.place, [*native_cors])

        if not usable:
            if not paths:
                self.diagnostics.append(
                    node.diagnose(
                        "route-without-path",
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
            code, message = "regex-path", "a path that is a regular expression has no counterpart; left out"
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
        found = read_cors_plugin(route.cors.node, route.cors.config)
        for diagnostic in found.diagnostics:
            if diagnostic not in self.diagnostics:
                self.diagnostics.append(diagnostic)
        methods = [str(one.value) for one in route.node["methods"].entries() if isinstance(one.value, str)]
        if not methods:
            return found.policy, found.native_cors
        if _OPTIONS not in methods:
            self.diagnostics.append(preflights_not_routed(route.node["methods"].place, "Kong answers 404"))
        return within_methods(found.policy, methods), found.native_cors

    def _report_route(self, node: Cursor) -> None:
        for key in ("hosts", "headers", "snis", "sources", "destinations", "expression"):
            if node[key].exists and node[key].value not in ([], {}, ""):
                self.diagnostics.append(
                    node[key].diagnose(
                        "condition-ignored",
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
                if plugin.name in _ACCESS_PLUGINS:
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

    def _add_api(self, target: _Target, number: int, *, alone: bool) -> None:
        node = self._service.node
        service = node["name"].text or node["host"].text or "service"
        name = service if alone else f"{service}-{target.names[0]}"
        place = node["name"].place if node["name"].exists else node.place
        self.apis.append(
            FoundApi(
                id=f"{node.path}/{number}",
                name=Found(
                    name,
                    place if alone else target.place,
                    "name of the service" if alone else "names of service and route",
                ),
                version=Found("1", node.place, "Kong's services have no version"),
                type=Found(ApiType.REST, node.place, "Kong's services are REST"),
                natives=() if target.native is None else (target.native,),
                endpoints=tuple(target.endpoints.values()),
                cors=target.policy,
                native_cors=tuple(target.native_cors),
            )
        )


def _split(url: str) -> tuple[str, str, str, str] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    return parts.scheme, f"[{host}]" if ":" in host else host, "" if port is None else str(port), parts.path


def _merge_policies(targets: list[_Target], diagnostics: list[Diagnostic]) -> list[_Target]:
    """One target for each URL and set of paths: several routes may serve them, by method or host."""
    merged: dict[tuple[object, ...], _Target] = {}
    for target in targets:
        key = (target.native and target.native.value, tuple(sorted(target.endpoints)))
        earlier = merged.get(key)
        if earlier is None:
            merged[key] = target
            continue
        earlier.names += target.names
        earlier.native_cors += target.native_cors
        combined = union_of_methods(earlier.policy, target.policy)
        if combined is None and (earlier.policy or target.policy):
            combined = strictest([earlier.policy, target.policy])
            diagnostics.append(
                Diagnostic(
                    "policies-combined",
                    f"routes with the same paths have different policies ({', '.join(earlier.names)}): only "
                    "what all of them allow is taken over",
                    "Check the policy of the API",
                    target.place,
                    severity=Severity.WARNING,
                )
            )
        earlier.policy = combined
    return list(merged.values())


def _merge_paths(targets: list[_Target]) -> list[_Target]:
    """One target for each URL and policy: the paths are endpoints of one API."""
    merged: list[_Target] = []
    for target in targets:
        url = target.native and target.native.value
        earlier = next(
            (
                one
                for one in merged
                if (one.native and one.native.value) == url
                and values_of(one.policy) == values_of(target.policy)
                and bool(one.endpoints) == bool(target.endpoints)
            ),
            None,
        )
        if earlier is None:
            merged.append(target)
        else:
            earlier.endpoints = {**earlier.endpoints, **target.endpoints}
            earlier.names += target.names
            earlier.native_cors += target.native_cors
    return merged
