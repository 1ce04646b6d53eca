"""Routes of what concerns every API: the gateway's own settings and the server's."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from crossgate.admin.auth import Editor, Viewer
from crossgate.admin.body import JsonObject
from crossgate.admin.context import Context, Message
from crossgate.admin.responses import made, seen
from crossgate.admin.schemas import gives, takes
from crossgate.admin.validation import routes_about
from crossgate.admin.writes import ConditionalWrite
from crossgate.catalogue.document import read_gateway, read_server_settings
from crossgate.service.changes import Change, PutGateway, PutSettings
from crossgate.service.etag import content_etag
from crossgate.service.objects import (
    GATEWAY_KEY,
    SETTINGS_KEY,
    CatalogueObject,
    ObjectKey,
    Settings,
    serialise_object,
    settings_of,
)

router = routes_about("Settings")


@router.get("/v1/gateway", responses={200: gives("GatewayEntry")}, response_class=Response)
def show_gateway(request: Request, context: Context, _: Viewer) -> Response:
    """The gateway's own settings."""
    return seen(request, serialise_object(context.head.catalogue.gateway))


@router.put(
    "/v1/gateway",
    responses={200: gives("GatewayEntry")},
    response_class=Response,
    openapi_extra=takes("GatewayEntry"),
)
def put_gateway(
    request: Request, context: Context, caller: Editor, body: JsonObject, message: Message = ""
) -> Response:
    """Replace the gateway's own settings. Paths of files are those of the machines with the nodes."""
    gateway = read_gateway(body)
    return _put(
        ConditionalWrite(context, request, caller, message), PutGateway(gateway), GATEWAY_KEY, gateway
    )


@router.get("/v1/settings", responses={200: gives("SettingsEntry")}, response_class=Response)
def show_settings(request: Request, context: Context, _: Viewer) -> Response:
    """The server's settings, `watt.server.cors.*`, as they were written."""
    return seen(request, serialise_object(settings_of(context.head.catalogue)))


@router.put(
    "/v1/settings",
    responses={200: gives("SettingsEntry")},
    response_class=Response,
    openapi_extra=takes("SettingsEntry"),
)
def put_settings(
    request: Request, context: Context, caller: Editor, body: JsonObject, message: Message = ""
) -> Response:
    """Replace the server's settings. Server-level CORS, once enabled, replaces every API's policy."""
    settings = Settings(body, read_server_settings(body))
    return _put(
        ConditionalWrite(context, request, caller, message), PutSettings(settings), SETTINGS_KEY, settings
    )


def _put(write: ConditionalWrite, change: Change, key: ObjectKey, desired: CatalogueObject) -> Response:
    written = serialise_object(desired)
    done = write.put(change, key, written, (key[0].value,))
    return made(written, tag=content_etag(written), revision=write.revision(done))
