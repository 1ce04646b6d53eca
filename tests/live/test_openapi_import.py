"""A description is imported, served by a gateway, and called by a client that knows the description only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import httpx
import pytest
import schemathesis
import yaml
from tests.command import crossgate, running_gateway
from tests.native_services import ScriptedNative
from tests.ports import free_ports
from tests.source import ROOT

DESCRIPTION = ROOT / "tests" / "data" / "imports" / "openapi" / "petstore.yml"
SHOP, STRANGER = "https://shop.example.com", "https://shop.example.com.evil.example"
VALUES = {"petId": 7, "orderId": 8, "username": "ann"}


@dataclass(frozen=True, slots=True)
class ServedPetstore:
    """The gateway that serves the imported description, and the native service behind it."""

    url: str
    native: ScriptedNative


@pytest.fixture(scope="module")
def petstore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPetstore]:
    (port,) = free_ports(1)
    file = tmp_path_factory.mktemp("imported") / "gateway.yaml"
    with ScriptedNative() as native:
        file.write_text(f"gateway:\n  listen: 127.0.0.1:{port}\n", encoding="utf-8")
        native_url = f"{native.url}/api/v3"
        done = crossgate("import", DESCRIPTION, "--native", native_url, "--origin", SHOP, "-o", file)
        assert done.returncode == 1, done.stderr  # the header api_key is left out
        api = yaml.safe_load(file.read_text(encoding="utf-8"))["apis"][0]
        with running_gateway(file):
            yield ServedPetstore(f"http://127.0.0.1:{port}/gateway/{api['name']}/{api['version']}", native)


@cache
def cases() -> list[Any]:
    """A request for each operation, as schemathesis sends it."""
    found = []
    description = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    for result in schemathesis.openapi.from_dict(description).get_all_operations():
        operation = cast("Any", result).ok()
        names = [one.name for one in operation.path_parameters]
        body = next((one for one in operation.body if one.media_type == "application/json"), None)
        content = {} if body is None else {"body": {"id": 7}, "media_type": body.media_type}
        found.append(operation.Case(path_parameters={name: VALUES[name] for name in names}, **content))
    return found


@pytest.mark.live
def test_every_operation_reaches_the_native_service(petstore: ServedPetstore) -> None:
    for case in cases():
        petstore.native.log.clear()
        response = case.call(base_url=petstore.url, headers={"Origin": SHOP, "Authorization": "Bearer x"})
        assert response.status_code == 200, (case, response.text)
        assert response.headers["access-control-allow-origin"] == [SHOP]
        assert response.headers["access-control-expose-headers"] == ["X-Rate-Limit, X-Expires-After"]
        (request,) = petstore.native.log.seen()
        assert (request.method, request.path) == (case.method, f"/api/v3{case.formatted_path}")
    assert len(cases()) == 19


@pytest.mark.live
def test_preflights_of_every_operation_are_allowed_for_the_given_origin_only(
    petstore: ServedPetstore,
) -> None:
    with httpx.Client() as client:
        for case in cases():
            names = "authorization" + (",content-type" if case.media_type else "")
            headers = {"Access-Control-Request-Method": case.method, "Access-Control-Request-Headers": names}
            url = petstore.url + cast("str", case.formatted_path)
            allowed = client.options(url, headers=headers | {"Origin": SHOP})
            assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, SHOP)
            refused = client.options(url, headers=headers | {"Origin": STRANGER})
            assert (refused.status_code, refused.text) == (403, "Specified Origin is not allowed")
            assert "access-control-allow-origin" not in refused.headers
    assert "OPTIONS" not in [request.method for request in petstore.native.log.seen()]


@pytest.mark.live
def test_preflights_for_what_the_description_does_not_have_are_refused(petstore: ServedPetstore) -> None:
    url = f"{petstore.url}/pet/7"
    patch = {"Origin": SHOP, "Access-Control-Request-Method": "PATCH"}
    assert httpx.options(url, headers=patch).status_code == 405
    # The description has the header api_key, whose name the gateway would refuse in the request.
    header = {
        "Origin": SHOP,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "api_key",
    }
    assert httpx.options(url, headers=header).text == "Header Not Supported"
