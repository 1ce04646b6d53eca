"""The token that a gateway with a file keeps across starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crossgate.app.kept_token import KeptToken, keep_token, state_directory
from crossgate.diagnostics import InvalidInput
from crossgate.service.tokens import InMemoryTokenStore, Tokens

DOCUMENT = Path("/etc/crossgate/gateway.yaml")


def start(state: Path, document: Path = DOCUMENT) -> tuple[Tokens, Path]:
    tokens = Tokens(InMemoryTokenStore())
    return tokens, keep_token(tokens, KeptToken(state, document))


def test_the_token_is_the_same_after_the_next_start(tmp_path: Path) -> None:
    _, file = start(tmp_path / "state")
    secret = file.read_text().strip()
    tokens, again = start(tmp_path / "state")
    assert again == file
    assert file.read_text().strip() == secret
    found = tokens.authenticate(secret)
    assert found is not None
    assert found.role.value == "admin"
    assert [one.name for one in tokens.all()] == ["first"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_each_document_has_its_own(tmp_path: Path) -> None:
    assert start(tmp_path)[1] != start(tmp_path, Path("/srv/gateway.yaml"))[1]


def test_a_revoked_token_does_not_come_back(tmp_path: Path) -> None:
    tokens, file = start(tmp_path)
    secret = file.read_text().strip()
    tokens.revoke("first")
    assert not file.exists()
    assert start(tmp_path)[0].authenticate(secret) is None


@pytest.mark.parametrize("fault", ["mode", "owner", "link", "content", "pipe", "empty"])
def test_a_file_that_others_may_have_touched_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    _, file = start(tmp_path)
    secret = file.read_text()
    match fault:
        case "mode":
            file.chmod(0o640)
        case "owner":
            monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        case "link":
            file.rename(tmp_path / "other")
            file.symlink_to(tmp_path / "other")
        case "content":
            file.write_text("cgt_short\n")
        case "pipe":
            file.unlink()
            os.mkfifo(file, 0o600)
        case _:
            file.write_text("")
    with pytest.raises(InvalidInput) as refused:
        KeptToken(tmp_path, DOCUMENT)
    (found,) = refused.value.diagnostics
    assert (found.code, found.found) == ("kept-token", str(file))
    assert secret.strip() not in str(found)


def test_a_directory_that_cannot_be_written_is_reported_without_a_token(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"")
    tokens = Tokens(InMemoryTokenStore())
    with pytest.raises(InvalidInput):
        keep_token(tokens, KeptToken(tmp_path / "state" / "below", DOCUMENT))
    assert tokens.all() == ()


def test_the_directory_for_state() -> None:
    assert state_directory({"STATE_DIRECTORY": "/var/lib/crossgate:/x", "HOME": "/h"}) == Path(
        "/var/lib/crossgate"
    )
    assert state_directory({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path("/s/crossgate")
    assert state_directory({"HOME": "/h"}) == Path("/h/.local/state/crossgate")
    assert state_directory({"HOME": "/"}) is None
    assert state_directory({}) is None
