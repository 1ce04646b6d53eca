"""Writes objects as raw values for documents, rows and responses; defaults are left out.

Reading them gives equal objects; equal objects give equal values, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable

from crossgate.catalogue.fields import API, APPLICATION, GATEWAY
from crossgate.catalogue.model import Api, Application, Catalogue, Gateway, Settings


def gateway_to_dict(gateway: Gateway) -> dict[str, object]:
    """The gateway's own settings; the address to listen on is never left out."""
    return GATEWAY.write(gateway)


def settings_to_dict(settings: Settings) -> dict[str, object]:
    """The server-level settings as they were written, sorted."""
    return dict(sorted(settings.values.items()))


def api_to_dict(api: Api) -> dict[str, object]:
    """The API, its policy included."""
    return API.write(api)


def application_to_dict(application: Application) -> dict[str, object]:
    """The application."""
    return APPLICATION.write(application)


def catalogue_to_dict(catalogue: Catalogue) -> dict[str, object]:
    """The document that declares the catalogue; APIs and applications are sorted.

    Settings are those that were read: a ``file:<path>`` among them must lead to the same file later.
    """
    sections = {
        "gateway": gateway_to_dict(catalogue.gateway),
        "settings": settings_to_dict(catalogue.settings),
    }
    objects = objects_to_dict(catalogue.apis.values(), catalogue.applications.values())
    return {**{name: section for name, section in sections.items() if section}, **objects}


def objects_to_dict(apis: Iterable[Api], applications: Iterable[Application]) -> dict[str, object]:
    """The sections of a document that declare these objects, sorted; empty ones are left out."""
    sections = {
        "apis": [api_to_dict(api) for api in sorted(apis, key=lambda api: (api.name, api.version))],
        "applications": [application_to_dict(one) for one in sorted(applications, key=lambda one: one.name)],
    }
    return {name: section for name, section in sections.items() if section}
