"""Hostile archives and assets: one clear refusal, in bounded memory, and never another exception."""

from __future__ import annotations

import json
import random
import struct
import tracemalloc
import zipfile
import zlib
from io import BytesIO
from typing import Any

import pytest
from tests.unit.importers.webmethods_exports import DATA, archive_of, file_source, zipped

from crossgate.diagnostics import InvalidInput
from crossgate.importers.build import build
from crossgate.importers.source import Source
from crossgate.importers.webmethods import archive, reader
from crossgate.importers.webmethods.archive import MAX_MEMBERS
from crossgate.importers.webmethods.reader import read_export, recognises_export
from crossgate.importers.webmethods.settings import read_settings

API = json.dumps({"apiName": "pets", "type": "REST", "id": "api", "policies": []})
TEAM = archive_of("team").data


def refusal(data: bytes) -> tuple[str, str, str | None]:
    source = Source("export.zip", data)
    with pytest.raises(InvalidInput) as refused:
        read_export(source)
    (one,) = refused.value.diagnostics
    assert one.remedy
    assert (one.place.file or "").startswith("export.zip")
    assert str(one).isprintable()
    return one.code, one.message, one.found


@pytest.mark.parametrize(
    "name",
    [
        "../API.1",
        "API/../../API.1",
        "/etc/API.1",
        "C:/API.1",
        "API\\API.1",
        "..\\API.1",
        "API/..",
        "a\nAPI.1",
        "\x1b[31mAPI.1",
    ],
)
def test_an_archive_with_a_name_that_is_no_asset_s_is_refused(name: str) -> None:
    assert refusal(zipped({"API/API.1/API.1": API, name: API}))[0] == "archive-name"


def test_a_name_with_nul_is_refused() -> None:
    data = zipped({"API/API.1xyz": API}).replace(b"API.1xyz", b"API.1\0yz")
    assert refusal(data)[0] in ("archive-name", "archive-damaged")


def test_a_name_that_is_in_the_archive_twice_is_refused() -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as written:
        written.writestr("API/API.1", API)
        with pytest.warns(UserWarning, match="Duplicate name"):
            written.writestr("API/API.1", API)
    assert refusal(buffer.getvalue())[0] == "archive-name"


def test_an_encrypted_archive_is_refused() -> None:
    data = bytearray(zipped({"API/API.1": API}))
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    assert refusal(bytes(data))[:2] == ("archive-encrypted", "the archive is encrypted")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 1, 9, 99])
def test_other_compressions_are_refused(method: int) -> None:
    data = bytearray(zipped({"API/API.1": API}))
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, at + 10, method)
    assert refusal(bytes(data))[0] in ("archive-method", "archive-damaged")


