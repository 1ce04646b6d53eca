"""`POST /v1/import`: what becomes of a document of another kind."""

from __future__ import annotations

import gzip
import random
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import httpx
import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.unit.admin.entries import NEW, api_entry, pets_and_shop, policy_entry

from crossgate.catalogue.document import read_document
from crossgate.importers.kinds import KINDS
from crossgate.service.file_store import FileStore
from crossgate.service.tokens import InMemoryTokenStore
from crossgate.store import SqliteDirectory, open_store

ANY = {"If-Match": "*"}
PETS = """\
openapi: 3.0.3
info: {title: pets, version: "1.0"}
servers:
  - url: https://pets.internal/v2
paths:
  /pets:
    get: {}
    post:
      parameters:
        - {in: header, name: X-Trace, schema: {type: string}}
"""


@pytest.fixture(scope="module")
def site(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdminApi]:
    """An API without objects, for tests that write nothing."""
    data = tmp_path_factory.mktemp("imports") / "data"
    shutil.copytree(migrated, data)
    with open_store(SqliteDirectory(data)) as store:
        with running_admin_api(store.catalogue, store.tokens) as running:
            yield running
        assert store.catalogue.head.revision == 0


def imported(client: httpx.Client, document: str | bytes = PETS, **query: Any) -> dict[str, Any]:
    answer = client.post("/v1/import", content=document, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert answer.headers["ETag"] == f'"revision-{body["plan"]["base"]}"'
    return body


def refused(client: httpx.Client, document: str | bytes = PETS, **query: Any) -> list[dict[str, Any]]:
    answer = client.post("/v1/import", content=document, params=query)
    assert answer.status_code == 422, answer.text
    found: list[dict[str, Any]] = answer.json()["diagnostics"]
    assert found[0]["severity"] == "error"
    return found


def only_api(body: dict[str, Any]) -> dict[str, Any]:
    (change,) = body["plan"]["changes"]
    after: dict[str, Any] = change["after"]
    return after


def test_document_becomes_a_plan_and_its_document_can_be_applied(api: AdminApi) -> None:
    answer = api.viewer.post("/v1/import", content=PETS, params={"file": "pets.yaml"})
    body = answer.json()
    assert (answer.status_code, body["kind"]) == (200, "openapi")
    assert [(one["action"], one["key"]) for one in body["plan"]["changes"]] == [("add", "pets/1.0")]
    (native,) = (one for one in body["taken"] if one["path"] == "$.apis[0].native")
    assert native == {
        "kind": "api",
        "key": "pets/1.0",
        "path": "$.apis[0].native",
        "value": "https://pets.internal/v2",
        "reason": native["reason"],
        "places": 1,
        "file": "pets.yaml",
        "line": 4,
        "column": 10,
        "source_path": "$.servers[0].url",
    }
    assert "# pets.yaml:4" in body["document"]
    assert api.viewer.get("/v1/revisions").json()["items"] == []

    applied = api.editor.post(
        "/v1/apply", content=body["document"], headers={"If-Match": answer.headers["ETag"]}
    )
    assert (applied.status_code, applied.json()["added"]) == (200, 1)
    assert api.viewer.get("/v1/apis/pets/1.0").json() == only_api(body)
    moved = api.editor.post(
        "/v1/apply", content=body["document"], headers={"If-Match": answer.headers["ETag"]}
    )
    assert moved.status_code == 412


def test_import_twice_changes_nothing(api: AdminApi) -> None:
    first = imported(api.viewer)
    assert api.editor.post("/v1/apply", content=first["document"], headers=ANY).status_code == 200
    for update in ("false", "true"):
        again = imported(api.viewer, update=update)
        assert (again["plan"]["changes"], again["taken"]) == ([], [])
        assert again["kept"] == [{"kind": "api", "key": "pets/1.0", "differences": []}]
        applied = api.editor.post("/v1/apply", content=again["document"], headers=ANY)
        assert applied.json()["changed"] is False


def test_object_that_exists_stays_unless_it_is_updated(api: AdminApi) -> None:
    entry = api_entry(cors=policy_entry("https://a.example")) | {"owner": "web-team"}
    assert api.editor.put("/v1/apis/pets/1.0", json=entry, headers=NEW).status_code == 201
    body = imported(api.viewer)
    assert body["plan"]["changes"] == []
    (kept,) = body["kept"]
    values = {one["path"]: (one["existing"], one["imported"]) for one in kept["differences"]}
    assert values["$.native"] == (entry["native"], "https://pets.internal/v2")

    updated = imported(api.viewer, update="true")
    assert updated["kept"] == []
    after = only_api(updated)
    assert (after["owner"], after["native"]) == ("web-team", "https://pets.internal/v2")
    assert after["cors"]["allowed_origins"] == ["https://a.example"]
    applied = api.editor.post("/v1/apply", content=updated["document"], headers=ANY)
    assert (applied.status_code, applied.json()["modified"]) == (200, 1)
    assert api.viewer.get("/v1/apis/pets/1.0").json() == after


@pytest.mark.parametrize("update", ["false", "true"])
def test_new_application_of_an_api_that_stays_can_be_applied(api: AdminApi, update: str) -> None:
    assert api.editor.put("/v1/apis/pets/1", json=api_entry(), headers=NEW).status_code == 201
    body = imported(api.viewer, pets_and_shop(), update=update)
    assert [(one["action"], one["key"]) for one in body["plan"]["changes"]] == [("add", "shop")]
    assert [one["key"] for one in body["kept"]] == ["pets/1"]
    applied = api.editor.post("/v1/apply", content=body["document"], headers=ANY)
    assert (applied.status_code, applied.json()["added"], applied.json()["modified"]) == (200, 1, 0)


def test_findings_are_about_what_would_be_written(api: AdminApi) -> None:
    services = "".join(
        f"""
- name: {name}
  url: https://{name}.internal
  routes: [{{paths: [/{name}]}}]
  plugins: [{{name: cors, config: {{methods: [GET]}}}}]"""
        for name in ("pets", "stock")
    )
    kong = f'_format_version: "3.0"\nservices:{services}\n'
    entry = api_entry(cors=policy_entry("https://a.example") | {"max_age": 600})
    assert api.editor.put("/v1/apis/pets/1", json=entry, headers=NEW).status_code == 201
    body = imported(api.viewer, kong)
    assert body["taken"][0]["path"] == "$.apis[0].name"
    assert "maxage-unset" in {one["code"] for one in body["findings"]}
    assert {one["document_path"][: len("$.apis[0]")] for one in body["findings"]} == {"$.apis[0]"}

    updated = imported(api.viewer, kong, update="true")
    unset = [one["document_path"] for one in updated["findings"] if one["code"] == "maxage-unset"]
    # The time that pets/1 keeps counts.
    assert unset == ["$.apis[1].cors.max_age"]


def test_options_decide_what_the_document_does_not_say(site: AdminApi) -> None:
    query: dict[str, Any] = {
        "kind": "openapi",
        "native": "pets=http://127.0.0.1:9101",
        "origin": ["https://a.example", "https://b.example"],
        "observe": "true",
        "version": "2.0",
    }
    after = only_api(imported(site.viewer, **query))
    assert (after["version"], after["cors"]["mode"]) == ("2.0", "observe")
    assert after["cors"]["allowed_origins"] == ["https://a.example", "https://b.example"]
    assert after["cors"]["allow_headers"] == ["X-Trace"]
    named = imported(site.viewer, native="http://127.0.0.1:9102/a=b", name="animals")
    after = only_api(named)
    assert (after["name"], after["native"]) == ("animals", "http://127.0.0.1:9102/a=b")
    (native,) = (one for one in named["taken"] if one["path"] == "$.apis[0].native")
    assert (native["file"], native["line"], native["source_path"]) == (None, None, None)


def test_wrong_options_are_refused_where_they_stand(site: AdminApi) -> None:
    query = {"native": "x=https://x.example", "origin": "example.com", "name": "a b", "version": "/"}
    found = [one for one in refused(site.viewer, **query) if one["severity"] == "error"]
    assert {one["path"] for one in found} == {f"$.query.{name}" for name in query}
    (unknown,) = refused(site.viewer, kind="coffee")
    assert unknown["path"] == "$.query.kind"
    for kind in KINDS:
        assert kind.name in unknown["remedy"]
    assert refused(site.viewer, nativ="x")[0]["path"] == "$.query.nativ"
    assert refused(site.viewer, update="maybe")[0]["path"] == "$.query.update"


def test_unsafe_origin_is_left_out_with_the_attacking_one(site: AdminApi) -> None:
    body = imported(site.viewer, origin=["https://*.vercel.app", "https://a.example"])
    assert only_api(body)["cors"]["allowed_origins"] == ["https://a.example"]
    (left_out,) = body["left_out"]
    assert (left_out["key"], left_out["value"]) == ("pets/1.0", "https://*.vercel.app")
    assert left_out["findings"][0]["severity"] == "error"
    assert left_out["findings"][0]["witness"].endswith(".vercel.app")
    assert "#" in body["document"].partition("https://*.vercel.app")[0].splitlines()[-1]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\0" * 100,
        b"\xff\xfe\x00",
        b"PK\x03\x04" + b"\0" * 60,
        b"{" * 100_000,
        b"openapi: 3.0.3\ninfo: [",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        gzip.compress(PETS.encode()),
        random.Random(5).randbytes(100_000),  # noqa: S311 - not for cryptography
        b"openapi: 3.0.3\nsource: &a [*a]\n" + b"b: &b [*a,*a]\n" * 1000,
    ],
    ids=["empty", "NUL", "no UTF-8", "zip", "deep", "cut off", "entity", "gzip", "random", "aliases"],
)
def test_hostile_bytes_are_refused_with_a_reason(site: AdminApi, document: bytes) -> None:
    for kind in ("", "openapi"):
        query = {"kind": kind} if kind else {}
        for one in refused(site.viewer, document, file="x.yaml", **query):
            assert one["message"]
            assert one["remedy"]
    assert site.viewer.get("/v1/status").status_code == 200


