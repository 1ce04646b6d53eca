"""The file of the first token."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossgate.app.first_token import write_first_token
from crossgate.diagnostics import InvalidInput
from crossgate.service.permission import Role
from crossgate.service.tokens import InMemoryTokenStore, Token, Tokens


def test_first_token_is_written_once_and_for_this_user_only(tmp_path: Path) -> None:
    tokens = Tokens(InMemoryTokenStore())
    file = write_first_token(tokens, tmp_path)

    assert file == tmp_path / "first-token"
    assert file.stat().st_mode & 0o777 == 0o600
    found = tokens.authenticate(file.read_text().strip())
    assert found is not None
    assert found.role is Role.ADMIN
    assert write_first_token(tokens, tmp_path) is None


@pytest.mark.parametrize("link", [False, True])
def test_file_that_is_left_over_is_replaced_and_no_link_followed(tmp_path: Path, *, link: bool) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    left_over = tmp_path / "first-token"
    if link:
        left_over.symlink_to(victim)
    else:
        left_over.write_text("cgt_old")
        left_over.chmod(0o644)

    file = write_first_token(Tokens(InMemoryTokenStore()), tmp_path)

    assert file is not None
    assert not file.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o600
    assert victim.read_text() == "kept"


def test_without_a_file_there_is_no_token(tmp_path: Path) -> None:
    tokens = Tokens(InMemoryTokenStore())
    with pytest.raises(InvalidInput):
        write_first_token(tokens, tmp_path / "absent")
    assert tokens.all() == ()


class OvertakenStore(InMemoryTokenStore):
    """A store in which another control plane creates the first token at the same time."""

    def add_token(self, token: Token, digest: str) -> None:
        super().add_token(token, "another")
        super().add_token(token, digest)


def test_of_two_first_starts_at_once_one_creates_the_token(tmp_path: Path) -> None:
    tokens = Tokens(OvertakenStore())

    assert write_first_token(tokens, tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    assert [one.name for one in tokens.all()] == ["first"]
