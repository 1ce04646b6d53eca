"""Opening the documents of an import, and those to which they refer."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from crossgate.catalogue.named_file import MAX_BYTES
from crossgate.cli.import_sources import MAX_DOCUMENTS, SourceOpener
from crossgate.cli.remote_documents import RemoteDocument
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.importers.source import Source


class Remote:
    """Answers with documents by their URLs, each after a redirect if there is one."""

    def __init__(self, documents: dict[str, bytes], redirects: dict[str, str] | None = None) -> None:
        self.documents = documents
        self.redirects = redirects or {}
        self.fetched: list[tuple[str, str, bool]] = []

    def __call__(self, url: str, base: str, *, named_by_user: bool = False) -> RemoteDocument:
        self.fetched.append((url, base, named_by_user))
        url = self.redirects.get(url, url)
        return RemoteDocument(url, self.documents[url])


def named(opener: SourceOpener, name: str, stdin: bytes = b"") -> Source:
    return opener.open_named(name, io.BytesIO(stdin))


def refused(source: Source, reference: str) -> Diagnostic:
    with pytest.raises(InvalidInput) as error:
        source.open(reference)
    (one,) = error.value.diagnostics
    assert one.place.file == source.name
    assert one.found == reference
    return one


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "api/main.yaml",
        "api/parts/pet.yaml",
        "api/parts/a b.yaml",
        "shared/common.yaml",
        "secret.yaml",
    ):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"name: {name}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_references_lead_to_files_below_the_folder_of_the_document() -> None:
    main = named(SourceOpener(), "api/main.yaml")
    assert (main.name, main.data) == ("api/main.yaml", b"name: api/main.yaml\n")
    pet = main.open("parts/pet.yaml")
    assert (pet.name, pet.data) == ("api/parts/pet.yaml", b"name: api/parts/pet.yaml\n")
    assert pet.open("a%20b.yaml").data == b"name: api/parts/a b.yaml\n"
    assert pet.open("../main.yaml") is main
    assert pet.open("./../parts/pet.yaml") is pet
    assert main.open("parts/../parts/pet.yaml") is pet


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("../secret.yaml", "not below the document's folder"),
        ("parts/../../secret.yaml", "not below the document's folder"),
        ("%2e%2e/secret.yaml", "not below the document's folder"),
        ("../none.yaml", "not below the document's folder"),
        ("link.yaml", "not below the document's folder"),
        ("linked/secret.yaml", "not below the document's folder"),
        ("/etc/passwd", "absolute path"),
        ("%2fetc/passwd", "absolute path"),
        ("file:///etc/passwd", "only relative references"),
        ("file:parts/pet.yaml", "only relative references"),
        ("//docs.example/pet.yaml", "only relative references"),
        ("data:,a", "only relative references"),
        ("http://[/", "invalid reference"),
        ("parts/pet.yaml?x", "a file has no query"),
        ("none.yaml", "file not found"),
        ("parts", "not a regular file"),
        ("", "not a regular file"),
        ("a%00b", "invalid path"),
        pytest.param("../" * 2000, "longer than 4096 characters", id="long"),
        ("http://docs.example/pet.yaml", "not followed"),
        ("HTTPS://docs.example/pet.yaml", "not followed"),
    ],
)
def test_other_references_are_refused(folder: Path, reference: str, message: str) -> None:
    (folder / "api/link.yaml").symlink_to(folder / "secret.yaml")
    (folder / "api/linked").symlink_to(folder)
    assert message in refused(named(SourceOpener(), "api/main.yaml"), reference).message


def test_a_root_widens_where_references_may_lead(folder: Path) -> None:
    main = named(SourceOpener(root=folder), "api/main.yaml")
    common = main.open("../shared/common.yaml")
    assert (common.name, common.data) == ("shared/common.yaml", b"name: shared/common.yaml\n")
    assert refused(main, "../../other.yaml").code == "reference-refused"
    narrow = named(SourceOpener(root=folder / "shared"), "api/main.yaml")
    assert "not below" in refused(narrow, "parts/pet.yaml").message


@pytest.mark.usefixtures("folder")
def test_one_document_does_not_open_the_folder_of_another() -> None:
    opener = SourceOpener()
    main, common = named(opener, "api/main.yaml"), named(opener, "shared/common.yaml")
    assert "not below" in refused(main, "../shared/common.yaml").message
    assert common.open("common.yaml") is common


@pytest.mark.usefixtures("folder")
def test_standard_input_leads_to_files_only_below_a_root() -> None:
    source = named(SourceOpener(), "-", b"a: 1\n")
    assert (source.name, source.data) == ("<stdin>", b"a: 1\n")
    assert "--root" in refused(source, "secret.yaml").remedy
    rooted = named(SourceOpener(root=Path("api")), "-", b"a: 1\n")
    pet = rooted.open("parts/pet.yaml")
    assert pet.name == "parts/pet.yaml"
    assert pet.open("../main.yaml").data == b"name: api/main.yaml\n"
    assert "not below" in refused(rooted, "../secret.yaml").message


@pytest.mark.usefixtures("folder")
def test_remote_references_with_the_option() -> None:
    remote = Remote({"https://docs.example/a/pet.yaml": b"pet", "https://docs.example/b.yaml": b"b"})
    main = named(SourceOpener(remote=True, fetch=remote), "api/main.yaml")
    pet = main.open("https://docs.example/a/pet.yaml#/x")
    assert (pet.name, pet.data) == ("https://docs.example/a/pet.yaml", b"pet")
    assert pet.open("../b.yaml").data == b"b"
    assert pet.open("//docs.example/b.yaml") is main.open("https://docs.example/b.yaml")
    assert [url for url, _, _ in remote.fetched] == [*remote.documents]
    assert "may not refer to a file" in refused(pet, "file:///etc/passwd").message
    assert refused(pet, "data:,a").code == "reference-refused"


@pytest.mark.usefixtures("folder")
def test_references_of_a_redirected_document_count_from_the_last_url() -> None:
    remote = Remote(
        {"https://docs.example/v2/api.yaml": b"api", "https://docs.example/v2/pet.yaml": b"pet"},
        {"https://docs.example/latest": "https://docs.example/v2/api.yaml"},
    )
    opener = SourceOpener(remote=True, fetch=remote)
    source = named(opener, "https://docs.example/latest")
    assert source.name == "https://docs.example/v2/api.yaml"
    assert source.open("pet.yaml").data == b"pet"
    assert source.open("api.yaml") is source.open("/latest") is source
    assert [by_user for _, _, by_user in remote.fetched] == [True, False]


@pytest.mark.usefixtures("folder")
def test_a_url_of_the_user_needs_the_option_for_its_references() -> None:
    remote = Remote({"http://127.0.0.1/api.yaml": b"api"})
    source = named(SourceOpener(fetch=remote), "http://127.0.0.1/api.yaml")
    assert source.open("api.yaml") is source
    assert "--remote" in refused(source, "pet.yaml").remedy


def test_the_number_of_referenced_documents_is_bounded(folder: Path) -> None:
    for number in range(MAX_DOCUMENTS + 1):
        (folder / f"api/{number}.yaml").write_bytes(b"")
    main = named(SourceOpener(), "api/main.yaml")
    for number in [*range(MAX_DOCUMENTS), *range(MAX_DOCUMENTS)]:
        main.open(f"{number}.yaml")
    assert refused(main, f"{MAX_DOCUMENTS}.yaml").code == "document-limit"


def test_the_size_of_all_referenced_documents_is_bounded(folder: Path) -> None:
    for name in ("a", "b", "c"):
        with (folder / "api" / name).open("wb") as file:
            file.truncate(MAX_BYTES)
    main = named(SourceOpener(), "api/main.yaml")
    main.open("a")
    main.open("b")
    assert "32 MiB together" in refused(main, "c").message


def test_documents_that_are_too_large_or_cannot_be_read(folder: Path) -> None:
    with (folder / "api/large").open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    def code(action: Any) -> str:
        with pytest.raises(InvalidInput) as error:
            action()
        return error.value.diagnostics[0].code

    opener = SourceOpener()
    main = named(opener, "api/main.yaml")
    assert code(lambda: main.open("large")) == "file-size"
    assert code(lambda: named(opener, "api/large")) == "file-size"
    assert code(lambda: named(opener, "-", bytes(MAX_BYTES + 1))) == "file-size"
    assert code(lambda: named(opener, "none")) == "file-unreadable"
    assert code(lambda: named(opener, "api")) == "file-unreadable"
    assert code(lambda: named(opener, "a\0b")) == "file-unreadable"
