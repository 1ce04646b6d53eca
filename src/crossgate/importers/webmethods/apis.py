"""APIs: name, version, type, native service, endpoints, and the CORS policy that is in force for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urlsplit

from crossgate.catalogue.model import ApiType, default_endpoint
from crossgate.catalogue.names import parse_name
from crossgate.diagnostics import Diagnostic
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found, FoundApi
from crossgate.importers.report import Report
from crossgate.importers.webmethods.assets import ExportAssets
from crossgate.importers.webmethods.cors_action import TEMPLATE
from crossgate.importers.webmethods.policies import ApiPolicies
from crossgate.importers.webmethods.routing import ROUTING, find_natives
from crossgate.importers.webmethods.scope import api_type

_TYPES: Final = {"REST": ApiType.REST, "SOAP": ApiType.SOAP, "ODATA": ApiType.ODATA}
_TAKEN_OVER: Final = frozenset({TEMPLATE, "entryProtocolPolicy", "logInvocation", *ROUTING})
"""Template keys of actions that lose nothing that matters to callers."""
_DEFAULT_VERSION: Final = "1.0"


def read_apis(assets: ExportAssets, policies: ApiPolicies, report: Report) -> tuple[FoundApi, ...]:
    """The APIs of the types that Crossgate serves, in the order of the document."""
    found = []
    for identity, api in assets.apis.items():
        kind = _TYPES.get(api_type(api))
        name = api["apiName"].text
        if kind is None:
            report.warning(
                "api-type",
                f"Crossgate serves no API of the type {api_type(api)}: it is left out",
                "Serve it another way",
                api["type"].place,
                name,
            )
        elif name is None:
            report.diagnostics.append(api["apiName"].unexpected("the name of an API"))
        else:
            found.append(_read_api(identity, api, name, kind, assets, policies, report))
    return tuple(found)


def _read_api(
    identity: str,
    api: Cursor,
    name: str,
    kind: ApiType,
    assets: ExportAssets,
    policies: ApiPolicies,
    report: Report,
) -> FoundApi:
    version = api["apiVersion"].text or _DEFAULT_VERSION
    if api["isActive"].value is False:
        report.info(
            "api-inactive",
            "the API is not active in the source, and would be served by Crossgate",
            "Remove it from the document if it shall not be served",
            api["isActive"].place,
            f"{name} {version}",
        )
    if isinstance(parse_name(name), Diagnostic) or isinstance(parse_name(version), Diagnostic):
        report.warning(
            "endpoint-changed",
            f"the endpoint changes: the source has {default_endpoint(kind, name, version)}, and names of "
            "Crossgate have letters, digits and . _ ~ - only",
            "Tell the clients, or rewrite the path in a proxy before Crossgate",
            api["apiName"].place,
            f"{name} {version}",
        )
    actions = policies.actions_of(api)
    _report_other_actions(name, version, actions, report)
    cors = policies.cors_of(api, actions)
    return FoundApi(
        identity,
        Found(name, api["apiName"].place, "name of the API"),
        Found(version, api["apiVersion"].place, "version of the API"),
        Found(kind, api["type"].place, "type of the API"),
        find_natives(api, actions, assets.aliases, report),
        tuple(_endpoints(api, name, version, kind, report)),
        cors,
    )


def _endpoints(api: Cursor, name: str, version: str, kind: ApiType, report: Report) -> Iterator[Found[str]]:
    """None if the source serves the API at its default endpoint only."""
    default = default_endpoint(kind, name, version)
    custom = [*_custom_endpoints(api, name, version)]
    if api["apiEndpointPrefix"].text is not None:
        report.warning(
            "endpoint-prefix",
            "the prefix of the API's endpoint is not taken over: what it means is not documented",
            "Add the endpoint to the API if clients use it",
            api["apiEndpointPrefix"].place,
            api["apiEndpointPrefix"].text,
        )
    if any(one.value != default for one in custom):
        yield Found(default, api["apiName"].place, "default endpoint of the source")
        yield from (one for one in custom if one.value != default)


def _custom_endpoints(api: Cursor, name: str, version: str) -> Iterator[Found[str]]:
    endpoints = api["gatewayEndpoints"]
    answers = Cursor(api.tree, api.path[:-1], api.tree.get(*api.path[:-1]))["gatewayEndPoints"]
    for entry in (
        *(value for _, value in endpoints.items()),
        *endpoints.entries(),
        *(answers.entries() if api.path[-1:] == ("api",) else ()),
    ):
        text = (entry["gatewayEndpoint"] if isinstance(entry.value, dict) else entry).text
        path = _path_of(text, name, version)
        if path is not None:
            yield Found(path, entry.place, "endpoint of the source")


def _path_of(text: str | None, name: str, version: str) -> str | None:
    if text is None:
        return None
    filled = text.replace("${apiName}", name).replace("${apiVersion}", version)
    try:
        path = unquote(urlsplit(filled).path) if "://" in filled else filled
    except ValueError:
        return None
    return "/" + re.sub("/{2,}", "/", path).strip("/") if path.strip("/") else None


def _report_other_actions(name: str, version: str, actions: list[Cursor], report: Report) -> None:
    others = [one for one in actions if one["templateKey"].text not in _TAKEN_OVER]
    if others:
        keys = dict.fromkeys(one["templateKey"].text or "?" for one in others)
        report.warning(
            "policy-actions-left-out",
            f"Crossgate does not do what these policy actions of {name} {version} do",
            "Let the native service do it, or a proxy before Crossgate; callers that only an action "
            "identified are nobody now",
            others[0]["templateKey"].place,
            ", ".join(keys),
        )
