"""Every page of the console over the seeded site: its URL, who may read it, and what it must say."""

from __future__ import annotations

from dataclasses import dataclass

from tests.console_site import Site

from crossgate.service.permission import Role

PREVIEW = "https://pr-417.preview.example.com"


@dataclass(frozen=True, slots=True)
class Shown:
    """A page."""

    url: str
    words: tuple[str, ...]
    """Text of its content, the same with and without scripts."""
    role: Role = Role.VIEWER
    """The lowest role that may read it."""


def group_of(site: Site, origin: str = PREVIEW) -> str:
    """The identifier of a group of refusals."""
    items = site.api.viewer.get("/v1/refusals", params={"limit": 100}).json()["items"]
    return str(next(one["id"] for one in items if one["origin"] == origin))


def every_page(site: Site) -> list[Shown]:
    """All pages, the first ones in the order of the navigation."""
    group = group_of(site)
    simulated = f"/simulator?api=petstore/1.0&origin={PREVIEW}&method=GET&path=/pets"
    return [
        Shown("/", ("Overview", "pr-417.preview.example.com")),
        Shown("/refusals", ("pr-417.preview.example.com",)),
        Shown("/refusals?q=api:orders&page=1", ("shop.example.com",)),
        Shown(f"/refusals/{group}", ("does not allow this origin", "1,204")),
        Shown(f"/refusals/{group}/allow", ("Difference", PREVIEW)),
        Shown(f"/refusals/{group}/dismiss", ("A bot or a scanner",), Role.EDITOR),
        Shown("/apis", ("petstore", "parcels")),
        Shown("/apis?q=mode:observe", ("reports",)),
        Shown("/apis/petstore/1.0", ("Allowed origins", "Only this origin")),
        Shown("/apis/parcels/1.0", ("No CORS policy",)),
        Shown("/apis/new", ("Native service",), Role.EDITOR),
        Shown("/apis/petstore/1.0/edit", ("Native service",), Role.EDITOR),
        Shown("/applications?view=cards", ("storefront", "m.example.net")),
        Shown("/applications?view=matrix", ("storefront", "petstore")),
        Shown("/applications/new", ("Add application",), Role.EDITOR),
        Shown("/applications/storefront/edit", ("JavaScript origins",), Role.EDITOR),
        Shown("/applications/storefront/suspend", ("Suspend storefront",), Role.EDITOR),
        Shown("/simulator", ("Simulator", "preflight")),
        Shown(simulated, ("Refused", "403")),
        Shown("/prove", ("Prove",)),
        Shown(
            r"/prove?kind=regex&value=https%3A%2F%2F.*example%5C.com",
            ("evilexample.com",),
        ),
        Shown("/rules/http-origin", ("http-origin",)),
        Shown("/import", ("Document",)),
        Shown("/changes", ("Begin", "web-team")),
        Shown("/changes/1", ("Begin",)),
        Shown("/nodes", ("fra-2", "RE2 program size of 143")),
        Shown("/settings", ("Enabled", "Allowed origins")),
        Shown("/settings/gateway", ("127.0.0.1:8080",)),
        Shown("/settings/tokens", ("test-viewer",), Role.ADMIN),
        Shown("/settings/tokens/test-viewer/revoke", ("test-viewer",), Role.ADMIN),
        Shown("/settings/sessions", ("test-",)),
        Shown("/settings/appearance", ("Dark",)),
        Shown("/signed-in", ("Signed in",)),
    ]
