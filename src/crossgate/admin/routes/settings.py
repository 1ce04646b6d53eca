"""Routes of the settings of the gateway and of the server."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Viewer
from crossgate.admin.body import JsonObject
from crossgate.admin.context import AdminContext, Context, resource_router
from crossgate.admin.file_patches import FilePatchBody, file_patch
from crossgate.admin.openapi import object_body, object_response, written_response
from crossgate.admin.refusal_bodies import changed_object
from crossgate.admin.responses import json_response, read_response
from crossgate.admin.writes import AdminWrite
from crossgate.catalogue.reader import read_gateway as parse_gateway
from crossgate.catalogue.reader import read_settings as parse_settings
from crossgate.service.changes import PutGateway, PutSettings
from crossgate.service.objects import (
    GATEWAY_KEY,
    SETTINGS_KEY,
    CatalogueObject,
    ObjectChange,
    ObjectKind,
    object_to_dict,
)
from crossgate.service.tokens import Token

router = resource_router("Settings")


class InFileBody(BaseModel):
    """How the file that the gateway runs would have the object."""

    file: FilePatchBody | None
    """Null if the gateway serves a store."""


@router.get("/v1/gateway", responses={200: object_response("GatewayEntry")}, response_class=Response)
def read_gateway(request: Request, context: Context, _: Viewer) -> Response:
    """The settings of the gateway."""
    return read_response(request, object_to_dict(context.head.catalogue.gateway))


@router.put(
    "/v1/gateway",
    responses={200: written_response("GatewayEntry")},
    response_class=Response,
    openapi_extra=object_body("GatewayEntry"),
)
def put_gateway(write: AdminWrite, body: JsonObject) -> Response:
    """Replace the settings of the gateway; without `listen`, the listener's address stays as it is.

    File paths in them are paths on the machines of the nodes.
    A gateway that runs Envoy itself tries files and address first, and refuses what Envoy could not serve.
    """
    gateway = parse_gateway({"listen": str(write.view.gateway.listen), **body})
    return write.put(PutGateway(gateway), GATEWAY_KEY, object_to_dict(gateway))


@router.post(
    "/v1/gateway/file-patch",
    response_model=InFileBody,
    openapi_extra=object_body("GatewayEntry"),
)
def patch_gateway_in_file(context: Context, caller: Viewer, body: JsonObject) -> Response:
    """How the file that the gateway runs would have these settings."""
    before = context.head.catalogue.gateway
    return _patch(
        context, caller, ObjectKind.GATEWAY, before, parse_gateway({"listen": str(before.listen), **body})
    )


@router.get("/v1/settings", responses={200: object_response("SettingsEntry")}, response_class=Response)
def read_settings(request: Request, context: Context, _: Viewer) -> Response:
    """The settings of the server, `watt.server.cors.*`, as they were written."""
    return read_response(request, object_to_dict(context.head.catalogue.settings))


@router.put(
    "/v1/settings",
    responses={200: written_response("SettingsEntry")},
    response_class=Response,
    openapi_extra=object_body("SettingsEntry"),
)
def put_settings(write: AdminWrite, body: JsonObject) -> Response:
    """Replace the settings of the server. If enabled, server-level CORS replaces the policies of all APIs."""
    settings = parse_settings(body)
    return write.put(PutSettings(settings), SETTINGS_KEY, object_to_dict(settings))


@router.post(
    "/v1/settings/file-patch",
    response_model=InFileBody,
    openapi_extra=object_body("SettingsEntry"),
)
def patch_settings_in_file(context: Context, caller: Viewer, body: JsonObject) -> Response:
    """How the file that the gateway runs would have these settings."""
    return _patch(context, caller, ObjectKind.SETTINGS, context.head.catalogue.settings, parse_settings(body))


def _patch(
    context: AdminContext, caller: Token, kind: ObjectKind, before: CatalogueObject, after: CatalogueObject
) -> Response:
    change = ObjectChange(kind, kind.value, before, after)
    return json_response(
        InFileBody(file=file_patch(context, caller, [changed_object(change, context.head.catalogue)]))
    )
