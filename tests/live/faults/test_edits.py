"""Good and bad edits of the document while clients send requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from tests.command import running_gateway
from tests.live.faults.document import PREFLIGHT, SIMPLE, Document, save, version_of
from tests.live.faults.load import load
from tests.raw_http import http1

pytestmark = pytest.mark.live

EDITS = 200


def test_no_edit_fails_a_request_and_no_answer_mixes_two_policies(document: Document, file: Path) -> None:
    with (
        running_gateway(file) as gateway,
        load(document.port, (PREFLIGHT, SIMPLE), version_of, clients=4) as traffic,
    ):
        for version in range(2, EDITS + 2):
            save(file, document.at(version))
            traffic.wait_for(version)
        gateway.wait_for("Change enforced: 1 resource")
        assert gateway.output.count("refused") == 0
    assert traffic.answers > 4 * EDITS


def test_saves_that_outrun_the_gateway_end_with_the_last(document: Document, file: Path) -> None:
    with (
        running_gateway(file),
        load(document.port, (PREFLIGHT, SIMPLE), version_of, clients=2) as traffic,
    ):
        for version in range(101, 101 + EDITS):
            # In place: the gateway may read an empty or a partial file.
            file.write_text(document.at(version), encoding="utf-8")
        traffic.wait_for(100 + EDITS)


def test_endpoints_outside_of_the_roots_are_added_and_removed_and_no_request_fails(
    document: Document, file: Path
) -> None:
    """The first such endpoint and the last one change the listener."""
    with (
        running_gateway(file, "--concurrency", "1"),
        load(document.port, (PREFLIGHT, SIMPLE), version_of, clients=2) as traffic,
    ):
        for version in range(2, 12):
            endpoints = ("/shop", "/api/v2") if version % 2 == 0 else ()
            save(file, document.at(version, endpoints=endpoints))
            traffic.wait_for(version)
            for endpoint in ("/shop/x", "/api/v2?y", "/api/v2/x/y/z"):
                with http1(document.port) as connection:
                    status = connection.send(replace(SIMPLE, target=endpoint)).status
                    assert status == (200 if endpoints else 404)


def invalid_yaml(file: Path, text: str) -> None:
    save(file, text + "\n]")


def a_wrong_value(file: Path, text: str) -> None:
    save(file, text.replace('"max_age": ', '"max_age": -'))


def half_of_the_file(file: Path, text: str) -> None:
    file.write_text(text[: len(text) // 2], encoding="utf-8")


def empty_file(file: Path, _: str) -> None:
    file.write_bytes(b"")


def not_text(file: Path, _: str) -> None:
    file.write_bytes(b"apis:\n - \xff\xfe")


def a_directory(file: Path, _: str) -> None:
    file.unlink()
    file.mkdir()


def no_file(file: Path, _: str) -> None:
    file.unlink()


def too_large(file: Path, _: str) -> None:
    with file.open("wb") as opened:
        opened.truncate(50 * 2**20)


BROKEN: Mapping[Callable[[Path, str], None], str] = {
    invalid_yaml: "gateway.yaml:",
    a_wrong_value: "$.apis[0].cors.max_age",
    half_of_the_file: "gateway.yaml:",
    empty_file: "gateway.yaml",
    not_text: "gateway.yaml:2:4",
    too_large: "larger than 16 MiB",
    a_directory: "this is a directory, not a file",
    no_file: "file not found",
}


def test_bad_edits_are_refused_with_their_place_and_the_last_good_one_goes_on(
    document: Document, file: Path
) -> None:
    with (
        running_gateway(file, "--concurrency", "1") as gateway,
        load(document.port, (PREFLIGHT, SIMPLE), version_of, clients=1) as traffic,
    ):
        good = 1
        for break_it, message in BROKEN.items():
            before = len(gateway.output)
            break_it(file, document.at(good + 1))
            # A file that is written in place may be refused twice: first empty, then with its content.
            gateway.wait_for("Change refused", after=before)
            gateway.wait_for(message, after=before)
            traffic.wait_for_more(10)

            if file.is_dir():
                file.rmdir()
            good += 2
            save(file, document.at(good))
            traffic.wait_for(good)
        assert "Traceback" not in gateway.output
