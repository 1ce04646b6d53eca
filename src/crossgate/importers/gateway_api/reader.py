"""Reads HTTPRoutes: each path of a rule with backends is an API."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from crossgate.catalogue.model import ApiType
from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Severity
from crossgate.importers.combine import strictest
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Contents, Found, FoundApi, FoundPolicy
from crossgate.importers.gateway_api.cors import policy_of
from crossgate.importers.kind import Kind
from crossgate.importers.nested_paths import RoutedPath, combine_paths, combined_at
from crossgate.importers.source import Source

_GROUP: Final = "gateway.networking.k8s.io/"


def recognises_gateway_api(source: Source) -> bool:
    """Whether one of the manifests is of the Gateway API."""
    return any(
        str(one["apiVersion"].value).startswith(_GROUP)
        for tree in source.parsed
        for one in _manifests(Cursor.root(tree))
    )


def _manifests(root: Cursor) -> Iterator[Cursor]:
    if isinstance(root.value, dict) and str(root["kind"].value).endswith("List"):
        yield from root["items"].entries()
    else:
        yield root


@dataclass(frozen=True, slots=True)
class _Rule:
    """One path of a rule of a route."""

    route: Cursor
    at: Cursor
    path: str
    """Without a slash at the end; empty for all paths."""
    path_at: Cursor
    native_path: str
    natives: tuple[Found[str], ...]
    policy: FoundPolicy | None


def read_gateway_api(source: Source) -> Contents:
    """The APIs of every HTTPRoute in the document."""
    problems: list[Diagnostic] = []
    routes = [
        one
        for tree in source.trees
        for one in _manifests(Cursor.root(tree))
        if one["kind"].value == "HTTPRoute" and str(one["apiVersion"].value).startswith(_GROUP)
    ]
    if not routes:
        raise InvalidInput(
            [
                Diagnostic(
                    "nothing-found",
                    "no HTTPRoute was found",
                    "Give the manifests of HTTPRoutes, for example from kubectl get httproutes -A -o yaml",
                    Place(file=source.name),
                )
            ]
        )
    by_hostnames: dict[str, list[_Rule]] = {}
    for route in routes:
        _note_hostnames(route, problems)
        rules = [one for rule in route["spec"]["rules"].entries() for one in _rules(route, rule, problems)]
        by_hostnames.setdefault(repr(route["spec"]["hostnames"].value), []).extend(rules)
    kept = [rule for rules in by_hostnames.values() for rule in _combined(rules, problems)]
    paths = Counter((id(rule.route.tree), rule.route.path) for rule in kept)
    apis = [
        _api(rule, str(number), alone=paths[id(rule.route.tree), rule.route.path] == 1)
        for number, rule in enumerate(kept)
    ]
    with_policy = [api for api in apis if api.cors is not None]
    if with_policy:
        problems.append(
            Diagnostic(
                "behaviour-differs",
                "a Gateway only decorates responses; Crossgate refuses requests that are not allowed",
                "Import with --observe first if clients may depend on that",
                with_policy[0].type.place,
                severity=Severity.INFO,
            )
        )
    return Contents(tuple(apis), diagnostics=tuple(dict.fromkeys(problems)))


def _note_hostnames(route: Cursor, problems: list[Diagnostic]) -> None:
    hostnames = route["spec"]["hostnames"]
    if hostnames.exists:
        problems.append(
            hostnames.diagnose(
                "route-domains",
                "Crossgate does not route by domains: the path alone decides",
                "Choose endpoints so that APIs of different domains do not conflict",
                Severity.INFO,
            )
        )


def _rules(route: Cursor, rule: Cursor, problems: list[Diagnostic]) -> Iterator[_Rule]:
    backends = [one for one in rule["backendRefs"].entries() if one["weight"].value != 0]
    if not backends:
        problems.append(
            rule.diagnose(
                "route-skipped",
                "the rule has no backend, and is not imported",
                "Add an API if the gateway shall serve the path",
                Severity.INFO,
            )
        )
        return
    namespace = route["metadata"]["namespace"].text or "default"
    policy = _policy(rule, backends, problems)
    matches = list(rule["matches"].entries()) or [rule]
    for match in matches:
        path, path_at = _path(match, rule, problems)
        native_path = _native_path(rule, path, problems)
        natives = tuple(_natives(backends, namespace, native_path, problems))
        yield _Rule(route, rule, path, path_at, native_path, natives, policy)


def _policy(rule: Cursor, backends: Sequence[Cursor], problems: list[Diagnostic]) -> FoundPolicy | None:
    """That of the rule, else what those of all backends allow: a request may go to any of them."""
    policy = _policy_of_filters(rule, problems)
    if policy is not None:
        return policy
    policies = [_policy_of_filters(backend, problems) for backend in backends]
    combined = strictest(policies)
    problems += combined_at(rule["backendRefs"], policies[0], combined)
    return combined


def _policy_of_filters(owner: Cursor, problems: list[Diagnostic]) -> FoundPolicy | None:
    for one in owner["filters"].entries():
        if one["type"].value == "CORS" and one["cors"].exists:
            return policy_of(one["cors"], problems)
        if one["type"].value == "CORS" or one["type"].value == "ExtensionRef":
            problems.append(
                one.diagnose(
                    "filter-not-imported",
                    "the filter is not in the document, or not one of the Gateway API",
                    "Check whether it concerns CORS",
                    Severity.INFO if one["type"].value == "ExtensionRef" else Severity.WARNING,
                )
            )
    return None


def _path(match: Cursor, rule: Cursor, problems: list[Diagnostic]) -> tuple[str, Cursor]:
    path = match["path"]
    problems += (
        match[name].diagnose(
            "route-conditions",
            "Crossgate routes by the path alone: this condition is not taken over",
            "Keep such routes on the Gateway",
        )
        for name in ("headers", "queryParams", "method")
        if match[name].exists
    )
    kind = path["type"].text or "PathPrefix"
    if not path.exists:
        return "", rule
    if kind == "RegularExpression":
        problems.append(
            path.diagnose(
                "path-without-endpoint",
                "the rule matches paths by an expression: the API gets its default endpoint",
                "Set endpoints of the API",
            )
        )
        return "", path
    if kind == "Exact":
        problems.append(
            path.diagnose(
                "endpoint-wider",
                "the rule matches this path only, the endpoint also the paths below it",
                "Check that the native service may be called at the paths below, too",
                Severity.INFO,
            )
        )
    return (path["value"].text or "/").rstrip("/"), path["value"] if path["value"].exists else path


def _native_path(rule: Cursor, path: str, problems: list[Diagnostic]) -> str:
    for one in rule["filters"].entries():
        rewrite = one["urlRewrite"]
        if rewrite["path"]["type"].value == "ReplacePrefixMatch":
            return str(rewrite["path"]["replacePrefixMatch"].value or "").rstrip("/")
        if rewrite["path"].exists:
            problems.append(
                rewrite["path"].diagnose(
                    "route-rewrite",
                    "the rewriting of whole paths is not taken over",
                    "Set the base path of native",
                )
            )
    return path


def _natives(
    backends: Sequence[Cursor], namespace: str, path: str, problems: list[Diagnostic]
) -> Iterator[Found[str]]:
    """URLs of the services, the one with the greatest weight first."""
    for backend in sorted(backends, key=lambda one: -_weight(one)):
        name, port = backend["name"].text, backend["port"].text
        if (backend["kind"].text or "Service") != "Service" or name is None or port is None:
            problems.append(
                backend.diagnose(
                    "native-undetermined",
                    "the backend is not a Service with a port: its address is not known",
                    "Name the native service with --native API=URL",
                )
            )
            continue
        host = f"{name}.{backend['namespace'].text or namespace}.svc.cluster.local"
        end = "" if port == "80" else f":{port}"
        yield Found(f"http://{host}{end}{path}", backend["name"].place, "name of the Service in the cluster")


def _weight(backend: Cursor) -> int:
    weight = backend["weight"].value
    return weight if isinstance(weight, int) else 1


def _combined(rules: Sequence[_Rule], problems: list[Diagnostic]) -> list[_Rule]:
    """One rule for each path, with a policy that is not laxer than that of any path at or below it."""
    combined = []
    paths = [RoutedPath(one.path, _services(one), one.policy) for one in rules]
    for number, policy in combine_paths(paths).items():
        problems += combined_at(rules[number].at, rules[number].policy, policy)
        combined.append(replace(rules[number], policy=policy))
    return combined


def _services(rule: _Rule) -> list[str]:
    return [native.value.removeprefix("http://").partition("/")[0] for native in rule.natives]


def _api(rule: _Rule, api_id: str, *, alone: bool) -> FoundApi:
    metadata = rule.route["metadata"]
    name, place = metadata["name"].text or "route", metadata["name"].place
    slug = re.sub("[^A-Za-z0-9._~-]+", "-", rule.path).strip("-")
    if slug and not alone:
        name = f"{name}-{slug}"
    reason = "name of the HTTPRoute" if alone else "name of the HTTPRoute, and path"
    return FoundApi(
        id=api_id,
        name=Found(name, place, reason),
        version=Found("1", place, "routes have no version"),
        type=Found(ApiType.REST, rule.at.place, "rule of an HTTPRoute"),
        natives=rule.natives,
        endpoints=(Found(rule.path, rule.path_at.place, "path of the rule"),) if rule.path else (),
        cors=rule.policy,
    )


GATEWAY_API: Final = Kind(
    "gateway-api",
    "Kubernetes Gateway API",
    "Rules of HTTPRoutes become APIs, and their CORS filters become policies.",
    recognises_gateway_api,
    read_gateway_api,
)
