"""Reads the configuration of Spring Cloud Gateway: routes become APIs, CORS configurations policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from crossgate.catalogue.model import ApiType
from crossgate.diagnostics import Diagnostic, InvalidInput, Severity
from crossgate.importers.combine import strictest, within_methods
from crossgate.importers.found import Contents, Found, FoundApi, FoundPolicy
from crossgate.importers.kind import Kind
from crossgate.importers.limits import refuse_excess
from crossgate.importers.methods import preflights_not_routed
from crossgate.importers.source import Source
from crossgate.importers.spring.binding import SpringProperty, bind, is_properties_file
from crossgate.importers.spring.configurations import CorsConfigurations
from crossgate.importers.spring.paths import (
    base_path,
    covers_below,
    definitions,
    endpoint,
    literal_prefix,
    named,
    path_patterns,
)

_PREFIXES: Final = (
    ("spring", "cloud", "gateway", "server", "webflux"),
    ("spring", "cloud", "gateway", "server", "webmvc"),
    ("spring", "cloud", "gateway", "mvc"),
    ("spring", "cloud", "gateway"),
)
"""Since release 2025.0 there are two gateways, each with a prefix of its own."""
_ROUTES: Final = ("routes", "globalcors")
_CORS_HEADERS: Final = "access-control-"


def _recognises(source: Source) -> bool:
    if not source.parsed and not is_properties_file(source):
        return False
    try:
        return _gateway(bind(source, [])) is not None
    except InvalidInput:
        return False


def read(source: Source) -> Contents:
    """The APIs of a configuration; raises InvalidInput if it cannot be parsed."""
    diagnostics: list[Diagnostic] = []
    bound = bind(source, diagnostics)
    reader = _Reader(_gateway(bound) or bound, diagnostics)
    return Contents(tuple(reader.apis()), diagnostics=tuple(dict.fromkeys(diagnostics)))


SPRING_CLOUD_GATEWAY: Final = Kind(
    "spring-cloud-gateway",
    "Configuration of Spring Cloud Gateway",
    "Each route becomes an API; globalcors and the routes' own CORS metadata become their policies.",
    _recognises,
    read,
)


def _gateway(bound: SpringProperty) -> SpringProperty | None:
    """The properties of the gateway, under the prefix that has routes or CORS configurations."""
    for prefix in _PREFIXES:
        found = bound.get(*prefix)
        if found is not None and any(found.get(name) is not None for name in _ROUTES):
            return found
    return None


class _Reader:
    def __init__(self, gateway: SpringProperty, diagnostics: list[Diagnostic]) -> None:
        self._gateway = gateway
        self._diagnostics = diagnostics
        routes = gateway.get("routes")
        self._routes = [] if routes is None else list(routes.entries())
        refuse_excess(len(self._routes), "routes", gateway.place)
        self._configurations = CorsConfigurations(gateway, self._routes, diagnostics)
        defaults = gateway.get("default-filters")
        self._default_filters = [] if defaults is None else list(defaults.entries())

    def apis(self) -> Iterator[FoundApi]:
        """The API of each route."""
        for number, route in enumerate(self._routes):
            yield from self._route(route, number)
        locator = self._gateway.get("discovery", "locator", "enabled")
        if locator is not None and str(locator.value).lower() == "true":
            self._diagnostics.append(
                locator.diagnose(
                    "routes-discovered",
                    "routes that the running program discovers are not in the document",
                    "Add APIs for the services that it finds",
                )
            )
        if not self._routes:
            self._diagnostics.append(
                self._gateway.diagnose(
                    "nothing-found",
                    "no routes are in the document",
                    "Import the document that has spring.cloud.gateway.routes",
                )
            )
        elif self._configurations.exist:
            self._diagnostics.append(
                self._gateway.diagnose(
                    "behaviour-differs",
                    "Spring answers 403 to a preflight whose method is not allowed, Crossgate 405; Spring "
                    "also refuses requests whose method is not allowed, Crossgate preflights; to headers "
                    "of which some are not allowed, Spring answers with the others, Crossgate 403",
                    "Refuse methods in the native service if no preflight precedes them: GET, HEAD and POST",
                    Severity.INFO,
                )
            )

    def _route(self, route: SpringProperty, number: int) -> Iterator[FoundApi]:
        name = route.get("id") or route.get("uri") or route
        label = route.text("id") or f"route-{number}"
        patterns, methods = self._patterns(route), self._methods(route)
        filters = [*self._default_filters, *definitions(route, "filters")]
        targets: dict[str | None, list[tuple[str, SpringProperty]]] = {}
        for pattern, place in patterns or [("/**", route)]:
            base = base_path(literal_prefix(pattern), filters)
            if isinstance(base, SpringProperty):
                self._diagnostics.append(
                    base.diagnose(
                        "route-rewrite",
                        "the path of the native service cannot be determined from this filter",
                        f"Name its URL with --native {label}=URL",
                    )
                )
            targets.setdefault(None if isinstance(base, SpringProperty) else base, []).append(
                (pattern, place)
            )
        for position, (path, served) in enumerate(targets.items()):
            policy = strictest([self._configurations.policy(route, pattern) for pattern, _ in served])
            for some in methods:
                policy = within_methods(policy or FoundPolicy(), some)
            yield FoundApi(
                id=f"{label}#{number}.{position}",
                name=Found(
                    label if len(targets) == 1 else f"{label}-{position + 1}", name.place, "id of the route"
                ),
                version=Found("1", route.place, "Spring's routes have no version"),
                type=Found(ApiType.REST, route.place, "Spring's routes are REST"),
                natives=tuple(self._native(route, path)),
                endpoints=tuple(self._endpoints(served)),
                cors=policy,
                native_cors=tuple(_native_cors(filters)),
            )

    def _patterns(self, route: SpringProperty) -> list[tuple[str, SpringProperty]]:
        for definition in definitions(route, "predicates"):
            name, _ = named(definition)
            if name not in ("", "Path", "Method"):
                self._diagnostics.append(
                    definition.diagnose(
                        "route-conditions",
                        f"Crossgate routes by the path alone: the predicate {name} is not taken over",
                        "Check that no other API needs the same path",
                    )
                )
        return path_patterns(route)

    def _methods(self, route: SpringProperty) -> list[list[str]]:
        """The methods of each ``Method`` predicate: a request needs one of each."""
        found = []
        for definition in definitions(route, "predicates"):
            name, methods = named(definition)
            if name == "Method":
                found.append(methods)
                if "OPTIONS" not in methods:
                    self._diagnostics.append(preflights_not_routed(definition.place, "Spring answers 404"))
        return found

    def _endpoints(self, served: Sequence[tuple[str, SpringProperty]]) -> Iterator[Found[str]]:
        seen = set()
        for pattern, place in served:
            end = endpoint(pattern)
            if end is None:
                self._diagnostics.append(
                    place.diagnose(
                        "path-without-endpoint",
                        f"no endpoint can be made of {pattern}; left out",
                        "Give the API an endpoint that clients can use, or keep the default one",
                    )
                )
            elif end not in seen:
                seen.add(end)
                if not covers_below(pattern):
                    self._diagnostics.append(
                        place.diagnose(
                            "endpoint-wider",
                            f"Spring routes {pattern}; an endpoint of Crossgate has every path below {end}",
                            "Check that the native service may be called at the other paths, too",
                        )
                    )
                yield Found(end, place.place, f"Path predicate {pattern}")

    def _native(self, route: SpringProperty, base: str | None) -> Iterator[Found[str]]:
        uri = route.get("uri")
        if uri is None or base is None or uri.value is None:
            return
        try:
            parts = urlsplit(str(uri.value))
            scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
        except ValueError:
            return
        if uri.unresolved or scheme not in ("http", "https"):
            yield Found(str(uri.value), uri.place, f"uri of the route; its base path is {base or '/'}")
        else:
            yield Found(
                f"{scheme}://{parts.netloc}{base}",
                uri.place,
                "uri of the route, with the path that filters make",
            )


def _native_cors(filters: Sequence[SpringProperty]) -> Iterator[Found[str]]:
    for definition in filters:
        name, args = named(definition)
        if name in ("DedupeResponseHeader", "RemoveResponseHeader") and any(
            _CORS_HEADERS in one.lower() for one in args
        ):
            yield Found(name, definition.place, f"the filter {name} is for CORS headers of the service")
