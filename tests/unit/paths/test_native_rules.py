"""Each rule of a native service reads the spellings that its source says it reads, and no others."""

from __future__ import annotations

import pytest
from tests.paths.native_rules import NATIVE_RULES, has_dot_segment, leaves, rules_that_leave

BASE = "/v2/app"

# Of each rule: what it reads as /v2/app/../x, and what it does not.
READINGS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "tomcat": (("..;/x", "%2e%2e;a=b/x", ".%2E/x"), ("..%2fx", "..%3b/x", "%252e%252e/x", "..%5cx")),
    "tomcat_permissive": (("..%2fx", "..%5cx", "..;/x", "..\\x"), ("..%3b/x", "%252e%252e/x", "..%252fx")),
    "jetty": (("..;/x", "%u002e%u002e/x", "..%2fx"), ("..%5cx", "..%3b/x", "%252e./x")),
    "spring": (("..;/x", "%252e%252e/x", "..%255cx"), ("..%3b/x", "%25252e./x", "%u002e./x")),
    "http_sys": (("..%5cx", "%u002e./x", "..\\x"), ("..;/x", "%252e./x")),
    "iis_double_escaping": (("%252e%252e%255cx", "%25u002e./x"), ("..;/x", "%25252e./x")),
    "kestrel": (("%2e%2E/x",), ("..%2fx", "..;/x", "..%5cx")),
    "nginx": (("..%2fx", "%2e./x", "%2e%2e%2f%2fx"), ("..;/x", "%252e./x", "..%5cx")),
    "apache": (("..%2fx", "%2e./x"), ("..;/x", "..\\x", "%252e./x")),
    "apache_on_windows": (("..%5cx", "..\\x"), ("..;/x", "%252e./x")),
    "apache_2_4_50": (("%%32%65./x", ".%2%65/x", "%252e./x"), ("..;/x", "..%5cx", "%25252e./x")),
    "apache_servlet_mapping": (("..;/x", "..%3bx=1/x"), ("%252e./x", "..%253b/x")),
    "node_url": (("..\\x", "%2e%2E/x", "..%2fx"), ("..;/x", "%252e./x", "..%2f%zz")),
    "node_send": (("..%2fx", "%2e./x"), ("..%5cx", "..;/x", "%%32%65./x")),
    "node_send_on_windows": (("..%5cx", "..%2fx"), ("..;/x", "%252e./x")),
    "node_decoded_url": (
        ("%252e./x", ".%09./x", "%25%0A2e./x", "..%23", "..%20", "..%5cx"),
        ("..;/x", "%25252e./x", "..%20/x", "%2%65./x"),
    ),
    "python_wsgi": (("..%2fx", "%2e./x"), ("..;/x", "%252e./x", "..%5cx")),
    "python_unquotes_again": (("%252e./x", "%%32%65./x", "..%252fx"), ("..;/x", "%25252e./x")),
    "python_urlsplit": (("..%2fx", ".%0a./x", "..%23", "..%3f"), ("..;/x", "..%20", "%252e./x")),
    "python_urlparse": (("..;x", "..%3bx", ".%09./x"), ("..;/x", "%252e./x")),
    "go_servemux": (("..%2fx", "%2e./x"), ("..;/x", "%252e./x", "..%5cx", "%zz/../../x")),
    "go_unescapes_again": (("%252e./x", "..%252fx"), ("..;/x", "%25252e./x", "%25zz/../../x")),
    "worst, 1 decodings, cuts after ()": (("..%5cx", "%u002e./x", "..%3f", "..%23x"), ("..;/x", "%252e./x")),
    "worst, 1 decodings, cuts after (0,)": (("..;/x", "%2e%2e;%2fy/x"), ("..%3b/x",)),
    "worst, 1 decodings, cuts after (1,)": (("..%3b/x", "..;/x"), ("..%253b/x",)),
    "worst, 2 decodings, cuts after (2,)": (("%252e.%253b/x", "..%2500"), ("%25252e./x",)),
    "worst, 3 decodings, cuts after ()": (("%25252e./x",), ("..;/x",)),
}


@pytest.mark.parametrize("rule", READINGS)
def test_a_rule_reads_its_spellings(rule: str) -> None:
    led_out, below = READINGS[rule]
    leaving = [path for path in (*led_out, *below) if rule in rules_that_leave(BASE, f"{BASE}/{path}")]
    assert leaving == [*led_out]


def test_every_server_has_an_example() -> None:
    assert {name for name in NATIVE_RULES if not name.startswith("worst")} <= set(READINGS)


@pytest.mark.parametrize(
    "path", ["", "/", "/a", "/a/b.c/", "/..a", "/a;v=1", "/...", "/a%20b", "/é", "?q=/../.."]
)
@pytest.mark.parametrize("rule", NATIVE_RULES)
def test_an_ordinary_path_stays_below(rule: str, path: str) -> None:
    assert rule not in rules_that_leave(BASE, BASE + path)


@pytest.mark.parametrize("path", ["/v2", "/v2/apple", "/v2/app/../x", "/v2/app/..", "/"])
def test_a_path_outside_leaves_by_every_rule(path: str) -> None:
    assert list(rules_that_leave(BASE, path)) == list(NATIVE_RULES)
    assert leaves(BASE, path)


def test_a_dot_segment_is_found_however_decoded() -> None:
    found = ("/a/..", "/.;x", "/%252e/", "/a%5c%2e%3f", "/%u002e", "/%25%092e.", "/%0d..%23", "/..%2520")
    assert [path for path in found if not has_dot_segment(path)] == []
    clean = ("/...", "/..a", "/a..", "/a;..", "/.%C3%A9", "/..%20x", "/x?/../", "/%2", "/%252")
    assert [path for path in clean if has_dot_segment(path)] == []
