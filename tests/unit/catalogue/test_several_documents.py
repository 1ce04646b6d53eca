"""Several files, directories and standard input, read as one catalogue."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from crossgate.catalogue.document import Reading, load_documents
from crossgate.diagnostics import Place

PETS = '{name: pets, version: "1.0", type: rest, native: "http://127.0.0.1:9101"}'
STOCK = '{name: stock, version: "2", type: soap, native: "http://127.0.0.1:9102"}'
SHOP = "{name: shop, javascript_origins: [https://shop.example], apis: [pets/1.0, stock/2]}"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(**texts: str) -> None:
    for name, text in texts.items():
        file = Path(name.replace("__", "/") + ".yaml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def read(*paths: str, stdin: str = "") -> Reading:
    return load_documents([Path(path) for path in paths], io.BytesIO(stdin.encode()))


def errors(*paths: str, stdin: str = "") -> list[str]:
    reading = read(*paths, stdin=stdin)
    assert (reading.catalogue is None) == bool(reading.diagnostics)
    return [str(one).partition(". ")[0] for one in reading.diagnostics]


def test_references_across_files() -> None:
    write(a=f"apis:\n  - {PETS}\n", b=f"applications:\n  - {SHOP}\napis:\n  - {STOCK}\n")
    catalogue = read("b.yaml", "a.yaml").catalogue
    assert catalogue is not None
    assert list(catalogue.apis) == ["stock/2", "pets/1.0"]
    assert errors("b.yaml") == [
        "b.yaml:2:69 $.applications[0].apis[0]: error: API not found (found pets/1.0)"
    ]


def test_a_duplicate_names_both_places() -> None:
    write(a=f"apis:\n  - {PETS}\n", b=f"apis:\n  - {STOCK}\n  - {PETS}\napplications: [{{name: x}}]\n")
    write(c="applications:\n\n  - name: x\n")
    assert errors("a.yaml", "b.yaml", "c.yaml") == [
        (
            "b.yaml:3:12 $.apis[1].name: error: an API with this name and version is already declared at"
            " a.yaml:2:12 (found pets/1.0)"
        ),
        (
            "c.yaml:3:11 $.applications[0].name: error: an application of this name is already declared at"
            " b.yaml:4:23 (found x)"
        ),
    ]


def test_conflicting_endpoints_name_both_places() -> None:
    write(a=f"apis:\n  - {PETS}\n", b=f"apis:\n  - {STOCK[:-1]}, endpoints: [/gateway/pets/1.0/c]}}\n")
    assert errors("a.yaml", "b.yaml") == [
        (
            "b.yaml:2:90 $.apis[0].endpoints[0]: error: endpoint lies inside /gateway/pets/1.0 of API"
            " pets/1.0 (a.yaml:2:12): a request could match both (found /gateway/pets/1.0/c)"
        )
    ]


def test_only_one_file_may_have_the_gateway_and_the_settings() -> None:
    write(a="gateway: {listen: 127.0.0.1:8080}\nsettings: {}\n", b="settings: {}\napis: []\ngateway: {}\n")
    assert errors("a.yaml", "b.yaml") == [
        "b.yaml:1:1 $.settings: error: settings is already declared at a.yaml:2:1 (found settings)",
        "b.yaml:3:1 $.gateway: error: gateway is already declared at a.yaml:1:1 (found gateway)",
    ]


def test_the_errors_of_all_files_come_at_once() -> None:
    write(
        a="apis: [", b=f"apis:\n  - {PETS.replace('rest', 'coffee')}\ntypo: 1\n", d="", e=f"apis: [{STOCK}]\n"
    )
    write(f="applications: [{name: x, apis: [of-a-broken-file/1]}]\n")
    found = read("a.yaml", "b.yaml", "c.yaml", "d.yaml", "e.yaml", "f.yaml").diagnostics
    assert [(one.place.file, one.place.line, one.code) for one in found] == [
        ("a.yaml", 2, "yaml-syntax"),
        ("b.yaml", 2, "wrong-type"),
        ("b.yaml", 3, "unknown-key"),
        ("c.yaml", None, "file-unreadable"),
        ("d.yaml", 1, "document-empty"),
    ]


def test_findings_are_located_in_their_own_file() -> None:
    write(a=f"apis:\n  - {PETS}\n", b=f"gateway: {{}}\napis:\n  - {STOCK}\n", c=f"applications: [{SHOP}]\n")
    reading = read("c.yaml", "a.yaml", "b.yaml")
    located = [reading.locate(place) for place in (_place("apis", 1, "native"), _place("gateway"))]
    assert [str(place) for place in located] == ["b.yaml:3:53 $.apis[0].native", "b.yaml:1:10 $.gateway"]
    assert reading.declares("gateway")
    assert not reading.declares("settings")


def _place(*path: str | int) -> Place:
    return Place(path)


def test_a_directory_is_read_with_its_subdirectories_and_without_hidden_files(folder: Path) -> None:
    write(
        gateway__z="applications: []\n",
        gateway__teams__b__apis=f"apis: [{STOCK}]\n",
        gateway__teams__a__apis=f"apis: [{PETS}]\n",
    )
    (folder / "gateway/.hidden.yaml").write_text("typo")
    (folder / "gateway/.git").mkdir()
    (folder / "gateway/.git/config.yaml").write_text("typo")
    (folder / "gateway/README.md").write_text("typo")
    (folder / "gateway/teams/c.YML").write_text("settings: {}\n")
    reading = read("gateway")
    assert reading.names == (
        "gateway/teams/a/apis.yaml",
        "gateway/teams/b/apis.yaml",
        "gateway/teams/c.YML",
        "gateway/z.yaml",
    )
    assert reading.catalogue is not None
    assert len(reading.catalogue.apis) == 2


def test_a_file_that_is_named_twice_is_read_once() -> None:
    write(gateway__a=f"apis: [{PETS}]\n")
    assert read("gateway/a.yaml", "gateway", "./gateway/a.yaml", "gateway").names == ("gateway/a.yaml",)


def test_a_directory_without_documents(folder: Path) -> None:
    (folder / "empty").mkdir()
    assert errors("empty") == ["empty: error: no YAML file in the directory (found empty)"]


def test_a_link_out_of_a_directory_is_not_read(folder: Path) -> None:
    write(secret="password", gateway__teams__a=f"apis: [{PETS}]\n")
    (folder / "gateway/b.yaml").symlink_to(folder / "secret.yaml")
    (folder / "gateway/c.yaml").symlink_to("teams/a.yaml")
    (folder / "gateway/d.yaml").symlink_to("nowhere.yaml")
    found = read("gateway").diagnostics
    assert [(one.place.file, one.code) for one in found] == [
        ("gateway/b.yaml", "file-refused"),
        ("gateway/d.yaml", "file-unreadable"),
    ]
    assert "password" not in str(found)


def test_a_link_to_a_directory_is_not_overlooked(folder: Path) -> None:
    write(gateway__a=f"apis: [{PETS}]\n", shared__b=f"apis: [{STOCK}]\n")
    (folder / "gateway/shared").symlink_to("../shared")
    (folder / "gateway/loop").symlink_to(".")
    (folder / "gateway/.hidden").symlink_to("../shared")
    assert errors("gateway") == [
        f"{path}: error: a link to a directory, which is not followed (found {path})"
        for path in ("gateway/loop", "gateway/shared")
    ]


def test_standard_input() -> None:
    write(a=f"apis: [{PETS}]\n")
    reading = read("a.yaml", "-", stdin=f"apis:\n- {STOCK}\n")
    assert reading.catalogue is not None
    assert reading.names == ("a.yaml", "<stdin>")
    assert [stamp.path.name for stamp in reading.files] == ["a.yaml"]
    assert errors("-", stdin="apis: 1") == ["<stdin>:1:7 $.apis: error: expected a list (found 1)"]
    assert errors("-", stdin="\udcff".encode("utf-8", "surrogatepass").decode("latin-1"))


def test_relative_paths_count_from_the_file_that_has_them(folder: Path) -> None:
    write(
        one__gateway="gateway: {native_ca: roots.pem}\n",
        two__settings="settings:\n  watt.server.cors.enabled: true\n"
        "  watt.server.cors.allowedOrigins: file:origins.txt\n",
    )
    (folder / "two/origins.txt").write_text("https://a.example\n")
    catalogue = read("one", "two").catalogue
    assert catalogue is not None
    assert catalogue.gateway.native_ca == str(folder / "one/roots.pem")
    assert catalogue.server_policy is not None
    catalogue = read("-", stdin="gateway: {native_ca: roots.pem}\n").catalogue
    assert catalogue is not None
    assert catalogue.gateway.native_ca == str(folder / "roots.pem")
