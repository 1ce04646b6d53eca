"""``crossgate refusals``, ``stats`` and ``explain --request-id`` against a real admin API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.command import ENVIRONMENT, CommandResult, crossgate
from tests.refusals import Collected, batch, delta, group_key, now, series
from tests.unit.admin.entries import NEW, api_entry, create_pets, policy_entry

from crossgate.catalogue.document import load_document
from crossgate.cli.admin_client import AdminApiClient, ApiResponse, QueryValue
from crossgate.policy import ExactOrigin
from crossgate.service.file_store import FileStore
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.ports import CounterKey
from crossgate.service.refusals import CUT, RequestRecord, SeenIn
from crossgate.service.tokens import InMemoryTokenStore
from crossgate.store import Store

ANY = {"If-Match": "*"}
SHOP = group_key()
PUT = group_key(origin="https://app.example.com", reason="method-refused", method="PUT")
HOSTILE = group_key(
    origin="https://\x1b]0;x\x07\x1b[31m\u202egro.elive\n=cmd()\ud800<b>", headers=("\u202ex",)
)
DOCUMENT = """\
# Pets.
apis:
  - name: pets
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9101
    cors:
      allowed_origins:
        - https://app.example.com   # the app
      allowed_methods: [GET]
      max_age: 600
"""


@pytest.fixture
def telemetry() -> InMemoryTelemetryStore:
    return InMemoryTelemetryStore()


@pytest.fixture
def collected() -> Collected:
    return Collected()


@pytest.fixture
def api(
    store: Store,
    telemetry: InMemoryTelemetryStore,
    collected: Collected,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[AdminApi]:
    with running_admin_api(store.catalogue, store.tokens, telemetry=telemetry, recent=collected) as running:
        create_pets(running.editor, "https://app.example.com", "http://shop.example.com")
        use(running, monkeypatch)
        yield running


@pytest.fixture
def from_file(
    telemetry: InMemoryTelemetryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    file = tmp_path / "gateway.yaml"
    file.write_text(DOCUMENT, encoding="utf-8")
    catalogue = load_document(file).catalogue
    assert catalogue is not None
    with running_admin_api(
        FileStore(str(file), catalogue), InMemoryTokenStore(), telemetry=telemetry
    ) as running:
        use(running, monkeypatch)
        yield file


def use(api: AdminApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSGATE_SERVER", api.url)
    monkeypatch.setenv("CROSSGATE_TOKEN", api.editor.headers["Authorization"].removeprefix("Bearer "))


def as_json(*arguments: str, code: int = 0) -> Any:
    ran = crossgate(*arguments, "--json")
    assert ran.returncode == code, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.usefixtures("api")
def test_the_list(telemetry: InMemoryTelemetryStore) -> None:
    assert crossgate("refusals") == CommandResult(0, "", "")
    telemetry.add_telemetry(batch(delta(SHOP, 30, variance=25.0), delta(PUT, 7)))

    listed = crossgate("refusals")

    assert listed.returncode == 1
    first, second = (line.split("\t") for line in listed.stdout.splitlines())
    assert first[:4] == [SHOP.id, "open", "30 ± 10", "0"]
    assert first[5:] == ["pets/1.0", "origin-refused", "preflight for GET", "https://shop.example.com"]
    assert second[-2:] == ["preflight for PUT", "https://app.example.com"]
    found = as_json("refusals", code=1)
    assert [one["id"] for one in found["items"]] == [SHOP.id, PUT.id]
    assert found["items"][0]["nearest"] == "http://shop.example.com"
    assert "next" not in found
    assert [one["id"] for one in as_json("refusals", "--reason", "method-refused", code=1)["items"]] == [
        PUT.id
    ]
    for since in ("1h", "2020-01-01", "2020-01-01T10:00:00Z"):
        assert len(as_json("refusals", "--since", since, code=1)["items"]) == 2
    assert as_json("refusals", "--state", "dismissed", "--api", "pets/1.0")["items"] == []


@pytest.mark.usefixtures("api")
def test_more_groups_than_a_page_has(telemetry: InMemoryTelemetryStore) -> None:
    groups = [delta(group_key(origin=f"https://n{number}.example"), number + 1) for number in range(1100)]
    telemetry.add_telemetry(batch(*groups))

    assert [one["count"] for one in as_json("refusals", code=1)["items"]] == list(range(1100, 0, -1))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--since", "yesterday"), "time-invalid"),
        (("--since", "99999999d"), "time-invalid"),
        (("--since", "999999w"), "time-invalid"),
        (("0123456789ab",), "not-found"),
        (("allow", "0123456789ab"), "not-found"),
        (("dismiss", "0123456789ab", "--reason", "bot"), "not-found"),
        (("--api", "none/1.0"), "not-found"),
    ],
)
@pytest.mark.usefixtures("api")
def test_wrong_use(arguments: tuple[str, ...], code: str) -> None:
    refused = crossgate("refusals", *arguments)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"[{code}]" in refused.stderr


@pytest.mark.usefixtures("api")
def test_wrong_options_exit_with_2() -> None:
    for arguments in (
        ["dismiss", SHOP.id],
        ["dismiss", SHOP.id, "--reason", "x"],
        ["--state", "x"],
        ["nobody"],
    ):
        assert crossgate("refusals", *arguments).returncode == 2, arguments
    assert crossgate("stats", "--by-hour", "--by-node").returncode == 2


@pytest.mark.usefixtures("api")
def test_one_group(telemetry: InMemoryTelemetryStore) -> None:
    telemetry.add_telemetry(batch(delta(SHOP, 30), delta(PUT, 7)))

    shown = crossgate("refusals", SHOP.id)

    assert shown.returncode == 1
    lines = shown.stdout.splitlines()
    assert lines[0] == "https://shop.example.com"
    for expected in (
        "request   preflight for GET",
        "The nearest allowed origin differs: scheme http, not https",
        "  allowed  http·://shop.example.com",
        "  refused  https://shop.example.com",
        "               ^",
        "1. Add https://shop.example.com to allowed_origins of pets/1.0",
        f"   crossgate refusals allow {SHOP.id} --change 1",
    ):
        assert expected in lines, (expected, shown.stdout)
    added = [one.strip() for one in lines if one.startswith("   +")]
    assert any(one.endswith("- https://shop.example.com") for one in added)
    # Options may come before the id.
    detail = crossgate("refusals", "--json", SHOP.id)
    assert json.loads(detail.stdout) == as_json("refusals", "show", SHOP.id, code=1)


def test_allow(api: AdminApi, telemetry: InMemoryTelemetryStore) -> None:
    telemetry.add_telemetry(batch(delta(SHOP, 30), delta(PUT, 7)))

    allowed = crossgate("refusals", "allow", SHOP.id, "-m", "the shop moved")

    assert allowed.returncode == 0, allowed.stderr
    assert allowed.stdout.startswith("Revision 2: ")
    assert f"{SHOP.id} allowed since revision 2: https://shop.example.com to pets/1.0" in allowed.stdout
    policy = api.viewer.get("/v1/apis/pets/1.0/policy").json()
    assert policy["allowed_origins"] == [
        "https://app.example.com",
        "http://shop.example.com",
        "https://shop.example.com",
    ]
    newest = api.admin.get("/v1/revisions").json()["items"][0]
    assert (newest["author"], newest["message"]) == ("test-editor", "the shop moved")
    again = crossgate("refusals", "allow", SHOP.id)
    assert (again.returncode, "[no-such-change]" in again.stderr) == (2, True)
    assert crossgate("refusals", "allow", PUT.id, "--change", "9").returncode == 2
    as_allowed = as_json("refusals", "allow", PUT.id)
    assert (as_allowed["revision"], as_allowed["refusal"]["state"]) == (3, "allowed")
    assert crossgate("refusals").returncode == 0
    # It returns after a change.
    api.editor.put(
        "/v1/apis/pets/1.0/policy", json=policy_entry("https://app.example.com"), headers={"If-Match": "*"}
    )
    telemetry.add_telemetry(batch(delta(SHOP, 1, ago=-1)))
    reopened = "reopened: refused since revision 3, allowed by revision 2"
    assert reopened in crossgate("refusals", SHOP.id).stdout
    for state in ("open", "reopened"):
        listed = as_json("refusals", "--state", state, code=1)["items"]
        assert [(one["id"], one["state"]) for one in listed] == [(SHOP.id, "reopened")], state
    assert as_json("refusals", "--state", "dismissed")["items"] == []


def test_allow_needs_the_state_that_was_seen(api: AdminApi, telemetry: InMemoryTelemetryStore) -> None:
    telemetry.add_telemetry(batch(delta(SHOP, 30)))
    path = f"/v1/refusals/{SHOP.id}"
    seen = api.editor.get(path).json()["changes"][0]["objects"][0]["etag"]
    refused = api.editor.post(f"{path}/allow", json={"change": 1}, headers={"If-Match": '"0123456789abcdef"'})
    assert (refused.status_code, refused.json()["found"]) == (412, seen)
    assert api.editor.post(f"{path}/allow", json={}).status_code == 428
    assert api.viewer.get(path).json()["state"] == "open"
    made = api.editor.post(f"{path}/allow", json={}, headers={"If-Match": f'"{seen}"'})
    assert (made.status_code, made.headers["Crossgate-Revision"]) == (200, "2")


def test_every_object_of_a_change_is_as_it_was_seen(
    api: AdminApi, telemetry: InMemoryTelemetryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = {"javascript_origins": ["https://web.example.com"], "apis": ["pets/1.0"]}
    assert api.editor.put("/v1/applications/web", json=web, headers=NEW).status_code == 201
    key = group_key(method="PUT")
    telemetry.add_telemetry(batch(delta(key, 3)))
    get, edits = AdminApiClient.get, ["https://second.example.com"]

    def get_before_an_edit(client: AdminApiClient, path: str, **query: QueryValue) -> ApiResponse:
        found = get(client, path, **query)
        while edits:
            edited = {**web, "javascript_origins": [edits.pop()]}
            assert api.editor.put("/v1/applications/web", json=edited, headers=ANY).status_code == 200
        return found

    monkeypatch.setattr(AdminApiClient, "get", get_before_an_edit)
    number = next(
        one["number"]
        for one in api.viewer.get(f"/v1/refusals/{key.id}").json()["changes"]
        if len(one["objects"]) == 2
    )
    refused = crossgate("refusals", "allow", key.id, "--change", str(number))
    assert (refused.returncode, "precondition-failed" in refused.stderr) == (2, True)
    assert crossgate("refusals", "allow", key.id, "--change", str(number)).returncode == 0


@pytest.mark.usefixtures("api")
def test_dismiss_and_reopen(telemetry: InMemoryTelemetryStore) -> None:
    telemetry.add_telemetry(batch(delta(SHOP, 30)))

    dismissed = crossgate("refusals", "dismiss", SHOP.id, "--reason", "bot", "--note", "a crawler")

    assert dismissed == CommandResult(
        0, f"{SHOP.id} dismissed (bot): https://shop.example.com to pets/1.0\n", ""
    )
    assert crossgate("refusals").returncode == 0
    assert "dismissed (bot), by test-editor at" in crossgate("refusals", SHOP.id).stdout
    assert crossgate("refusals", "reopen", SHOP.id).stdout.startswith(f"{SHOP.id} open: ")
    assert crossgate("refusals").returncode == 1


@pytest.mark.usefixtures("api")
def test_dismissing_combinations_that_are_not_kept_says_what_is_not_known(
    telemetry: InMemoryTelemetryStore,
) -> None:
    rest = group_key(method=CUT, headers=(CUT,))
    telemetry.add_telemetry(batch(delta(rest, 30)))
    dismissed = crossgate("refusals", "dismiss", rest.id, "--reason", "bot")
    assert dismissed.stdout.splitlines() == [
        f"{rest.id} dismissed (bot): https://shop.example.com to pets/1.0",
        "What else these requests ask for is not known",
    ]


def test_readiness_of_an_api_in_observe_mode(api: AdminApi) -> None:
    entry = api_entry(cors=policy_entry("https://app.example.com") | {"mode": "observe"})
    assert api.editor.put("/v1/apis/stock/2", json=entry, headers=NEW).status_code == 201

    assert "stock/2 is not ready to enforce" in crossgate("refusals", "--api", "stock/2").stdout
    assert as_json("refusals", "--api", "stock/2")["readiness"]["ready"] is False
    assert "readiness" not in as_json("refusals", "--api", "pets/1.0")


@pytest.mark.usefixtures("api")
def test_what_requests_sent_is_escaped(telemetry: InMemoryTelemetryStore) -> None:
    telemetry.add_telemetry(batch(delta(HOSTILE, 3)))
    for arguments in (
        ["refusals"],
        ["refusals", "--json"],
        ["refusals", HOSTILE.id],
        ["refusals", HOSTILE.id, "--json"],
        ["refusals", "dismiss", HOSTILE.id, "--reason", "attack"],
        ["refusals", "reopen", HOSTILE.id],
    ):
        output = crossgate(*arguments).stdout
        assert not {"\x1b", "\x07", "\u202e", "\ud800"} & set(output), arguments
        assert "\n=cmd()" not in output
    listed = crossgate("refusals").stdout
    assert len(listed.splitlines()) == 1
    assert r"https://\x1b]0;x\x07\x1b[31m\u202egro.elive\n=cmd()\ud800<b>" in listed


def test_the_patch_of_a_file(from_file: Path, telemetry: InMemoryTelemetryStore) -> None:
    telemetry.add_telemetry(batch(delta(SHOP, 30), delta(PUT, 7)))

    patch = crossgate("refusals", "allow", SHOP.id)

    assert patch.returncode == 0, patch.stderr
    in_json = as_json("refusals", "allow", SHOP.id)
    assert (in_json["file"], in_json["patch"]) == (str(from_file), patch.stdout)
    assert from_file.read_text(encoding="utf-8") == DOCUMENT
    lines = patch.stdout.splitlines()
    assert lines[:2] == [f"--- {from_file}", f"+++ {from_file}"]
    assert [one for one in lines[2:] if one[0] in "+-"] == ["+        - https://shop.example.com"]
    assert "         - https://app.example.com   # the app" in lines
    # The same diff, applied by a program that knows nothing of YAML.
    subprocess.run(["patch", "-s", str(from_file)], input=patch.stdout, text=True, check=True)
    catalogue = load_document(from_file).catalogue
    assert catalogue is not None
    policy = catalogue.apis["pets/1.0"].cors
    assert policy is not None
    assert policy.allowed_origins[-1] == ExactOrigin("https://shop.example.com")
    # It differs from what the gateway runs now.
    assert as_json("refusals", "allow", PUT.id)["patch"] is None
    other = crossgate("refusals", "allow", PUT.id)
    assert "by hand" in other.stderr
    assert "PUT" in other.stdout


@pytest.mark.parametrize(
    "text",
    [
        DOCUMENT.replace("# the app", "# the\tapp, \u202e and \xa0"),
        DOCUMENT.rstrip("\n"),
        DOCUMENT.replace("\n", "\r\n"),
    ],
)
def test_the_patch_fits_whatever_characters_the_file_has(
    from_file: Path, telemetry: InMemoryTelemetryStore, text: str
) -> None:
    telemetry.add_telemetry(batch(delta(SHOP, 30)))
    from_file.write_bytes(text.encode())
    command = [sys.executable, "-m", "crossgate", "refusals", "allow", SHOP.id]
    patch = subprocess.run(command, env={**os.environ, **ENVIRONMENT}, capture_output=True, check=True).stdout
    subprocess.run(["patch", "-s", "--binary", str(from_file)], input=patch, check=True)
    catalogue = load_document(from_file).catalogue
    assert catalogue is not None
    policy = catalogue.apis["pets/1.0"].cors
    assert policy is not None
    assert policy.allowed_origins[-1] == ExactOrigin("https://shop.example.com")


@pytest.mark.usefixtures("from_file")
def test_dismissals_work_with_a_file(telemetry: InMemoryTelemetryStore) -> None:
    telemetry.add_telemetry(batch(delta(SHOP, 30)))
    assert crossgate("refusals", "dismiss", SHOP.id, "--reason", "other").returncode == 0
    assert crossgate("refusals").returncode == 0


def test_follow(api: AdminApi, telemetry: InMemoryTelemetryStore, collected: Collected) -> None:
    telemetry.add_telemetry(batch(delta(SHOP, 30)))
    command = [sys.executable, "-m", "crossgate", "refusals", "--follow", "--json"]
    environment = {
        **ENVIRONMENT,
        "CROSSGATE_SERVER": api.url,
        "CROSSGATE_TOKEN": api.viewer.headers["Authorization"].removeprefix("Bearer "),
    }
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            assert (first["id"], first["count"]) == (SHOP.id, 30)
            collected.report(delta(PUT, 2))
            assert json.loads(process.stdout.readline())["id"] == PUT.id
        finally:
            process.terminate()


@pytest.mark.usefixtures("api")
def test_stats(telemetry: InMemoryTelemetryStore, collected: Collected) -> None:
    telemetry.add_telemetry(batch(counters={CounterKey("n1", "a", series()): 12}))
    collected.counters = {CounterKey("n1", "a", series()): 12}

    assert crossgate("stats").stdout == "12\tpets/1.0\tpreflight\torigin-refused\t/gateway/pets/1.0\n"
    assert as_json("stats", "--api", "pets/1.0", "--since", "1d")["items"][0]["decisions"] == 12
    assert crossgate("stats", "--by-node").stdout.endswith("\tn1\n")
    for option in ("--since", "--until"):
        refused = crossgate("stats", "--by-node", option, "7d")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "[period-by-node]" in refused.stderr
    assert "T" in crossgate("stats", "--by-hour").stdout.split("\t")[-1]
    assert as_json("stats", "--api", "none/1")["items"] == []


@pytest.mark.usefixtures("api")
def test_explain_by_request_id(collected: Collected) -> None:
    seen = SeenIn("/gateway/pets/1.0/list", ("Chrome",), ("cross-site",), ("cors",), ())
    collected.requests["r-1"] = RequestRecord(
        "r-1", now(), "n1", series(), 403, "OPTIONS", "https://shop.example.com", "GET", "", seen
    )

    explained = crossgate("explain", "--request-id", "r-1")

    assert explained.returncode == 0, explained.stderr
    assert "pets/1.0 decided preflight origin-refused on node n1" in explained.stdout
    assert "Under revision 1: origin-refused, 403" in explained.stdout
    assert "http://shop.example.com" in explained.stdout
    assert as_json("explain", "--request-id", "r-1")["request"]["node"] == "n1"
    missing = crossgate("explain", "--request-id", "none")
    assert (missing.returncode, "[request-not-kept]" in missing.stderr) == (2, True)
    for arguments in ([], ["--request-id", "r-1", "--origin", "x"], ["x.yaml", "--request-id", "r-1"]):
        assert crossgate("explain", *arguments).returncode == 2


@pytest.mark.usefixtures("api")
def test_a_misspelt_reason_is_no_empty_list(telemetry: InMemoryTelemetryStore) -> None:
    telemetry.add_telemetry(batch(delta(SHOP, 30)))
    refused = crossgate("refusals", "--reason", "origin-refsed")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "origin-refsed" in refused.stderr
    assert "[parameter-invalid]" in refused.stderr
    assert crossgate("refusals", "--reason", "origin-refused").returncode == 1


@pytest.mark.usefixtures("api")
def test_the_list_takes_a_filter_as_text(telemetry: InMemoryTelemetryStore) -> None:
    telemetry.add_telemetry(batch(delta(group_key()), delta(group_key(method="PUT"))))
    found = as_json("refusals", "--filter", "api:pets method:put", code=1)
    assert [one["method"] for one in found["items"]] == ["PUT"]
    ran = crossgate("refusals", "--filter", "pets:1")
    assert ran.returncode == 2
    assert "Did you mean api:pets?" in ran.stderr
