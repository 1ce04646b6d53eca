"""Routes of Kong that lead to one URL, joined: one API of Crossgate has several endpoints, and one policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from crossgate.diagnostics import Diagnostic
from crossgate.importers.combine import strictest, union_of_methods, values_of
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found, FoundPolicy
from crossgate.importers.nested_paths import RoutedPath, combined_at, strictest_below


@dataclass(slots=True)
class Target:
    """Routes that lead to one URL under the same paths."""

    native: Found[str] | None
    endpoints: dict[str, Found[str]]
    policy: FoundPolicy | None
    names: list[str]
    at: Cursor
    """The first of the routes."""
    hosts: list[str]
    """Which host names the routes are for, in the order of the routes."""
    native_cors: list[Found[str]] = field(default_factory=list)


def merge_policies(targets: Sequence[Target], diagnostics: list[Diagnostic]) -> list[Target]:
    """One target for each URL and set of paths: several routes may serve them, by method or host."""
    merged: dict[tuple[object, ...], Target] = {}
    for target in targets:
        key = (target.native and target.native.value, tuple(sorted(target.endpoints)))
        earlier = merged.setdefault(key, target)
        if earlier is target:
            continue
        combined = union_of_methods(earlier.policy, target.policy)
        if combined is None and (earlier.policy or target.policy):
            combined = strictest([earlier.policy, target.policy])
            diagnostics.append(
                target.at.diagnose(
                    "policies-combined",
                    f"the route {earlier.names[0]} has the same paths, and another policy; the API gets what "
                    "all of them allow",
                    "Check the policy of the API",
                )
            )
        earlier.policy = combined
        _join(earlier, target)
    return list(merged.values())


def merge_paths(targets: Sequence[Target]) -> list[Target]:
    """One target for each URL and policy: the paths are endpoints of one API."""
    merged: dict[tuple[object, ...], Target] = {}
    for target in targets:
        key = (
            target.native and target.native.value,
            repr(values_of(target.policy)),
            bool(target.endpoints),
        )
        earlier = merged.setdefault(key, target)
        if earlier is not target:
            _join(earlier, target)
    return list(merged.values())


def limit_to_inner_paths(targets: Sequence[Target], diagnostics: list[Diagnostic]) -> None:
    """Let each target allow only what those of paths below its own allow, to the same host and of it.

    Routes for other host names are no part of a path: Kong tells them apart, and both lead to the service.
    """
    routed = [
        RoutedPath(path, services, target.policy)
        for target in targets
        for services in [_services(target)]
        for path in target.endpoints or [""]
    ]
    policies = iter(strictest_below(routed))
    for target in targets:
        own = target.policy
        found = [next(policies) for _ in target.endpoints or [""]]
        target.policy = strictest(found)
        diagnostics += combined_at(target.at, own, target.policy)


def _services(target: Target) -> list[tuple[str, str]]:
    """The host of the native service, with each of the host names for which it is reached."""
    native = "" if target.native is None else "/".join(target.native.value.split("/", 3)[:3])
    return [(native, hosts) for hosts in dict.fromkeys(target.hosts)]


def _join(earlier: Target, target: Target) -> None:
    earlier.endpoints.update(target.endpoints)
    earlier.names += target.names
    earlier.hosts += target.hosts
    earlier.native_cors += target.native_cors
