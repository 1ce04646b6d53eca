"""What is changed through the API is enforced by Envoy, and the revision says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.certificates import good_pair
from tests.live.admin.store_gateway import eventually, store_gateway
from tests.unit.admin.entries import NEW, PETS, SHOP, api_entry, create_pets, create_shop, policy_entry

pytestmark = pytest.mark.live

APP, OTHER = "https://app.example", "https://other.example"


def test_every_kind_of_change_reaches_envoy(tmp_path: Path) -> None:
    with store_gateway(tmp_path, "--data", "data") as gateway:
        admin = gateway.admin
        create_pets(admin, APP)
        eventually(lambda: gateway.preflight(APP) == 200)
        assert gateway.preflight(OTHER) == 403

        etag = create_shop(admin, OTHER, apis=("pets/1.0",))
        eventually(lambda: gateway.preflight(OTHER) == 200)
        suspended = admin.post(f"{SHOP}/suspend", headers={"If-Match": etag})
        eventually(lambda: gateway.preflight(OTHER) == 403)
        admin.post(f"{SHOP}/resume", headers={"If-Match": suspended.headers["ETag"]})
        eventually(lambda: gateway.preflight(OTHER) == 200)
        admin.delete(f"{SHOP}/apis/pets/1.0", headers={"If-Match": "*"})
        eventually(lambda: gateway.preflight(OTHER) == 403)

        admin.put(f"{PETS}/policy", json=policy_entry(OTHER), headers={"If-Match": "*"})
        eventually(lambda: gateway.preflight(OTHER) == 200)
        assert gateway.preflight(APP) == 403

        prefix = "watt.server.cors."
        server = {f"{prefix}enabled": True, f"{prefix}allowedOrigins": APP}
        admin.put("/v1/settings", json=server, headers={"If-Match": "*"})
        eventually(lambda: gateway.preflight(APP) == 200)
        admin.put("/v1/settings", json={}, headers={"If-Match": "*"})
        eventually(lambda: gateway.preflight(APP) == 403)

        admin.post("/v1/revisions/2/rollback", headers={"If-Match": "*"})
        eventually(lambda: gateway.preflight(APP) == 200)
        assert gateway.preflight(OTHER) == 403

        def settled() -> bool:
            nodes = admin.get("/v1/nodes").json()
            return bool(nodes["items"]) and all(one["current"] for one in nodes["items"])

        def recorded() -> bool:
            revisions = admin.get("/v1/revisions").json()["items"]
            return all([on["outcome"] for on in one["nodes"]] == ["applied"] for one in revisions)

        eventually(settled)
        eventually(recorded)


def test_revision_records_what_envoy_rejects(tmp_path: Path) -> None:
    # The machine's authorities, removed after the start: only Envoy notices.
    authorities = tmp_path / "absent.pem"
    authorities.write_bytes(good_pair().certificate)
    machine = ("env", f"SSL_CERT_FILE={authorities}")
    with store_gateway(tmp_path, "--data", "data", before=machine) as gateway:
        create_pets(gateway.admin, APP)
        eventually(lambda: gateway.preflight(APP) == 200)
        authorities.unlink()
        secure = api_entry(native="https://127.0.0.1:9443")
        answer = gateway.admin.put("/v1/apis/secure/1.0", json=secure, headers=NEW)
        number = int(answer.headers["Crossgate-Revision"])

        def outcome() -> list[tuple[str, bool]]:
            nodes = gateway.admin.get(f"/v1/revisions/{number}").json()["nodes"]
            return [(one["outcome"], bool(one["detail"])) for one in nodes]

        eventually(lambda: outcome() == [("rejected", True)])
        rejections = gateway.admin.get("/v1/nodes").json()["items"][0]["rejections"]
        assert "absent.pem" in rejections[0]["message"]
        assert rejections[0]["apis"] == ["secure/1.0"]
        assert gateway.preflight(APP) == 200
