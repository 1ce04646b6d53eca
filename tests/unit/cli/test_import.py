"""``crossgate import``: documents in, a document and a report out."""

from __future__ import annotations

import io
import json
import sys
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from tests.command import CommandResult, crossgate

from crossgate.catalogue.document import load_document
from crossgate.catalogue.serialise import api_to_dict
from crossgate.cli import import_target
from crossgate.cli.import_target import read_target, write_target
from crossgate.diagnostics import InvalidInput
from crossgate.importers.commented import write_commented
from crossgate.importers.merge import merge_imported
from crossgate.importers.source import Source
from crossgate.service.imports import import_sources

PETS = """\
openapi: 3.0.3
info: {title: pets, version: "1"}
servers: [{url: https://pets.example.com/v1}]
paths:
  /pets:
    get:
      parameters: [{name: X-Trace, in: header, schema: {type: string}}]
      responses: {"200": {description: ok}}
"""
ORIGIN = ("--origin", "https://app.example.com")
OWN = """\
# The shop's gateway
gateway:
  listen: 127.0.0.1:8081   # behind the balancer

apis:
  # Do not touch
  - name: users
    version: "1"
    type: rest
    native: https://users.example.com

applications: []
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pets.yaml").write_text(PETS, encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str | Path) -> CommandResult:
    return crossgate("import", *arguments, cwd=folder)


def imported(folder: Path, *arguments: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(folder, *arguments, "--json").stdout)
    return found


def api(file: Path, key: str) -> dict[str, Any]:
    catalogue = load_document(file).catalogue
    assert catalogue is not None
    return api_to_dict(catalogue.apis[key])


def test_the_document_goes_to_standard_output_and_the_report_to_standard_error(folder: Path) -> None:
    result = run(folder, "pets.yaml", *ORIGIN)
    assert result.returncode == 0
    (folder / "gateway.yaml").write_text(result.stdout, encoding="utf-8")
    assert api(folder / "gateway.yaml", "pets/1")["cors"] == {
        "allowed_origins": ["https://app.example.com"],
        "allowed_methods": ["GET"],
        "allow_headers": ["X-Trace"],
    }
    assert "  # pets.yaml:7: header parameter" in result.stdout
    assert result.stderr.startswith(
        "pets.yaml: openapi (recognised)\n\n"
        "API pets/1: added (https://pets.example.com/v1, 1 origin, 1 method)\n\n"
    )
    assert result.stderr.endswith("\nImported: 1 added, 0 changed, 0 kept (1 info)\n")
    assert crossgate("check", "gateway.yaml", cwd=folder).returncode == 0


def test_each_value_has_its_place_and_reason_in_a_verbose_report(folder: Path) -> None:
    report = run(folder, "pets.yaml", *ORIGIN, "--verbose").stderr
    assert "cors.allow_headers\tX-Trace\tpets.yaml:7:27 $.paths['/pets'].get.parameters[0].name\t" in report
    assert "cors.allowed_origins\thttps://app.example.com\t\t--origin\n" in report


def test_many_objects_make_a_short_report(folder: Path) -> None:
    services = "".join(
        f"""