def test_a_file_that_unpacks_to_too_much_is_refused_in_bounded_memory() -> None:
    bomb = zipped({"API/API.1/API.1": b"[" + b" " * (20 * 2**20) + b"]"})
    assert len(bomb) < 40_000
    tracemalloc.start()
    try:
        code, message, found = refusal(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (code, found) == ("archive-ratio", "API/API.1/API.1")
    assert "200 times" in message
    assert peak < 2**23


def test_all_files_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED", 4 * 2**20)
    block = API.encode() + b" " * (2**20 - len(API))
    files = {f"API/API.{number}": block for number in range(4)}
    assert read_export(Source("export.zip", zipped(files))).apis
    assert refusal(zipped({**files, "API/API.4": API}))[0] == "archive-size"


def test_values_of_all_files_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_VALUES", 1000)
    block = json.dumps({"apiName": "pets", "id": "api", "policies": [[]] * 150})
    assert read_export(Source("export.zip", zipped({"API/API.1": block, "API/API.2": block}))).apis
    files = {f"API/API.{number}": block for number in range(4)}
    assert refusal(zipped(files))[:2] == ("archive-size", "the archive has too many values in its assets")


def test_overlapping_files_and_claimed_sizes_are_not_believed() -> None:
    """Each entry of the directory names the same data, and says that it has one byte."""
    one = zipped({"API/API.1": b" " * 2**20})
    at, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entry = bytearray(one[at:end])
    struct.pack_into("<L", entry, 24, 1)
    entries = b"".join(bytes(entry).replace(b"API.1", b"API.%d" % (number % 10)) for number in range(10))
    tail = bytearray(one[end:])
    struct.pack_into("<HHL", tail, 8, 10, 10, len(entries))
    code, _, _ = refusal(one[:at] + entries + bytes(tail))
    assert code.startswith("archive-")


def test_too_many_files_are_refused() -> None:
    files = dict.fromkeys((f"x/{number}" for number in range(MAX_MEMBERS + 1)), b"")
    code, message, _ = refusal(zipped(files))
    assert (code, message) == ("archive-size", "the archive has more than 10,000 files")


@pytest.mark.parametrize("length", [4, 20, 100, 1000, len(TEAM) // 2, len(TEAM) - 1, len(TEAM) - 22])
def test_a_truncated_archive_is_refused(length: int) -> None:
    code, message, _ = refusal(TEAM[:length])
    assert code == "archive-damaged"
    assert message == "the archive is damaged or cut off"


def test_a_wrong_checksum_is_told_with_the_file() -> None:
    data = zipped({"API/API.1": API})
    checksum = struct.pack("<L", zlib.crc32(API.encode()))
    with pytest.raises(InvalidInput) as refused:
        read_export(Source("export.zip", data.replace(checksum, b"\1\2\3\4")))
    assert refused.value.diagnostics[0].place.file == "export.zip:API/API.1"


def test_an_archive_in_the_archive_is_not_read() -> None:
    contents = read_export(Source("export.zip", zipped({"API/API.1": API, "more.zip": TEAM})))
    assert [api.name.value for api in contents.apis] == ["pets"]
    assert [one.code for one in contents.diagnostics if one.code.startswith("archive")] == ["archive-nested"]


def test_what_has_secrets_is_never_unpacked() -> None:
    data = zipped({"API/API.1": API, "PassmanData/PassmanData.x": "secret"})
    checksum = struct.pack("<L", zlib.crc32(b"secret"))
    assert read_export(Source("export.zip", data.replace(checksum, b"\1\2\3\4"))).apis


def test_an_asset_that_is_no_json_is_refused_at_its_place() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_export(Source("export.zip", zipped({"API/API.1/API.1": '{\n "apiName": "a" oops}'})))
    place = refused.value.diagnostics[0].place
    assert (place.file, place.line, place.column) == ("export.zip:API/API.1/API.1", 2, 17)


def test_another_zip_is_no_export() -> None:
    assert not recognises_export(Source("a.zip", zipped({"readme.txt": "hello"})))
    assert not recognises_export(Source("a.zip", b"PK\x03\x04 and no more"))
    assert recognises_export(Source("a.zip", TEAM))


ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    [],
    {},
    [[]],
    [None],
    {"a": None},
    "${x}",
    "*",
    ["x"],
    {"id": 1},
]


def mutated(node: object, chance: random.Random) -> object:
    """The value with one part replaced by something of any type."""
    if isinstance(node, dict) and node and chance.random() < 0.9:
        key = chance.choice(sorted(node))
        if chance.random() < 0.1:
            return {name: value for name, value in node.items() if name != key}
        return {**node, key: mutated(node[key], chance)}
    if isinstance(node, list) and node and chance.random() < 0.9:
        at = chance.randrange(len(node))
        return [*node[:at], mutated(node[at], chance), *node[at + 1 :]]
    return chance.choice(ODD)


def test_no_shape_of_assets_is_an_exception() -> None:
    chance = random.Random(15)  # noqa: S311
    assets = [
        json.loads(path.read_text()) for path in sorted((DATA / "team").rglob("*.*-*")) if path.is_file()
    ]
    assert len(assets) > 30
    for _ in range(60):
        document: object = assets
        for _ in range(chance.randrange(1, 20)):
            document = mutated(document, chance)
        source = Source("export.json", json.dumps(document).encode())
        recognises_export(source)
        try:
            build(read_export(source))
        except InvalidInput as refused:
            assert refused.diagnostics


def test_no_bytes_of_an_archive_are_another_exception() -> None:
    chance = random.Random(16)  # noqa: S311
    small = zipped({"API/API.1/API.1": API, "APIGatewayAssets.acdl": "<asset_composite/>"})
    for _ in range(600):
        data = bytearray(small)
        for _ in range(chance.randrange(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        source = Source("export.zip", bytes(data))
        recognises_export(source)
        try:
            read_export(source)
        except InvalidInput as refused:
            assert refused.diagnostics


def test_no_shape_of_settings_is_another_exception() -> None:
    chance = random.Random(17)  # noqa: S311
    settings = json.loads(file_source("settings/settings.json").data)
    for _ in range(100):
        source = Source("settings.json", json.dumps(mutated(settings, chance)).encode())
        try:
            build(read_settings(source))
        except InvalidInput as refused:
            assert refused.diagnostics


def test_deep_wrappers_are_bounded() -> None:
    deep = '{"api":' * 900 + API + "}" * 900
    with pytest.raises(InvalidInput):
        read_export(Source("export.json", deep.encode()))


def test_broken_json_of_megabytes_is_refused_without_another_parser() -> None:
    text = json.dumps([{"apiName": "pets", "x": "y" * 50}] * 50_000)
    with pytest.raises(InvalidInput) as refused:
        read_export(Source("export.json", text[:-1].encode()))
    assert [one.code for one in refused.value.diagnostics] == ["json-syntax"]
