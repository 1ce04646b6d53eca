"""The example's servers and their ports. Only this file and ``gateway.yaml`` know the ports."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path

from examples.natives import catalog, parcels, pets, stock
from examples.natives.http_message import Application
from examples.natives.service import Observer, Service
from examples.site import Site

ROLES = ("page", "storefront", "stranger")
CONFIGURATION = Path(__file__).with_name("gateway.yaml")


@dataclass(frozen=True, slots=True)
class Ports:
    """The port of each server. The defaults are those of ``gateway.yaml`` and of the command."""

    gateway: int = 8080
    page: int = 9100
    pets: int = 9101
    stock: int = 9102
    catalog: int = 9103
    parcels: int = 9104
    storefront: int = 9105
    stranger: int = 9109
    admin: int = 8090  # the admin API, and the console
    unreachable: int = 9199  # nothing listens here: the native service that is down

    def url(self, name: str) -> str:
        """The URL of a server, which is also its origin."""
        return f"http://127.0.0.1:{getattr(self, name)}"

    def configuration(self) -> str:
        """The example's ``gateway.yaml`` with these ports instead of the defaults."""
        return self.replace_defaults(CONFIGURATION.read_text(encoding="utf-8"))

    def replace_defaults(self, text: str) -> str:
        """A description of the example with these ports instead of the defaults."""
        # In two steps, so that a port that is another's default is not replaced again.
        for field in fields(self):
            text = text.replace(f"127.0.0.1:{field.default}", f"127.0.0.1:<{field.name}>")
        for field in fields(self):
            text = text.replace(f"<{field.name}>", str(getattr(self, field.name)))
        return text


def start_native_services(
    stack: ExitStack, ports: Ports, observer: Observer | None = None
) -> Mapping[str, Service]:
    """Serve the native services until ``stack`` is closed. Raises ``PortInUse``.

    Parcel tracking does its own CORS and allows only the stranger's origin, so that a response shows whether
    its CORS or the gateway's is in force.
    """
    applications: dict[str, Application] = {
        "pets": pets.PetStore(),
        "stock": stock.stock,
        "catalog": catalog.catalog,
        "parcels": parcels.Parcels({ports.url("stranger")}),
    }
    return {
        name: stack.enter_context(Service(name, application, getattr(ports, name), observer=observer))
        for name, application in applications.items()
    }


def start_pages(stack: ExitStack, ports: Ports) -> None:
    """Serve the example's page on its three origins until ``stack`` is closed. Raises ``PortInUse``."""
    origins = {role: ports.url(role) for role in ROLES}
    for role in ROLES:
        site = Site(role, origins, ports.url("gateway"))
        stack.enter_context(Service(f"the page as {role}", site, getattr(ports, role)))