- name: service-{number}
  url: http://service-{number}.internal
  routes: [{{paths: [/service-{number}]}}]
  plugins:
  - {{name: cors, config: {{origins: ["https://app.example.com", "app{number % 2}.example.com"]}}}}"""
        for number in range(60)
    )
    (folder / "kong.yaml").write_text(f'_format_version: "3.0"\nservices:{services}\n', encoding="utf-8")
    short = run(folder, "kong.yaml", "-o", "gateway.yaml").stdout.splitlines()
    assert sum(line.startswith("API ") for line in short) == 50
    assert "and 10 more: set --verbose to list them" in short
    warnings = [line for line in short if ": warning: " in line]
    # Other values are other warnings, and the most serious ones come last.
    assert [line.count("(and at 29 other places)") for line in warnings] == [1, 1]
    assert all(f"app{number}.example.com" in line for number, line in enumerate(warnings))
    assert short.index(warnings[0]) > max(at for at, line in enumerate(short) if ": info: " in line)
    assert short[-2].startswith("gateway.yaml: written: 60 added, 0 changed, 0 kept (60 warnings, ")
    long = run(folder, "kong.yaml", "--verbose").stderr.splitlines()
    assert sum(line.startswith("API ") for line in long) == 60
    assert sum(": warning: " in line for line in long) == 60


def test_a_new_file_is_written_and_the_same_again_changes_nothing(folder: Path) -> None:
    file = folder / "gateway.yaml"
    first = run(folder, "openapi", "pets.yaml", *ORIGIN, "-o", "gateway.yaml")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("pets.yaml: openapi (named)\n")
    assert "gateway.yaml: written: 1 added, 0 changed, 0 kept" in first.stdout
    assert first.stdout.endswith(
        "Next: crossgate check gateway.yaml, then crossgate run gateway.yaml, "
        "or crossgate plan gateway.yaml for a running gateway\n"
    )
    before = file.stat().st_mtime_ns, file.stat().st_ino, file.read_bytes()
    for update in ((), ("--update",)):
        again = run(folder, "pets.yaml", *ORIGIN, "-o", "gateway.yaml", *update)
        assert "gateway.yaml: no changes: 0 added, 0 changed, 1 kept" in again.stdout
        assert "API pets/1: exists, with the same values" in again.stdout
        assert (file.stat().st_mtime_ns, file.stat().st_ino, file.read_bytes()) == before


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_an_existing_file_keeps_its_lines_and_its_mode(folder: Path, end: str, mark: bytes) -> None:
    file = folder / "gateway.yaml"
    file.write_bytes(mark + OWN.replace("\n", end).encode())
    file.chmod(0o640)
    assert run(folder, "pets.yaml", "-o", "gateway.yaml").returncode == 0
    text = file.read_bytes()
    head, _, tail = OWN.partition("\napplications")
    assert text.startswith(mark + head.replace("\n", end).encode())
    assert text.endswith(f"{end}applications{tail}".replace("\n", end).replace("\r\r", "\r").encode())
    assert text.count(b"\r\n") == (text.count(b"\n") if end == "\r\n" else 0)
    assert file.stat().st_mode & 0o777 == 0o640
    assert api(file, "pets/1")["native"] == "https://pets.example.com/v1"
    assert api(file, "users/1")["native"] == "https://users.example.com"
    assert [one.name for one in folder.iterdir() if one.name.startswith(".")] == []


def test_an_existing_api_stays_and_its_differences_are_listed(folder: Path) -> None:
    file = folder / "gateway.yaml"
    run(folder, "pets.yaml", *ORIGIN, "-o", "gateway.yaml")
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("https://pets.example.com/v1", "https://own.example.com", 1), encoding="utf-8"
    )
    text = file.read_text(encoding="utf-8")
    kept = run(folder, "pets.yaml", "-o", "gateway.yaml")
    assert file.read_text(encoding="utf-8") == text
    assert (
        "API pets/1: exists, and stays\n    native: https://own.example.com -> https://pets.example.com/v1\n"
    ) in kept.stdout
    assert "Set --update to take over" in kept.stdout
    updated = run(folder, "pets.yaml", "-o", "gateway.yaml", "--update")
    assert "gateway.yaml: written: 0 added, 1 changed, 0 kept" in updated.stdout
    assert "API pets/1: changed (https://pets.example.com/v1, 1 origin, " in updated.stdout
    # The origins that it keeps count.
    assert "empty-policy" not in updated.stdout
    assert "maxage-unset" in updated.stdout
    assert api(file, "pets/1")["native"] == "https://pets.example.com/v1"
    assert api(file, "pets/1")["cors"]["allowed_origins"] == ["https://app.example.com"]


def test_an_api_that_exists_needs_no_native_service(folder: Path) -> None:
    (folder / "pets.yaml").write_text(PETS.replace("servers", "x-servers"), encoding="utf-8")
    native = ("--native", "https://own.example.com")
    assert run(folder, "pets.yaml", "-o", "gateway.yaml").returncode == 2
    assert run(folder, "pets.yaml", *native, "-o", "gateway.yaml").returncode == 0
    for update in ((), ("--update",)):
        again = run(folder, "pets.yaml", "-o", "gateway.yaml", *update)
        assert "API pets/1: exists, with the same values" in again.stdout
    assert run(folder, "pets.yaml", "--name", "other", "-o", "gateway.yaml").returncode == 2


def test_an_update_keeps_comments_and_what_the_source_does_not_state(folder: Path) -> None:
    file = folder / "gateway.yaml"
    file.write_text(
        "apis:\n"
        "  - name: pets   # ours\n"
        '    version: "1"\n'
        "    type: rest\n"
        "    native: https://own.example.com   # moved\n"
        "    owner: Ann   # asks first\n"
        "    cors:\n"
        "      allowed_origins: [https://shop.example.com]\n"
        "      allowed_methods:\n"
        "        - PUT   # gone\n"
        "      max_age: 60\n",
        encoding="utf-8",
    )
    assert run(folder, "pets.yaml", "-o", "gateway.yaml", "--update").returncode == 0
    assert file.read_text(encoding="utf-8") == (
        "apis:\n"
        "  - name: pets   # ours\n"
        '    version: "1"\n'
        "    type: rest\n"
        "    native: https://pets.example.com/v1   # moved\n"
        "    owner: Ann   # asks first\n"
        "    cors:\n"
        "      allowed_origins: [https://shop.example.com]\n"
        "      allowed_methods:\n"
        "        - GET   # gone\n"
        "      max_age: 60\n"
        "      allow_headers: [X-Trace]\n"
    )


def test_everything_as_json(folder: Path) -> None:
    found = imported(folder, "pets.yaml", *ORIGIN)
    assert found["sources"] == [{"name": "pets.yaml", "kind": "openapi", "guessed": True}]
    assert found["document"]["apis"][0]["name"] == "pets"
    trace = next(one for one in found["taken"] if one["value"] == "X-Trace")
    assert trace == {
        "path": "$.apis[0].cors.allow_headers[0]",
        "value": "X-Trace",
        "reason": trace["reason"],
        "places": 1,
        "file": "pets.yaml",
        "line": 7,
        "column": 27,
        "source_path": "$.paths['/pets'].get.parameters[0].name",
    }
    assert "GET /pets" in trace["reason"]
    assert [one["code"] for one in found["findings"]] == ["maxage-unset"]
    assert found["findings"][0]["document_path"].startswith("$.apis[0].cors")
    assert (found["file"], found["written"], found["kept"], found["left_out"]) == (None, False, [], [])


def test_an_unsafe_origin_is_left_out_and_is_a_warning(folder: Path) -> None:
    unsafe = "--origin=https://*.github.io"
    result = run(folder, "pets.yaml", unsafe, *ORIGIN, "-o", "gateway.yaml")
    assert result.returncode == 1
    text = (folder / "gateway.yaml").read_text(encoding="utf-8")
    assert "# left out, from --origin" in text
    assert api(folder / "gateway.yaml", "pets/1")["cors"]["allowed_origins"] == ["https://app.example.com"]
    assert "error" not in crossgate("check", "gateway.yaml", cwd=folder).stdout
    found = imported(folder, "pets.yaml", unsafe)
    assert [one["value"] for one in found["left_out"]] == ["https://*.github.io"]
    assert found["left_out"][0]["findings"][0]["severity"] == "error"
    before = (folder / "gateway.yaml").read_bytes()
    assert run(folder, "pets.yaml", unsafe, *ORIGIN, "-o", "gateway.yaml", "--update").returncode == 1
    assert (folder / "gateway.yaml").read_bytes() == before


def test_a_file_with_the_name_of_a_kind(folder: Path) -> None:
    (folder / "openapi").write_text(PETS, encoding="utf-8")
    for arguments in (("openapi",), ("openapi", "openapi"), ("./openapi", "./openapi")):
        assert "API pets/1: added (" in run(folder, *arguments).stderr


@pytest.mark.parametrize(
    ("natives", "expected"),
    [
        (["https://a.example.com/x=y"], "https://a.example.com/x=y"),
        (["pets=https://b.example.com", "https://a.example.com"], "https://b.example.com"),
        (["pets/1=https://b.example.com/x=y"], "https://b.example.com/x=y"),
    ],
)
def test_natives_of_one_api_and_of_all_others(folder: Path, natives: list[str], expected: str) -> None:
    options = [word for one in natives for word in ("--native", one)]
    assert imported(folder, "pets.yaml", *options)["document"]["apis"][0]["native"] == expected


def test_name_version_and_mode(folder: Path) -> None:
    found = imported(folder, "pets.yaml", "--name", "animals", "--api-version", "2", "--observe")
    raw = found["document"]["apis"][0]
    assert (raw["name"], raw["version"], raw["cors"]["mode"]) == ("animals", "2", "observe")


def test_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PETS.encode())))
    result = run(folder, "-", "-o", "-")
    assert result.returncode == 0, result.stderr
    assert "- name: pets  # <stdin>:2: " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.yaml"], "file not found"),
        (["opnapi", "pets.yaml"], "or name a kind: openapi"),
        (["pets.yaml", "--update"], "--update changes objects that exist"),
        (["pets.yaml", "--plan", "-o", "gateway.yaml"], "--plan writes no file"),
        (
            ["pets.yaml", "--native", "a=https://a.example", "--native", "a=https://b.example"],
            "given twice for a",
        ),
        (["pets.yaml", "--native", "nothing"], "--native"),
        (["pets.yaml", "--plan"], "requires a token"),
        (["pets.yaml", "-o", "none/gateway.yaml"], "cannot be written"),
        (["pets.yaml", "-o", "."], "this is a directory"),
        (["pets.yaml", "-o", "/dev/null"], "not a regular file"),
        (["pets.yaml", "-o", "pets.yaml"], "pets.yaml: error: not a Crossgate document"),
        (["pets.yaml", "--root", "none"], "--root is not a directory"),
        (["openapi"], "Name a document after it: openapi is a kind of document"),
        (["pets.yaml", "openapi"], "Name it once, before the documents: openapi is a kind"),
        (["ftp://example.com/pets.yaml"], "only http and https URLs are fetched"),
    ],
)
def test_wrong_usage(
    folder: Path, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CROSSGATE_TOKEN", raising=False)
    result = run(folder, *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert [one.name for one in folder.iterdir()] == ["pets.yaml"]


def test_errors_are_printed_after_the_warnings(folder: Path) -> None:
    kong = """\
        _format_version: "3.0"
        services:
        - {name: a, protocol: grpc, host: a.internal, routes: [{paths: [/a]}]}
        - name: b
          url: https://b.internal
          routes: [{paths: [/b]}]
          plugins: [{name: cors, config: {origins: ["*"], credentials: true}}]
        """
    (folder / "kong.yaml").write_text(dedent(kong), encoding="utf-8")
    result = run(folder, "kong.yaml")
    assert result.returncode == 2
    severities = [line.split(": ")[1] for line in result.stderr.splitlines()]
    assert severities[-1] == "error"
    assert set(severities[:-1]) == {"warning", "info"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("apis: [\n", "[yaml-syntax]"),
        ("apis: []\nmore: 1\n", "gateway.yaml:2:1"),
        ('{"name": "shop", "version": "1.0.0"}\n', "gateway.yaml: error: not a Crossgate document"),
        ("<!doctype html><html></html>\n", "gateway.yaml: error: not a Crossgate document"),
        (
            OWN.replace("version", "endpoints: [/gateway/pets/1/x]\n    version"),
            "apis: users/1, which exists",
        ),
        (OWN.replace("127.0.0.1:8081", "127.0.0.1:9"), "pets.yaml:3:17 $.servers[0].url: error: the native"),
        ('{"apis": []}\n', "a JSON document"),
        ("{apis: []}\n", "a document in braces"),
    ],
)
def test_a_file_to_which_nothing_can_be_added_stays_as_it_is(folder: Path, text: str, message: str) -> None:
    (folder / "gateway.yaml").write_text(text, encoding="utf-8")
    described = PETS.replace("https://pets.example.com", "http://127.0.0.1:9")
    (folder / "pets.yaml").write_text(described, encoding="utf-8")
    result = run(folder, "pets.yaml", "-o", "gateway.yaml")
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert (folder / "gateway.yaml").read_text(encoding="utf-8") == text
    assert sorted(one.name for one in folder.iterdir()) == ["gateway.yaml", "pets.yaml"]


def test_a_file_that_changes_meanwhile_is_not_overwritten(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "gateway.yaml"
    file.write_text(OWN, encoding="utf-8")

    def save_meanwhile(found: Any) -> str:
        file.write_text("apis: []\n", encoding="utf-8")
        return write_commented(found)

    monkeypatch.setattr(import_target, "write_commented", save_meanwhile)
    result = run(folder, "pets.yaml", "-o", "gateway.yaml")
    assert result.returncode == 2
    assert "has changed" in result.stderr
    assert file.read_text(encoding="utf-8") == "apis: []\n"


def test_two_imports_at_once_lose_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = read_target(folder / "gateway.yaml")
    replace = Path.replace
    others: list[Future[bool]] = []

    def write(name: str) -> bool:
        source = Source("x.yaml", PETS.replace("title: pets", f"title: {name}").encode())
        return write_target(target, merge_imported(target.catalogue, import_sources([source])))

    def begin_another(temporary: Path, path: Path) -> Path:
        if not others:
            others.append(pool.submit(write, "orders"))
            wait(others, timeout=0.3)
        return replace(temporary, path)

    monkeypatch.setattr(Path, "replace", begin_another)
    with ThreadPoolExecutor() as pool:
        assert write("pets")
        with pytest.raises(InvalidInput, match="has changed"):
            others[0].result(30)
    assert api(folder / "gateway.yaml", "pets/1")["name"] == "pets"


def test_a_link_stays_a_link(folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "real/gateway.yaml").write_text(OWN, encoding="utf-8")
    (folder / "gateway.yaml").symlink_to("real/gateway.yaml")
    assert run(folder, "pets.yaml", "-o", "gateway.yaml").returncode == 0
    assert (folder / "gateway.yaml").is_symlink()
    assert api(folder / "real/gateway.yaml", "pets/1")["name"] == "pets"


def test_an_empty_file_is_a_new_one(folder: Path) -> None:
    (folder / "gateway.yaml").touch(0o600)
    assert run(folder, "pets.yaml", "-o", "gateway.yaml").returncode == 0
    assert (folder / "gateway.yaml").stat().st_mode & 0o777 == 0o600


def test_a_title_cannot_control_the_terminal(folder: Path) -> None:
    (folder / "pets.yaml").write_text(
        PETS.replace("title: pets", r'title: "pets \e[31m\u202e"'), encoding="utf-8"
    )
    result = run(folder, "pets.yaml")
    assert "\x1b" not in result.stdout + result.stderr
    assert "\u202e" not in result.stdout + result.stderr
