"""A control plane with a file has the same admin token after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.command import CommandProcess
from tests.live.admin.store_gateway import first_token
from tests.live.faults.document import Document

pytestmark = pytest.mark.live


def test_the_token_survives_a_restart_and_is_in_no_log(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(Document(8080, 9).at(1))
    secrets = []
    for number in range(2):
        options = ("--admin", "127.0.0.1:0", "--xds", f"unix:{tmp_path}/{number}.sock")
        with CommandProcess(tmp_path, "serve", str(file), *options) as control_plane:
            secrets.append(first_token(control_plane))
            assert secrets[0] not in control_plane.output
    assert secrets[0] == secrets[1]
