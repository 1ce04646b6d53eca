"""Reads Envoy's configuration: each route to a cluster is an API.

Route configurations and clusters are found wherever they are: in a bootstrap file, a file of one resource, a
discovery response, or an answer of ``/config_dump``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from crossgate.catalogue.model import ApiType
from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Severity
from crossgate.importers.combine import strictest
from crossgate.importers.cursor import Cursor
from crossgate.importers.envoy.clusters import Upstreams, upstreams_of
from crossgate.importers.envoy.cors import differences, lacks_filter, policy_of
from crossgate.importers.envoy.fields import field, messages
from crossgate.importers.found import Contents, Found, FoundApi, FoundPolicy
from crossgate.importers.kind import Kind
from crossgate.importers.nested_paths import RoutedPath, combine_paths, combined_at
from crossgate.importers.source import Source


def recognises_envoy(source: Source) -> bool:
    """Whether it is a bootstrap, or names types of Envoy's API."""
    for tree in source.parsed:
        root = Cursor.root(tree)
        if field(root, "static_resources").exists or field(root, "virtual_hosts").exists:
            return True
        for name in ("configs", "resources"):
            if any("envoy" in str(one["@type"].value) for one in root[name].entries()):
                return True
    return False


@dataclass(frozen=True, slots=True)
class _Route:
    """A route to a cluster."""

    at: Cursor
    path: str
    """The prefix that it matches, without a slash at the end; empty for all paths."""
    native_path: str
    cluster: str | None
    policy: FoundPolicy | None


def read_envoy(source: Source) -> Contents:
    """The APIs of every route configuration in the document."""
    found = [message for tree in source.trees for message in messages(tree)]
    upstreams = upstreams_of(found)
    managers = [message for message in found if lacks_filter(message)]
    inline = [hosts for one in managers if (hosts := _virtual_hosts(field(one, "route_config")))]
    named = {field(one["rds"], "route_config_name").text for one in managers} - {None}
    problems: list[Diagnostic] = []
    apis: list[FoundApi] = []
    seen: list[object] = []
    for config in found:
        hosts = _virtual_hosts(config)
        if hosts is None or hosts in seen:
            continue
        seen.append(hosts)  # a dump has static route configurations twice
        ignored = hosts in inline or config["name"].text in named
        for host in field(config, "virtual_hosts").entries():
            routes = _routes(host, config, problems, ignored=ignored)
            apis += [
                _api(route, host, upstreams, f"{len(apis) + number}", problems)
                for number, route in enumerate(_combined(routes, problems))
            ]
    if not seen:
        raise InvalidInput(
            [
                Diagnostic(
                    "nothing-found",
                    "no route configuration was found",
                    "Give the bootstrap file, or the answer of the admin interface to /config_dump",
                    Place(file=source.name),
                )
            ]
        )
    policies = [api for api in apis if api.cors is not None]
    if policies:
        problems.append(differences(policies[0].type.place))
    return Contents(tuple(apis), diagnostics=tuple(dict.fromkeys(problems)))


def _virtual_hosts(config: Cursor) -> list[object] | None:
    hosts = field(config, "virtual_hosts").value
    return hosts if isinstance(hosts, list) else None


def _routes(host: Cursor, config: Cursor, problems: list[Diagnostic], *, ignored: bool) -> list[_Route]:
    found = []
    known: dict[tuple[object, ...], FoundPolicy | None] = {}
    for route in host["routes"].entries():
        action = route["route"]
        if not action.exists:
            what = "redirect" if route["redirect"].exists else "direct response"
            problems.append(_skipped(route, f"the route is a {what}, and is not imported"))
            continue
        path, native_path = _paths(route, problems)
        cluster = _cluster(action, problems)
        owners = [action, route, host, config]
        weighted = field(action, "weighted_clusters")["clusters"].entries()
        of_clusters = [policy_of([cluster, *owners], problems, known) for cluster in weighted]
        policy = strictest(of_clusters or [policy_of(owners, problems, known)])
        if ignored and policy is not None:
            problems.append(
                route.diagnose(
                    "cors-filter-missing",
                    "the policy has no effect in Envoy: its listener has no CORS filter; it is left out",
                    "Add the policy to the API if you want it",
                )
            )
            policy = None
        found.append(_Route(route, path, native_path, cluster, policy))
    return found


def _skipped(route: Cursor, message: str) -> Diagnostic:
    return Diagnostic(
        "route-skipped",
        message,
        "Add an API if the gateway shall serve the path",
        route.place,
        severity=Severity.INFO,
    )


