"""Authentication, roles and the throttle of failed authentications."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.unit.admin.entries import NEW, PETS, api_entry, create_pets

from crossgate.admin import auth_throttle
from crossgate.admin.auth_throttle import AuthThrottle
from crossgate.service.log import LINES_AT_ONCE, LogLimit
from crossgate.service.permission import Role
from crossgate.service.tokens import InMemoryTokenStore, Token, Tokens
from crossgate.store import Store
from crossgate.store.tokens import TokenTable

PROBLEM = "urn:crossgate:problem:"


def test_requests_without_a_token_get_liveness_and_nothing_else(api: AdminApi) -> None:
    create_pets(api.editor)
    with api.client() as stranger:
        assert stranger.get("/live").json() == {"status": "live"}
        answers = [
            stranger.request(method, path)
            for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS")
            for path in ("/v1/apis", PETS, "/v1/apis/cats/1.0", "/v1/nowhere", "/v1", "/openapi.json")
        ]

    assert {one.status_code for one in answers} == {401}
    assert len({one.text for one in answers}) == 1
    assert {one.headers["WWW-Authenticate"] for one in answers} == {"Bearer"}


def test_permissions_of_each_role(api: AdminApi) -> None:
    assert api.viewer.get("/v1/apis").status_code == 200
    assert api.viewer.put(PETS, json=api_entry(), headers=NEW).status_code == 403
    assert api.editor.put(PETS, json=api_entry(), headers=NEW).status_code == 201
    for client, status in ((api.viewer, 403), (api.editor, 403), (api.admin, 200)):
        assert client.get("/v1/tokens").status_code == status
    for path, body in (("/v1/gateway", {"native_ca": "/etc/ca.pem"}), ("/v1/settings", {})):
        for client in (api.viewer, api.editor):
            refused = client.put(path, json=body, headers={"If-Match": "*"})
            assert (refused.status_code, refused.json()["type"]) == (403, f"{PROBLEM}role-insufficient")
        assert api.admin.put(path, json=body, headers={"If-Match": "*"}).status_code == 200
    wanted = {"name": "mine", "role": "admin"}
    assert api.editor.post("/v1/tokens", json=wanted).status_code == 403
    assert api.editor.delete("/v1/tokens/test-viewer").status_code == 403


def test_token_lifecycle(api: AdminApi) -> None:
    created = api.admin.post("/v1/tokens", json={"name": "ci", "role": "editor", "days": 1})
    assert created.status_code == 201
    secret = created.json()["secret"]
    assert api.admin.post("/v1/tokens", json={"name": "ci", "role": "viewer"}).status_code == 409
    with api.client(secret) as client:
        assert client.put(PETS, json=api_entry(), headers=NEW).status_code == 201
        listed = api.admin.get("/v1/tokens")
        assert secret not in listed.text
        ci = next(one for one in listed.json()["items"] if one["name"] == "ci")
        assert ci["last_used"] is not None
        assert ci["expires"] is not None

        assert api.admin.delete("/v1/tokens/ci").json()["revoked"] is not None
        assert client.get("/v1/apis").status_code == 401
    assert api.admin.delete("/v1/tokens/ci").status_code == 404


def test_expired_token_is_rejected(api: AdminApi) -> None:
    secret, _ = api.tokens.create("old", Role.ADMIN, timedelta(seconds=-1))
    with api.client(secret) as client:
        assert client.get("/v1/apis").status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Basic abc", "Bearer a b", "Bearer " + "x" * 300])
def test_malformed_authorization_header_is_rejected(api: AdminApi, header: str) -> None:
    with api.client() as client:
        assert client.get("/v1/apis", headers={"Authorization": header}).status_code == 401


def test_delay_doubles_per_failure_of_one_address() -> None:
    throttle = AuthThrottle(clock=lambda: 0.0)
    delays = []
    for _ in range(12):
        throttle.record_failure("192.0.2.1")
        with throttle.delay("192.0.2.1") as seconds:
            delays.append(seconds)

    assert delays[:4] == [0.25, 0.5, 1.0, 2.0]
    assert set(delays[4:]) == {auth_throttle.LONGEST_DELAY}
    throttle.record_failure("192.0.2.2")
    with throttle.delay("192.0.2.2") as seconds:
        assert seconds == auth_throttle.FIRST_DELAY


def test_waiting_responses_and_remembered_addresses_are_bounded() -> None:
    throttle = AuthThrottle()
    for number in range(auth_throttle.MAX_ADDRESSES + 500):
        throttle.record_failure(f"10.{number // 65536}.{number // 256 % 256}.{number % 256}")
    assert len(throttle) == auth_throttle.MAX_ADDRESSES

    throttle.record_failure("2001:db8::1")
    count = auth_throttle.MAX_WAITING_PER_ADDRESS + 1
    waiting = [throttle.delay(f"2001:db8::{number}") for number in range(1, count + 1)]
    seconds = [one.__enter__() for one in waiting]
    assert seconds[-1] is None
    assert None not in seconds[:-1]
    for one in waiting:
        one.__exit__(None, None, None)
    with throttle.delay("2001:db8::1") as freed:
        assert freed is not None


def test_failures_expire() -> None:
    now = 0.0
    throttle = AuthThrottle(clock=lambda: now)
    assert [throttle.record_failure("192.0.2.1") for _ in range(3)] == [1, 2, 3]
    now = auth_throttle.RESET_AFTER + 1
    assert throttle.record_failure("192.0.2.1") == 1


class CountingStore(InMemoryTokenStore):
    """Counts the look-ups."""

    def __init__(self) -> None:
        super().__init__()
        self.look_ups = 0

    def find_token(self, digest: str) -> Token | None:
        self.look_ups += 1
        return super().find_token(digest)


def guess(api: AdminApi, count: int) -> list[int]:
    """The statuses of that many requests with invalid tokens, from the address of everybody else."""
    with api.client("cgt_guess") as client, ThreadPoolExecutor(20) as pool:
        return list(pool.map(lambda _: client.get("/v1/apis").status_code, range(count)))


def test_guesses_are_not_looked_up_after_the_limit_and_lock_no_valid_token_out(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    counting = CountingStore()
    with running_admin_api(store.catalogue, counting) as api:
        statuses = guess(api, 100)
        before = counting.look_ups
        statuses += guess(api, 400)

        assert counting.look_ups == before <= 100
        assert set(statuses) == {401, 429}
        lines = [one.getMessage() for one in caplog.records if one.name == "crossgate.admin"]
        assert len(lines) <= LINES_AT_ONCE + 5
        assert set(lines) == {"Authentication failed"}
        assert api.viewer.get("/v1/apis").status_code == 200


def test_token_of_another_control_plane_is_accepted_beside_guesses(store: Store) -> None:
    with running_admin_api(store.catalogue, store.tokens) as api:
        assert 429 in guess(api, 100)
        # Another control plane has a memory of its own.
        secret, _ = Tokens(TokenTable(store.catalogue)).create("second-plane", Role.VIEWER)
        with api.client(secret) as client:
            assert eventually(lambda: client.get("/v1/apis").status_code == 200)
            assert api.tokens.revoke("second-plane").revoked is not None
            assert client.get("/v1/apis").status_code in (401, 429)


def test_failures_of_many_addresses_stop_look_ups_for_a_while() -> None:
    now = 0.0
    throttle = AuthThrottle(clock=lambda: now)
    for number in range(auth_throttle.LOOK_UPS):
        assert throttle.may_look_up("198.51.100.1")
        throttle.record_failure(f"2001:db8:{number:x}::1")
    assert not throttle.may_look_up("198.51.100.1")
    now = 1.0
    assert throttle.may_look_up("198.51.100.1")


def test_log_limit_counts_what_it_omits() -> None:
    now = 0.0
    limit = LogLimit(clock=lambda: now)
    assert [limit.admit() for _ in range(LINES_AT_ONCE + 3)] == [0] * LINES_AT_ONCE + [None] * 3
    now = 10.0
    assert [limit.admit(), limit.admit()] == [3, None]


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether the condition holds within 20 s."""
    deadline = time.monotonic() + 20
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