def test_zip_bomb_is_refused(site: AdminApi) -> None:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for number in range(10):
            archive.writestr(f"API/API.{number}/API.{number}", b" " * (8 * 2**20))
    assert packed.tell() < 2**20
    for query in ({}, {"kind": "webmethods"}):
        assert refused(site.viewer, packed.getvalue(), file="export.zip", **query)


def test_document_above_the_limit_is_refused(site: AdminApi) -> None:
    answer = site.viewer.post("/v1/import", content=b"a" * (17 * 2**20))
    assert (answer.status_code, answer.json()["diagnostics"][0]["code"]) == (413, "body-too-large")


def test_references_are_refused_at_their_line(site: AdminApi) -> None:
    for reference in ("file:///etc/passwd", "http://169.254.169.254/x.yaml", "other.yaml"):
        body = imported(site.viewer, PETS.replace("    get: {}\n", f"    $ref: '{reference}'\n"))
        (found,) = body["diagnostics"]
        assert (found["found"], found["line"], found["severity"]) == (reference, 7, "warning")
        assert "references to other documents cannot be followed here" in found["message"]


def test_kinds_are_listed(site: AdminApi) -> None:
    listed = site.viewer.get("/v1/import/kinds").json()["items"]
    assert [(one["name"], one["title"]) for one in listed] == [(one.name, one.title) for one in KINDS]
    assert all(one["sentence"] for one in listed)


