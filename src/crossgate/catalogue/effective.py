"""From what is declared to what is enforced: each API's policy with all that bears on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from crossgate.catalogue.model import Application, Catalogue
from crossgate.policy import EffectivePolicy


def application_origins(applications: Mapping[str, Application]) -> Mapping[str, frozenset[str]]:
    """By API, the JavaScript origins of the non-suspended applications associated with it."""
    origins: defaultdict[str, set[str]] = defaultdict(set)
    for application in applications.values():
        if not application.suspended:
            for api in application.apis:
                origins[api].update(application.javascript_origins)
    return {api: frozenset(values) for api, values in origins.items()}


def effective_policy(
    catalogue: Catalogue, api: str, origins: Mapping[str, frozenset[str]] | None = None
) -> EffectivePolicy | None:
    """The policy that is enforced for the API; None where it passes through.

    ``origins`` is what :func:`application_origins` gave; callers that ask for many APIs pass it in.
    """
    policy = catalogue.apis[api].cors
    if policy is None or catalogue.server_policy is not None:
        return None
    known = application_origins(catalogue.applications) if origins is None else origins
    return EffectivePolicy(policy, known.get(api, frozenset()), frozenset(catalogue.gateway.public_origins))
