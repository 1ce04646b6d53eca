"""The address of the console's link."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossgate.cli.verbs.console import console
from crossgate.diagnostics import InvalidInput
from crossgate.service.sessions import link_url


@pytest.mark.parametrize(
    ("base", "link"),
    [
        ("http://127.0.0.1:8090", "http://localhost:8090/sign-in#once=s"),
        ("http://[::1]:8090", "http://localhost:8090/sign-in#once=s"),
        ("http://0.0.0.0:8090", "http://localhost:8090/sign-in#once=s"),
        ("http://10.0.0.5:8090/", "http://10.0.0.5:8090/sign-in#once=s"),
        ("https://console.example.com", "https://console.example.com/sign-in#once=s"),
    ],
)
def test_the_link_names_this_machine_localhost(base: str, link: str) -> None:
    assert link_url(base, "s") == link


def test_a_directory_without_a_store_is_refused_and_not_created(tmp_path: Path) -> None:
    """A link of a store that no gateway reads signs nobody in."""
    with pytest.raises(InvalidInput, match="store not found"):
        console(data=tmp_path / "mistyped")
    assert not (tmp_path / "mistyped").exists()
