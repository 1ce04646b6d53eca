"""What ``crossgate prove`` prints for origins that have no domain."""

from __future__ import annotations

import pytest
from tests.command import crossgate


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("app://.",), "any app can be built with this origin"),
        (("capacitor://localhost",), "any app can be built with this origin"),
        (("chrome-extension://abcdefghijklmnopabcdefghijklmnop",), "the browser gives each its ID"),
        (("--regex", "file://.*"), "any page on the user's device can have this origin"),
        (("http://localhost:3000",), "admits no domain, only what is listed here"),
    ],
)
def test_it_says_who_can_have_them(arguments: tuple[str, ...], sentence: str) -> None:
    result = crossgate("prove", *arguments)
    assert result.returncode == 0
    assert result.stdout.startswith("PROVED ")
    assert sentence in " ".join(result.stdout.split())
    assert "admits only the domains" not in result.stdout
