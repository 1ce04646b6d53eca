"""The kinds of documents that can be imported."""

from __future__ import annotations

from typing import Final

from crossgate.importers.envoy.reader import ENVOY
from crossgate.importers.gateway_api.reader import GATEWAY_API
from crossgate.importers.kind import Kind
from crossgate.importers.kong.reader import KONG
from crossgate.importers.odata.reader import ODATA
from crossgate.importers.openapi.reader import OPENAPI
from crossgate.importers.spring.reader import SPRING_CLOUD_GATEWAY
from crossgate.importers.webmethods.reader import WEBMETHODS
from crossgate.importers.webmethods.settings import WEBMETHODS_SETTINGS
from crossgate.importers.wsdl.reader import WSDL

KINDS: Final[tuple[Kind, ...]] = (
    OPENAPI,
    WSDL,
    ODATA,
    WEBMETHODS,
    WEBMETHODS_SETTINGS,
    KONG,
    ENVOY,
    GATEWAY_API,
    SPRING_CLOUD_GATEWAY,
)
"""In the order in which they are tried."""


def kind_named(name: str) -> Kind | None:
    """The kind with that name."""
    return next((kind for kind in KINDS if kind.name == name), None)