_PREFIXES: Final = ("prefix", "path_separated_prefix")


def _paths(route: Cursor, problems: list[Diagnostic]) -> tuple[str, str]:
    """The path prefix of the route, and that of the native service."""
    match = route["match"]
    prefix = next((one for name in _PREFIXES if (one := field(match, name)).text is not None), None)
    exact = match["path"]
    if prefix is not None:
        path = str(prefix.value)
    elif exact.text is not None:
        path = exact.text
        problems.append(
            exact.diagnose(
                "endpoint-wider",
                "the route matches this path only, the endpoint also the paths below it",
                "Check that the native service may be called at the paths below, too",
                Severity.INFO,
            )
        )
    else:
        path = ""
        problems.append(
            match.diagnose(
                "path-without-endpoint",
                "the route matches neither a prefix nor a path: the API gets its default endpoint",
                "Set endpoints of the API",
            )
        )
    if match["headers"].exists or field(match, "query_parameters").exists:
        problems.append(
            match.diagnose(
                "route-conditions",
                "Crossgate does not route by headers or parameters: the path alone decides",
                "Keep such routes on Envoy",
            )
        )
    action = route["route"]
    if field(action, "regex_rewrite").exists or field(action, "path_rewrite_policy").exists:
        problems.append(
            action.diagnose(
                "route-rewrite",
                "the rewriting of paths is not taken over",
                "Set the base path of native",
            )
        )
    rewritten = field(action, "prefix_rewrite").text
    return path.rstrip("/"), (path if rewritten is None else rewritten).rstrip("/")


def _cluster(action: Cursor, problems: list[Diagnostic]) -> str | None:
    weighted = list(field(action, "weighted_clusters")["clusters"].entries())
    if weighted:
        weighted.sort(key=lambda one: -_weight(one))
        problems.append(
            field(action, "weighted_clusters").diagnose(
                "native-chosen",
                "several clusters share the requests; the one with the greatest weight is taken",
                "Name another native service with --native API=URL if you like",
                Severity.INFO,
            )
        )
        return weighted[0]["name"].text
    return action["cluster"].text


def _weight(cluster: Cursor) -> int:
    weight = cluster["weight"].value
    return weight if isinstance(weight, int) else 0


def _combined(routes: Sequence[_Route], problems: list[Diagnostic]) -> list[_Route]:
    """One route for each path, with a policy that is not laxer than that of any path at or below it."""
    combined = []
    paths = [RoutedPath(one.path, [one.cluster], one.policy) for one in routes]
    for number, policy in combine_paths(paths).items():
        problems += combined_at(routes[number].at, routes[number].policy, policy)
        combined.append(replace(routes[number], policy=policy))
    return combined


def _api(
    route: _Route, host: Cursor, upstreams: Upstreams, api_id: str, problems: list[Diagnostic]
) -> FoundApi:
    domains = [one.text for one in host["domains"].entries() if one.text not in (None, "*")]
    if domains:
        problems.append(
            host["domains"].diagnose(
                "route-domains",
                "Crossgate does not route by domains: the path alone decides",
                "Choose endpoints so that APIs of different domains do not conflict",
                Severity.INFO,
            )
        )
    cluster = route.cluster or ""
    if route.cluster is not None and not upstreams.urls(cluster, ""):
        problems.append(
            route.at["route"].diagnose(
                "native-undetermined",
                "the document has no address for the cluster of the route",
                "Name the native service with --native API=URL",
                Severity.INFO,
            )
        )
    named = route.at["name"]
    host_name = host["name"].text or cluster or "envoy"
    slug = re.sub("[^A-Za-z0-9._~-]+", "-", route.path).strip("-")
    name = named.text or (f"{host_name}-{slug}" if slug else host_name)
    place = named.place if named.text else host["name"].place
    endpoints = (Found(route.path, route.at["match"].place, "path of the route"),) if route.path else ()
    return FoundApi(
        id=api_id,
        name=Found(name, place, "name of the route" if named.text else "virtual host and path"),
        version=Found("1", place, "routes have no version"),
        type=Found(ApiType.REST, route.at.place, "route of Envoy"),
        natives=tuple(
            Found(url, where, f"address of the cluster {cluster}")
            for url, where in upstreams.urls(cluster, route.native_path)
        ),
        endpoints=endpoints,
        cors=route.policy,
    )


ENVOY: Final = Kind(
    "envoy",
    "Envoy configuration",
    "Routes to clusters become APIs, and CORS policies of routes and virtual hosts become their policies.",
    recognises_envoy,
    read_envoy,
)
