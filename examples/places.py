"""Where everything of the example listens: the only file that knows its ports, ``gateway.yaml`` aside."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path

from examples.natives import catalog, parcels, pets, stock
from examples.natives.message import Application
from examples.natives.service import Observer, Service
from examples.site import Site

ROLES = ("page", "storefront", "stranger")
CONFIGURATION = Path(__file__).with_name("gateway.yaml")


@dataclass(frozen=True, slots=True)
class Places:
    """The port of each server; the defaults are those ``gateway.yaml`` is written for."""

    gateway: int = 8080
    page: int = 9100
    pets: int = 9101
    stock: int = 9102
    catalog: int = 9103
    parcels: int = 9104
    storefront: int = 9105
    stranger: int = 9109
    nobody: int = 9199  # where nothing listens: the native service that is down

    def url(self, name: str) -> str:
        """The URL, and so the origin, of one of the servers."""
        return f"http://127.0.0.1:{getattr(self, name)}"

    def configuration(self) -> str:
        """The example's ``gateway.yaml`` with these ports in place of the defaults."""
        return self.moved(CONFIGURATION.read_text(encoding="utf-8"))

    def moved(self, text: str) -> str:
        """Any text about the example with these ports in place of the defaults."""
        for field in fields(self):
            # By way of a name that no port can contain, so that exchanged ports do not meet.
            text = text.replace(f"127.0.0.1:{field.default}", f"127.0.0.1:<{field.name}>")
        for field in fields(self):
            text = text.replace(f"<{field.name}>", str(getattr(self, field.name)))
        return text


def start_natives(
    stack: ExitStack, places: Places, observer: Observer | None = None
) -> Mapping[str, Service]:
    """Serve the native services until ``stack`` is closed; raises ``PortTaken``.

    Parcel tracking does its own CORS and allows only the stranger's origin, so that it shows at a glance
    whose CORS is in force: its own, or the gateway's.
    """
    applications: dict[str, Application] = {
        "pets": pets.PetStore(),
        "stock": stock.stock,
        "catalog": catalog.catalog,
        "parcels": parcels.Parcels({places.url("stranger")}),
    }
    return {
        name: stack.enter_context(Service(name, application, getattr(places, name), observer=observer))
        for name, application in applications.items()
    }


def start_pages(stack: ExitStack, places: Places) -> None:
    """Serve the example's page on its three origins until ``stack`` is closed; raises ``PortTaken``."""
    origins = {role: places.url(role) for role in ROLES}
    for role in ROLES:
        site = Site(role, origins, places.url("gateway"))
        stack.enter_context(Service(f"the page as {role}", site, getattr(places, role)))
