"""The console of a gateway that runs a file: each edit ends in what to put into the file."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from tests.console_site import SITE, running_file

from crossgate.catalogue.document import read_document
from crossgate.service.permission import Role

PETS = "/apis/petstore/1.0"


def test_in_file_mode_the_entry_of_the_file_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(SITE, encoding="utf-8")
    with running_file(file) as site:
        client = site.client(Role.EDITOR)
        for path, entry in (("/apis/new", "\n- name: NAME"), (f"{PETS}/edit", "\n- name: petstore")):
            page = client.get(path)
            text = unescape(page.text)
            assert page.status_code == 200
            assert str(file) in text
            shown = re.search(r'id="file-entry"[^>]*>(.*?)</pre>', page.text, re.DOTALL)
            assert shown is not None
            assert entry in shown[1]
            assert read_document(unescape(shown[1])).catalogue is not None
            for words in ("Save API", "Add API", "Delete the API", 'name="native"'):
                assert words not in page.text


def test_the_policys_patch_makes_the_policy_that_was_wanted(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(SITE, encoding="utf-8")
    with running_file(file) as site:
        policy = site.api.editor.get("/v1/apis/petstore/1.0/policy").json()
        wanted = policy | {"max_age": 600, "allowed_methods": [*policy["allowed_methods"], "PATCH"]}
        wanted["allowed_origins"] = [*policy["allowed_origins"][1:], "https://new.example.com"]
        preview = site.api.editor.post(
            "/v1/apis/petstore/1.0/policy/preview", json={"policy": wanted, "lint": None}
        )
        assert preview.status_code == 200, preview.text
        file.write_text(patched(SITE, preview.json()["file"]["patch"]), encoding="utf-8")
    with running_file(file) as site:
        assert site.api.viewer.get("/v1/apis/petstore/1.0/policy").json() == wanted


def test_the_settings_patch_makes_the_settings_that_were_wanted(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    text = f"{SITE}settings:\n  watt.server.cors.maxAge: 60\n"
    file.write_text(text, encoding="utf-8")
    with running_file(file) as site:
        wanted = site.api.viewer.get("/v1/settings").json() | {"watt.server.cors.maxAge": 600}
        answer = site.api.viewer.post("/v1/settings/file-patch", json=wanted)
        file.write_text(patched(text, answer.json()["file"]["patch"]), encoding="utf-8")
    with running_file(file) as site:
        assert site.api.viewer.get("/v1/settings").json() == wanted


def patched(text: str, patch: str) -> str:
    """The text after a unified diff, as `patch` would apply it."""
    lines, at = text.splitlines(keepends=True), 0
    done: list[str] = []
    for line in patch.splitlines(keepends=True)[2:]:
        if line.startswith("@@"):
            start = int(line.split("-", 1)[1].split(",", 1)[0].split(" ", 1)[0]) - 1
            done += lines[at:start]
            at = start
        elif line.startswith("+"):
            done.append(line[1:])
        else:
            assert lines[at] == line[1:]
            done += [line[1:]] if line.startswith(" ") else []
            at += 1
    return "".join([*done, *lines[at:]])
