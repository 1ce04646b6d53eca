"""The address of the console's link."""

from __future__ import annotations

import pytest

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
