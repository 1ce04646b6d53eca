"""Requests that take long are answered by worker processes, and delay nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
import pytest
from tests.admin_api import AdminApi, Nodes, origins_of, running_admin_api, write_at_once
from tests.catalogues import api as an_api
from tests.unit.admin.entries import NEW, PETS, SHOP, api_entry, create_pets, policy_entry

import crossgate
from crossgate.admin.app import authenticated, guarded, limited_routes
from crossgate.admin.auth import CredentialCheck
from crossgate.admin.context import AdminContext
from crossgate.admin.workers import Recorded, WorkerRequest, WorkerResponse
from crossgate.app.admin_workers import AdminWorkerPool
from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.objects import Difference, ObjectChange, ObjectKind
from crossgate.service.pending_refusals import NothingRecent
from crossgate.service.permission import Role
from crossgate.service.ports import Proposal
from crossgate.service.refusal_service import RefusalService
from crossgate.service.sessions import InMemorySessionStore, Sessions
from crossgate.service.tokens import Tokens
from crossgate.store import Store
from crossgate.workers.budget import WorkBudget

ORIGINS = [f"https://number-{number}.example.com" for number in range(2000)]
"""More than what is read outside of a worker."""
VIEWERS = 8
HOSTILE = {
    "objects in JSON": "[" + "{}," * 200_000 + "{}]",
    "APIs without anything": "apis:\n" + "- {}\n" * 200_000,
    "lists": "[" * 39 + "[]," * 200_000,
    "aliases": "a: &a [1, 2]\nb: [" + "*a, " * 200_000 + "]",
    "keys": "".join(f"k{number}: 1\n" for number in range(200_000)),
    "16 MiB": "# " + "x" * (16 * 2**20 - 100),
}


def expensive_document(count: int) -> str:
    regexes = [
        {"regex": rf"https://(?:[a-z]{{1,60}}\.)?(?:a|b|c)+[a-z0-9.-]{{1,60}}x{number}\.example\.com"}
        for number in range(count)
    ]
    return json.dumps({"apis": [{"name": "slow", "version": "1", **api_entry(cors=policy_entry())}]}).replace(
        '"allowed_origins": []', f'"allowed_origins": {json.dumps(regexes)}'
    )


@contextmanager
def api_with_budget(store: Store, budget: WorkBudget) -> Iterator[AdminApi]:
    pool = AdminWorkerPool(budget)
    try:
        with running_admin_api(store.catalogue, store.tokens, pool=pool) as running:
            yield running
    finally:
        pool.close()


def test_replaced_code_is_reported(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "__init__.py").write_text("old")
    monkeypatch.setattr(crossgate, "__file__", str(tmp_path / "__init__.py"))
    with api_with_budget(store, WorkBudget()) as api:
        (tmp_path / "__init__.py").write_text("other")
        answer = api.viewer.post("/v1/check", content="apis: []")

        assert code_of(answer) == (503, "code-replaced")
        [one] = answer.json()["diagnostics"]
        assert one["remedy"] == "Restart the gateway"


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["diagnostics"][0]["code"]


@pytest.mark.parametrize("shape", HOSTILE)
def test_hostile_document_is_refused(api: AdminApi, shape: str) -> None:
    answer = api.viewer.post("/v1/check", content=HOSTILE[shape])

    assert (answer.status_code, answer.json()["valid"]) == (200, False) if shape != "16 MiB" else (200, True)


def test_hostile_object_is_refused(api: AdminApi) -> None:
    body = json.dumps(api_entry(cors={"allowed_origins": [{}] * 200_000}))

    refused = api.editor.put(PETS, content=body, headers=NEW)

    assert code_of(refused) == (422, "origin-form")
    assert api.viewer.get(PETS).status_code == 404


def test_everybody_else_is_answered_while_viewers_do_their_worst(api: AdminApi) -> None:
    create_pets(api.editor, "https://a.example.com")
    secrets = [api.tokens.create(f"viewer-{number}", Role.VIEWER)[0] for number in range(VIEWERS)]
    documents = [HOSTILE["objects in JSON"], HOSTILE["aliases"], expensive_document(10)]
    explained = json.dumps({"api": "pets/1.0", "origin": "x" * 2**20})

    def work(number: int) -> int:
        with api.client(secrets[number]) as client:
            if number == 0:
                return client.post("/v1/explain", content=explained).status_code
            return client.post("/v1/plan", content=documents[number % len(documents)]).status_code

    with ThreadPoolExecutor(VIEWERS) as viewers:
        working = [viewers.submit(work, number) for number in range(VIEWERS)]
        written = 0
        while not all(one.done() for one in working):
            policy = policy_entry(f"https://n{written}.example.com")
            assert api.editor.put(f"{PETS}/policy", json=policy, headers={"If-Match": "*"}).is_success
            assert api.admin.get(f"{PETS}/policy").json() == policy
            written += 1
        statuses = {one.result() for one in working}

    assert statuses == {200, 422}
    assert api.viewer.get("/v1/revisions").json()["items"][0]["number"] == 1 + written


def test_request_above_its_processor_time_is_refused_with_what_took_long(store: Store) -> None:
    with api_with_budget(store, WorkBudget(cpu_seconds=0.5)) as api:
        refused = api.viewer.post("/v1/check", content=expensive_document(1000))

        assert code_of(refused) == (422, "request-time")
        assert refused.json()["diagnostics"][0]["found"] == "proving what origin patterns admit"
        assert api.viewer.post("/v1/check", content="apis: []").json()["valid"]


def test_small_write_that_needs_long_proofs_is_left_to_a_worker(store: Store) -> None:
    cors = json.loads(expensive_document(60))["apis"][0]["cors"]
    assert len(json.dumps(cors)) < 10_000
    with api_with_budget(store, WorkBudget(cpu_seconds=0.5)) as api:
        refused = api.editor.put(PETS, json=api_entry(cors=cors), headers=NEW)

        assert code_of(refused) == (422, "request-time")
        assert api.editor.put(PETS, json=api_entry(), headers=NEW).status_code == 201


def test_explanation_needs_a_worker_if_the_policy_or_the_request_is_large(store: Store) -> None:
    with api_with_budget(store, WorkBudget()) as api:
        before = psutil.Process().children()
        origins = [{"regex": rf"https://pr-[0-9]+\.n{number}\.example\.com"} for number in range(6)]
        create_pets(api.editor, "https://a.example.com")
        usual = {"api": "pets/1.0", "origin": "https://a.example.com"}
        assert api.viewer.post("/v1/explain", json=usual).json()["decision"]["reason"] == "origin-allowed"
        assert psutil.Process().children() == before

        long = {**usual, "request_headers": "x-a," * 2000}
        assert api.viewer.post("/v1/explain", json=long).json()["decision"]["reason"] == "origin-allowed"
        assert psutil.Process().children() != before
        changed = {**policy_entry(), "allowed_origins": [*origins, "https://a.example.com"]}
        assert api.editor.put(f"{PETS}/policy", json=changed, headers={"If-Match": "*"}).is_success
        pr = {**usual, "origin": "https://pr-7.n5.example.com"}
        assert api.viewer.post("/v1/explain", json=pr).json()["decision"]["reason"] == "origin-allowed"


def test_usual_write_needs_no_worker(store: Store) -> None:
    with api_with_budget(store, WorkBudget()) as api:
        before = psutil.Process().children()
        cors = policy_entry(
            "https://usual.example.com", "https://*.usual.example.com", "https://shop.example.org"
        )
        origins = [*cors["allowed_origins"], {"regex": r"https://pr-[0-9]+\.usual\.example\.com"}]
        body = api_entry(cors={**cors, "allowed_origins": origins})

        assert api.editor.put(PETS, json=body, headers=NEW).status_code == 201
        assert psutil.Process().children() == before


@pytest.mark.parametrize("path", ["/v1/revisions/1", "/v1/export?revision=1", "/v1/export?revision=2"])
def test_history_is_read_by_a_worker(store: Store, path: str) -> None:
    with api_with_budget(store, WorkBudget()) as api:
        etag = create_pets(api.editor, "https://a.example.com")
        api.editor.put(PETS, json=api_entry(), headers={"If-Match": etag})
        before = psutil.Process().children()

        read = api.viewer.get(path)

        assert read.status_code == 200
        assert ("https://a.example.com" in read.text) is path.endswith("1")
        assert len(psutil.Process().children()) == len(before) + 1


def test_revision_is_pending_on_nodes_that_do_not_run_it_yet(store: Store) -> None:
    running = {"old": 1, "new": 2, "starting": None}
    with running_admin_api(store.catalogue, store.tokens, running=running) as api:
        etag = create_pets(api.editor, "https://a.example.com")
        api.editor.put(PETS, json=api_entry(), headers={"If-Match": etag})

        nodes = api.viewer.get("/v1/revisions/2").json()["nodes"]

        assert [(one["node"], one["outcome"]) for one in nodes] == [
            ("old", "pending"),
            ("starting", "pending"),
        ]


def test_small_write_that_a_worker_has_proved_is_stored(api: AdminApi) -> None:
    create_pets(api.editor)
    cors = json.loads(expensive_document(4))["apis"][0]["cors"]

    written = api.editor.put(f"{PETS}/policy", json=cors, headers={"If-Match": "*"})

    assert (written.status_code, written.headers["Crossgate-Revision"]) == (200, "2")
    assert api.viewer.get(f"{PETS}/policy").json() == cors


def test_request_above_its_memory_is_refused(store: Store) -> None:
    with api_with_budget(store, WorkBudget(memory=24 * 2**20)) as api:
        refused = api.viewer.post("/v1/check", content=HOSTILE["16 MiB"])

        assert code_of(refused) == (422, "request-memory")


def test_worker_ends_when_its_client_disconnects(store: Store) -> None:
    def workers() -> list[psutil.Process]:
        servers = [
            one for one in psutil.Process().children() if "admin_worker_process" in " ".join(one.cmdline())
        ]
        return [worker for server in servers for worker in server.children()]

    with api_with_budget(store, WorkBudget(cpu_seconds=300, seconds=300)) as api:
        assert api.viewer.post("/v1/check", content="apis: []").json()["valid"]
        assert workers() == []
        with api.client(api.tokens.create("gone", Role.VIEWER)[0]) as client:
            client.timeout = httpx.Timeout(60, read=0.5)
            with pytest.raises(httpx.ReadTimeout):
                client.post("/v1/check", content=expensive_document(5000))
        left = workers()
        psutil.wait_procs(left, timeout=60)

        assert not any(one.is_running() for one in left)


def test_token_that_sends_too_many_requests_at_once(api: AdminApi) -> None:
    document = expensive_document(3)
    with ThreadPoolExecutor(16) as pool:
        sent = [pool.submit(api.viewer.post, "/v1/check", content=document) for _ in range(16)]
        answers = [one.result() for one in sent]

    refused = [one for one in answers if one.status_code != 200]
    assert {code_of(one) for one in refused} == {(429, "token-requests")}
    assert {one.headers["Retry-After"] for one in refused} == {"5"}
    assert len(refused) < len(answers)


def test_large_writes_lose_no_change(api: AdminApi) -> None:
    created = api.editor.put(SHOP, json={"javascript_origins": ORIGINS}, headers=NEW)
    assert (created.status_code, created.headers["Crossgate-Revision"]) == (201, "1")

    expected, _ = write_at_once([api.editor, api.admin], SHOP, 1)

    assert origins_of(api.viewer, SHOP) == sorted([*ORIGINS, *expected])
    newest = api.viewer.get("/v1/revisions").json()["items"][0]
    assert newest["number"] == 1 + len(expected)


@dataclass
class Check:
    """A check of the machine that finds the same in every change."""

    found: Diagnostic
    calls: int = 0

    def find(self, base: Catalogue, difference: Difference, /) -> Sequence[Diagnostic]:
        del base
        assert difference
        self.calls += 1
        return [self.found]


ERROR = Diagnostic("taken", "the address is taken", "Choose another", Place(("gateway", "listen")))


def test_check_of_the_machine_refuses_what_a_worker_has_prepared(store: Store) -> None:
    check = Check(ERROR)
    with running_admin_api(store.catalogue, store.tokens, check=check) as api:
        document = "gateway: {listen: 127.0.0.1:8081}"

        assert api.viewer.post("/v1/check", content=document).json()["valid"]
        assert check.calls == 0
        checked = api.admin.post("/v1/check", content=document)
        planned = api.admin.post("/v1/plan", content=document)
        applied = api.admin.post("/v1/apply", content=document, headers={"If-Match": "*"})

        assert (checked.json()["valid"], checked.json()["diagnostics"][0]["code"]) == (False, "taken")
        assert (code_of(planned), code_of(applied)) == ((422, "taken"), (422, "taken"))
        assert api.viewer.get("/v1/revisions").json()["items"] == []


def test_warning_of_the_check_is_returned_with_the_change(store: Store) -> None:
    check = Check(replace(ERROR, severity=Severity.WARNING))
    with running_admin_api(store.catalogue, store.tokens, check=check) as api:
        document = "gateway: {listen: 127.0.0.1:8081}"
        applied = api.admin.post("/v1/apply", content=document, headers={"If-Match": "*"})

        assert (applied.status_code, [one["code"] for one in applied.json()["findings"]]) == (200, ["taken"])
        assert applied.headers["Crossgate-Revision"] == "1"


class DishonestWorkers:
    """Workers that answer every request with a change of an API."""

    def __init__(self) -> None:
        self.requests: list[WorkerRequest] = []

    async def answer(
        self,
        request: WorkerRequest,
        caller: str,
        *,
        preferred: bool,
        read: Callable[[], Recorded] | None = None,
    ) -> WorkerResponse:
        del caller, preferred, read
        self.requests.append(request)
        change = ObjectChange(ObjectKind.API, "team-b/1", None, an_api("team-b", version="1"))
        proposal = Proposal((change,), "mallory", datetime.now(UTC))
        return WorkerResponse(200, (), b"{}", base=0, proposal=proposal)


def test_control_plane_checks_what_a_worker_may_commit(store: Store) -> None:
    tokens, workers = Tokens(store.tokens), DishonestWorkers()
    service = CatalogueService(store.catalogue)
    refusals = RefusalService(service, InMemoryTelemetryStore(), NothingRecent())
    context = AdminContext(
        service, tokens, Nodes(), refusals, Sessions(InMemorySessionStore(), tokens), workers=workers
    )
    transport = httpx.ASGITransport(guarded(authenticated(limited_routes(context), CredentialCheck(tokens))))

    async def check(secret: str) -> int:
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return (await client.post("/v1/check", content="apis: []", headers=headers)).status_code

    def post(secret: str) -> int:
        return asyncio.run(check(secret))

    viewer, _ = tokens.create("viewer", Role.VIEWER)
    limited, _ = tokens.create("limited", Role.EDITOR, apis=["team-a-*"])
    editor, _ = tokens.create("editor", Role.EDITOR)

    assert [post(one) for one in (viewer, limited)] == [403, 403]
    assert store.catalogue.head.revision == 0
    assert post(editor) == 200
    assert not [one for one in workers.requests if viewer in str(one) or editor in str(one)]


def test_large_write_is_refused_as_a_small_one(api: AdminApi) -> None:
    body = api_entry(cors=policy_entry(*ORIGINS))
    assert api.viewer.put(PETS, json=body, headers=NEW).status_code == 403
    assert api.editor.put(PETS, json=body).status_code == 428

    created = api.editor.put(PETS, json=body, headers={**NEW}, params={"message": "many"})

    assert created.status_code == 201
    assert api.editor.put(PETS, json=body, headers={"If-Match": '"other"'}).status_code == 200
    changed = {**body, "native": "http://127.0.0.1:1"}
    assert api.editor.put(PETS, json=changed, headers={"If-Match": '"other"'}).status_code == 412
    assert api.viewer.get("/v1/revisions").json()["items"][0]["message"] == "many"
