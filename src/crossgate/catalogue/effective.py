"""What applies to an API: its policy with the origins of its applications and of the gateway, its times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from crossgate.catalogue.limits import Limits, TimeLimits
from crossgate.catalogue.model import Api, Application, Catalogue
from crossgate.policy import EffectivePolicy


@dataclass(frozen=True, slots=True)
class Associations:
    """The applications of each API, suspended ones included."""

    applications: Mapping[str, Application] = field(default_factory=dict)
    _by_api: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, applications: Mapping[str, Application]) -> Associations:
        """The associations of these applications."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for application in applications.values():
            for api in application.apis:
                found[api].add(application.name)
        return cls(applications, {api: frozenset(names) for api, names in found.items()})

    def advance(self, applications: Mapping[str, Application]) -> tuple[Associations, set[str]]:
        """The associations after a change, and the APIs whose applications changed."""
        if applications is self.applications:
            return self, set()
        before = self.applications
        changed = [
            name
            for name in before.keys() | applications.keys()
            if before.get(name) is not applications.get(name) and before.get(name) != applications.get(name)
        ]
        by_api = dict(self._by_api)
        touched: set[str] = set()
        for name in changed:
            old, new = before.get(name), applications.get(name)
            for api in old.apis if old else ():
                by_api[api] = by_api[api] - {name}
                touched.add(api)
            for api in new.apis if new else ():
                by_api[api] = by_api.get(api, frozenset()) | {name}
                touched.add(api)
        return Associations(applications, by_api), touched

    def of_api(self, api: str) -> list[Application]:
        """The API's applications by name, suspended ones included."""
        return [self.applications[name] for name in sorted(self._by_api.get(api, ()))]

    def origins(self, api: str) -> frozenset[str]:
        """The origins of the API's applications that are not suspended."""
        found = (self.applications[name] for name in self._by_api.get(api, ()))
        return frozenset(
            origin
            for application in found
            if not application.suspended
            for origin in application.javascript_origins
        )

    def application_of(self, api: str, origin: str) -> str | None:
        """The first application, by name, that brings the origin to the API."""
        for name in sorted(self._by_api.get(api, ())):
            application = self.applications[name]
            if not application.suspended and origin in application.javascript_origins:
                return name
        return None


def effective_policy(catalogue: Catalogue, associations: Associations, api: str) -> EffectivePolicy | None:
    """The policy that is enforced for the API; None for pass-through and under server-level CORS."""
    return None if catalogue.server_policy is not None else own_policy(catalogue, associations, api)


def own_policy(catalogue: Catalogue, associations: Associations, api: str) -> EffectivePolicy | None:
    """The API's effective policy, even under server-level CORS; None if it has no policy."""
    policy = catalogue.apis[api].cors
    if policy is None:
        return None
    gateway = catalogue.gateway
    return EffectivePolicy(
        policy, associations.origins(api), frozenset(gateway.public_origins), gateway.same_origin
    )


def time_limits(api: Api, defaults: Limits) -> TimeLimits:
    """The API's own times, and the gateway's for those that it does not set."""

    def own(value: float | None, default: float) -> float:
        return default if value is None else value

    idle = own(api.native_idle_timeout, defaults.native_idle_timeout)
    websocket = api.websocket_idle_timeout
    if websocket is None:
        websocket = defaults.websocket_idle_timeout
    return TimeLimits(own(api.native_timeout, defaults.native_timeout), idle, websocket)
