"""Which CORS configurations are for a path: the global ones, and those in the metadata of routes.

Spring Cloud Gateway makes one map of them, by patterns of paths, and the first pattern that matches a
request counts, whatever its route (`CorsGatewayFilterApplicationListener`). In older releases it is a hash
map, whose order is not defined. That of a route replaces a global one with the same pattern.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from crossgate.diagnostics import Diagnostic, Severity
from crossgate.importers.combine import strictest, values_of
from crossgate.importers.found import FoundPolicy
from crossgate.importers.spring.binding import SpringProperty
from crossgate.importers.spring.cors import read_cors
from crossgate.importers.spring.paths import covers_below, literal_prefix, path_patterns
from crossgate.policy.names import ANY


@dataclass(frozen=True, slots=True)
class _Configured:
    """A policy, and the pattern of the paths that it is for."""

    pattern: str
    policy: FoundPolicy
    bound: SpringProperty

    def covers(self, prefix: str) -> bool:
        """Whether it is for every path below a prefix, of those with which it has paths in common."""
        return covers_below(self.pattern) and len(literal_prefix(self.pattern)) <= len(prefix)


class CorsConfigurations:
    """The CORS configurations of a gateway."""

    def __init__(
        self, gateway: SpringProperty, routes: Sequence[SpringProperty], diagnostics: list[Diagnostic]
    ) -> None:
        self._diagnostics = diagnostics
        self._of_routes = _ByPrefix(list(self._metadata(routes)))
        replaced = {one.pattern for one in self._of_routes.configured}
        self._global = _ByPrefix(
            [one for one in self._global_configurations(gateway) if one.pattern not in replaced]
        )
        self._found: dict[str, list[_Configured]] = {}
        self._policies: dict[tuple[str, bool], tuple[FoundPolicy | None, bool]] = {}

    @property
    def exist(self) -> bool:
        """Whether there are any."""
        return bool(self._of_routes.configured or self._global.configured)

    def policy(self, route: SpringProperty, pattern: str) -> FoundPolicy:
        """What all configurations allow that can be for requests to a path of a route."""
        prefix = literal_prefix(pattern)
        if prefix not in self._found:
            self._found[prefix] = [*self._of_routes.concerning(prefix), *self._first(prefix)]
        found = self._found[prefix]
        if not found:
            self._diagnostics.append(
                route.diagnose(
                    "preflights-refused",
                    f"no CORS configuration is for {pattern}: Spring refuses its preflights only; "
                    "the policy without origins refuses every request of a foreign origin",
                    "Add the origins of its pages to allowed_origins, or remove cors from the API to pass "
                    "everything through",
                )
            )
            return FoundPolicy()
        whole = any(one.pattern == pattern or one.covers(prefix) for one in found)
        if (prefix, whole) not in self._policies:
            # No configuration is for the other paths: Spring refuses their preflights.
            rest = [] if whole else [replace(found[0].policy, origins=())]
            policies = [*(one.policy for one in found), *rest]
            differ = len({repr(values_of(one)) for one in policies}) > 1
            self._policies[prefix, whole] = strictest(policies), differ
        policy, differ = self._policies[prefix, whole]
        if differ:
            self._diagnostics.append(
                found[0].bound.diagnose(
                    "policies-combined",
                    f"several CORS configurations are for {pattern}, or none for a part of it; the API gets "
                    "what all of them allow",
                    "Check the policy of the API",
                )
            )
        return policy or FoundPolicy()

    def _first(self, prefix: str) -> Iterator[_Configured]:
        """The global configurations for paths below a prefix, up to the first one that is for all of them."""
        for one in self._global.concerning(prefix):
            yield one
            if one.covers(prefix):
                return

    def _metadata(self, routes: Sequence[SpringProperty]) -> Iterator[_Configured]:
        """Those of routes, each for the first pattern of its route."""
        for route in routes:
            cors = route.get("metadata", "cors")
            if cors is not None:
                patterns = path_patterns(route)
                pattern = patterns[0][0] if patterns else "/**"
                yield _Configured(pattern, self._read(cors, metadata=True), cors)

    def _global_configurations(self, gateway: SpringProperty) -> Iterator[_Configured]:
        listed = gateway.get("globalcors", "cors-configurations")
        for key, bound in {} if listed is None else dict(listed.children).items():
            if key.startswith("[") and key.endswith("]"):
                yield _Configured(key[1:-1], self._read(bound), bound)
            else:
                self._diagnostics.append(
                    bound.diagnose(
                        "path-pattern-unquoted",
                        "without brackets, Spring Boot removes / and * from the key, which is then for no "
                        "path; left out",
                        "Write the pattern in brackets, such as '[/**]', if it is meant to be in force",
                    )
                )

    def _read(self, bound: SpringProperty, *, metadata: bool = False) -> FoundPolicy:
        policy = read_cors(bound, self._diagnostics, metadata=metadata)
        has_star = any(
            found.value == ANY and found.reason.startswith("allowedOrigins") for found in policy.origins
        )
        if has_star and policy.credentials is not None and policy.credentials.value:
            self._diagnostics.append(
                bound.diagnose(
                    "star-with-credentials",
                    "with allowCredentials, Spring answers 500 where allowedOrigins is *",
                    "List the origins",
                    Severity.INFO,
                )
            )
        return policy


class _ByPrefix:
    """Configurations by the literal prefix of their patterns: a search does not look at all of them."""

    def __init__(self, configured: Sequence[_Configured]) -> None:
        self.configured = configured
        self._numbers: defaultdict[str, list[int]] = defaultdict(list)
        for number, one in enumerate(configured):
            self._numbers[literal_prefix(one.pattern)].append(number)
        self._sorted = sorted(self._numbers)
        self._lengths = sorted({len(prefix) for prefix in self._numbers})

    def concerning(self, prefix: str) -> list[_Configured]:
        """Those for some of the paths below a prefix, in their order."""
        numbers: list[int] = []
        for length in self._lengths:
            if length <= len(prefix) and prefix[length : length + 1] in ("", "/"):
                numbers += self._numbers.get(prefix[:length], ())
        below = f"{prefix}/"
        at = bisect_left(self._sorted, below)
        while at < len(self._sorted) and self._sorted[at].startswith(below):
            numbers += self._numbers[self._sorted[at]]
            at += 1
        return [self.configured[number] for number in sorted(numbers)]
