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