@pytest.fixture
def ours(api: AdminApi) -> Iterator[httpx.Client]:
    """An editor of the APIs of team A."""
    body = {"name": "a-editor", "role": "editor", "apis": ["team-a-*"]}
    secret = api.admin.post("/v1/tokens", json=body).json()["secret"]
    with api.client(secret) as client:
        yield client


def test_limited_token_imports_its_own_apis_only(api: AdminApi, ours: httpx.Client) -> None:
    theirs = api_entry(cors=policy_entry("https://secret.example"))
    assert api.editor.put("/v1/apis/team-b-pets/1.0", json=theirs, headers=NEW).status_code == 201
    body = imported(ours, name="team-a-pets")
    assert only_api(body)["name"] == "team-a-pets"
    assert ours.post("/v1/apply", content=body["document"], headers=ANY).status_code == 200
    assert imported(ours, name="team-a-pets")["kept"] == [
        {"kind": "api", "key": "team-a-pets/1.0", "differences": []}
    ]
    for name in ("team-b-pets", "team-b-none"):
        for update in ("false", "true"):
            answer = ours.post("/v1/import", content=PETS, params={"name": name, "update": update})
            assert answer.status_code == 403
            (found,) = answer.json()["diagnostics"]
            assert (found["code"], found["path"]) == ("token-limited", f"$.apis['{name}/1.0']")
            assert "secret" not in answer.text


def test_gateway_that_runs_a_file_answers_with_a_plan() -> None:
    document = "apis:\n  - {name: stock, version: '1', type: rest, native: 'http://127.0.0.1:9101'}\n"
    catalogue = read_document(document).catalogue
    assert catalogue is not None
    with running_admin_api(FileStore("gateway.yaml", catalogue), InMemoryTokenStore()) as api:
        body = imported(api.viewer)
        assert [one["key"] for one in body["plan"]["changes"]] == ["pets/1.0"]
        applied = api.editor.post("/v1/apply", content=body["document"], headers=ANY)
        assert applied.status_code == 409
