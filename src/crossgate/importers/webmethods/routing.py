"""The native service of an API: where its routing policy sends requests, aliases in place of variables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found
from crossgate.importers.report import Report
from crossgate.importers.webmethods.cors_action import parameter_values
from crossgate.importers.webmethods.scope import api_type

ROUTING: Final = {
    "straightThroughRouting": "",
    "loadBalancerRouting": "of several native services, the first one is taken",
    "contentBasedRouting": "the default route is taken, and not those for certain contents",
    "contextBasedRouting": "the default route is taken, and not those for certain callers and times",
    "dynamicRouting": "the default route is taken, and not those that requests choose",
}
"""By the template key of a routing action, what is lost of it."""
_RESOURCE: Final = re.compile(r"/*\$\{sys:resource_path\}", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"\$\{([^${}]{1,200})\}")
_MAX_DEPTH: Final = 5
"""Of aliases whose values have variables."""
_MAX_LENGTH: Final = 4000


def find_natives(
    api: Cursor, actions: Sequence[Cursor], aliases: Mapping[str, Cursor], report: Report
) -> tuple[Found[str], ...]:
    """The base URLs of the native service; none if a variable in the first one has no alias in the export."""
    routing = next((one for one in actions if one["templateKey"].text in ROUTING), None)
    if routing is None:
        uris = [(one["uri"], "native endpoint") for one in api["nativeEndpoint"].entries()]
    else:
        loss = ROUTING[str(routing["templateKey"].value)]
        values = parameter_values(routing, "endpointUri")
        uris = [(one, "endpoint URI of the routing") for one in values.entries()]
        if loss:
            report.warning(
                "routing-simplified",
                f"an API of Crossgate has one native service: {loss}",
                "Name another one with --native API=URL, or put a load balancer before the native services",
                routing["templateKey"].place,
                str(routing["templateKey"].value),
            )
    found = (_read_uri(api, uri, what, aliases, report) for uri, what in uris[:_MAX_NATIVES])
    return tuple(one for one in found if one is not None)


_MAX_NATIVES: Final = 10


def _read_uri(
    api: Cursor, uri: Cursor, what: str, aliases: Mapping[str, Cursor], report: Report
) -> Found[str] | None:
    if not isinstance(uri.value, str) or not uri.value:
        return None
    used: list[str] = []
    text = _replace_aliases(uri.value, aliases, used)
    resource = _RESOURCE.search(text)
    base = text if resource is None else text[: resource.start()]
    missing = _VARIABLE.search(base)
    if missing is not None:
        report.warning(
            "alias-missing",
            f"the native service depends on ${{{missing[1]}}}, which is not an alias of the export",
            "Export the alias with the API, or name the native service with --native API=URL",
            uri.place,
            uri.value,
        )
        return None
    if resource is not None and text[resource.end() :]:
        report.warning(
            "routing-suffix",
            "what follows the resource path in the URI of the native service is not taken over",
            "Let the native service take the path as the client sends it",
            uri.place,
            uri.value,
        )
    elif resource is None and what.startswith("endpoint") and api_type(api) != "SOAP":
        report.warning(
            "routing-fixed",
            "the source sends requests for every resource to this one URI; Crossgate appends the rest of "
            "the path",
            "Check what the native service makes of the path",
            uri.place,
            uri.value,
        )
    through = f", with the alias {' and '.join(dict.fromkeys(used))}" if used else ""
    return Found(base.rstrip("/"), uri.place, what + through)


def _replace_aliases(text: str, aliases: Mapping[str, Cursor], used: list[str]) -> str:
    def value(variable: re.Match[str]) -> str:
        alias = aliases.get(variable[1])
        replacement = None if alias is None else alias.first("value", "endPointURI").text
        if replacement is None:
            return variable[0]
        used.append(variable[1])
        return replacement

    for _ in range(_MAX_DEPTH):
        replaced = _VARIABLE.sub(value, text)
        if replaced == text or len(replaced) > _MAX_LENGTH:
            break
        text = replaced
    return text
