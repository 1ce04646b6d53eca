"""How many ports a pattern admits for one host; those of several branches for the same host add up."""

from __future__ import annotations

import pytest

from crossgate.lint.proof import FactCode, prove


@pytest.mark.parametrize(
    ("pattern", "ports"),
    [
        (r"https://a\.com", 0),
        (r"https://a\.com(:443)?", 0),  # the default port is never sent
        (r"http://a\.com:(80|443)", 1),
        (r"https://a\.com:1\d\d|https://a\.com:2\d\d", 200),
        (r"https://a\.com:1\d\d|https://b\.com:2\d\d", 100),
        (r"https://[ab]\.com:1\d\d|https://b\.com:[12]\d\d", 200),
        (r"https://a\.com\b:0?1\d\b", 10),
        (r"https://a\.com:0\d+|https://a\.com:\d{6,}", 0),
        (r"https?://a\.com(:\d+)?", 65_534),
    ],
)
def test_the_ports_of_one_host(pattern: str, ports: int) -> None:
    assert prove(pattern).ports == ports


def test_ports_of_different_hosts_do_not_add_up_to_any_port() -> None:
    branches = "|".join(rf"https://{name}\.com:{n}\d\d" for n, name in enumerate("abcdefghi", start=10))
    assert prove(f"{branches}|https://j\\.com:1\\d\\d").fact(FactCode.ANY_PORT) is None
    together = "|".join(rf"https://a\.com:{n}\d\d" for n in range(10, 20))
    assert prove(together).fact(FactCode.ANY_PORT) is not None
