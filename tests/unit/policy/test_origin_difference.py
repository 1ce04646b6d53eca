"""Two origins side by side."""

from __future__ import annotations

import pytest

from crossgate.policy.origin_difference import Side, compare_origins


@pytest.mark.parametrize(
    ("sent", "allowed", "expected"),
    [
        ("https://a.example", "https://a.example", "https://a.example"),
        ("http://shop.example.com", "https://shop.example.com", "[http:]{https:}//shop.example.com"),
        ("https://shop.example.com:8443", "https://shop.example.com", "https://shop.example.com[:8443]"),
        ("https://shop.exarnple.com", "https://shop.example.com", "https://shop.exa[rn]{m}ple.com"),
        ("https://app.example.com.evil.net", "https://app.example.com", "https://app.example.com[.evil.net]"),
        (
            "https://pr-417.preview.example.com",
            "https://pr-417.example.com",
            "https://pr-417[.preview].example.com",
        ),
        ("https://example.com", "https://www.example.com", "https://{www.}example.com"),
        ("https://[::1]:80", "https://[::1]:81", "https://[::1][:80]{:81}"),
        ("https://a.a.example", "https://a.example", "https://a[.a].example"),
        ("https://example.org", "https://*.example.org", "https://{*.}example.org"),
    ],
)
def test_what_differs(sent: str, allowed: str, expected: str) -> None:
    pieces = compare_origins(sent, allowed)
    around = {Side.BOTH: "%s", Side.SENT: "[%s]", Side.ALLOWED: "{%s}"}
    assert "".join(around[one.side] % one.text for one in pieces) == expected
    assert "".join(one.text for one in pieces if one.side is not Side.ALLOWED) == sent
    assert "".join(one.text for one in pieces if one.side is not Side.SENT) == allowed
