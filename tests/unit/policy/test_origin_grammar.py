"""What a well-formed origin is: facts of the URL standard, and one line drawn by both expression engines."""

from __future__ import annotations

import re

import pytest
import re2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crossgate.policy import Origin, WildcardOrigin, is_well_formed, parse_origin_pattern
from crossgate.policy.origin import (
    DEFAULT_PORT_PATTERN,
    HOST_MISSING_PATTERN,
    HOSTLESS_PATTERN,
    MAX_LENGTH,
    ORIGIN_PATTERN,
    is_hostless,
)

WELL_FORMED = [
    "https://example.com",
    "http://example.com:8080",
    "http://localhost",
    "http://example.com:443",
    "https://example.com:80",
    "https://example.com.",
    "https://xn--mnchen-3ya.example",
    "https://a_b.example.com",
    "https://-a-.example.com",
    "https://1password.com",
    "https://127.0.0.1.example.com",
    "https://example.0xg",
    "https://example.1a",
    "https://example.0a",
    "https://example.00x",
    "https://a!b$c&d'e(f)g*h+i;j=k`l{m}n~o\"p.example",
    "http://127.0.0.1",
    "http://0.0.0.0:1",
    "http://255.255.255.255:65535",
    "http://[::]",
    "http://[::1]:3000",
    "http://[1::]",
    "http://[1:2:3:4:5:6:7:8]",
    "http://[1:0:0:4:5:6:7:8]",
    "http://[1::4:5:6:7:8]",
    "http://[1:2:3:4:5:6::]",
    "http://[::3:4:5:6:7:8]",
    "http://[2001:db8::ff00:42:8329]",
    "http://[::ffff:7f00:1]",
    "chrome-extension://abcdefghijklmnop",
    "moz-extension://0f0a-4b",
    "capacitor://localhost",
    "web+app.x-1://host",
    "ftp://example.com",
]

MALFORMED = [
    "",
    "null",
    "*",
    "example.com",
    "//example.com",
    "https:",
    "https://",
    "https://:8080",
    "https:/example.com",
    "HTTPS://example.com",
    "https://Example.com",
    "1https://example.com",
    "+x://example.com",
    " https://example.com",
    "https://example.com ",
    "https://example.com\n",
    "\nhttps://example.com",
    "https://example.com\nhttps://example.org",
    "https://example.com\x00",
    "https://example.com/",
    "https://example.com?",
    "https://example.com#",
    "https://example.com\\",
    "https://user@example.com",
    "https://user:pass@example.com",
    "https://example.com:",
    "https://example.com:0",
    "https://example.com:00",
    "https://example.com:080",
    "https://example.com:65536",
    "https://example.com:99999",
    "https://example.com:100000",
    "https://example.com:8080:8080",
    "https://example.com:٣",
    "https://example.com:+1",
    "https://example.com:443",
    "http://example.com:80",
    "ws://example.com:80",
    "wss://example.com:443",
    "ftp://example.com:21",
    "http://[::1]:80",
    "https://a,b.example.com",
    "https://a.example.com,https://b.example.com",
    "https://a b.example.com",
    "https://a\tb.example.com",
    "https://a%2eb.example.com",
    "https://a<b.example.com",
    "https://a>b.example.com",
    "https://a[b.example.com",
    "https://a]b.example.com",
    "https://a^b.example.com",
    "https://a|b.example.com",
    "https://a\x7fb.example.com",
    "https://münchen.example",
    "https://\u212aiosk.example.com",
    "https://\u017f.example.com",
    "https://\uff0eexample.com",
    "https://.example.com",
    "https://a..example.com",
    "https://..",
    "https://.",
    # Ends in a number, and so is an IPv4 address or no host at all (URL, ends-in-a-number checker).
    "http://1",
    "http://1.2.3",
    "http://1.2.3.4.5",
    "http://256.0.0.1",
    "http://01.2.3.4",
    "http://0x7f.0.0.1",
    "http://0x7f000001",
    "http://2130706433",
    "http://127.0.0.1.",
    "https://example.1",
    "https://example.09",
    "https://example.0x",
    "https://example.0xff",
    "https://example.0xff.",
    "http://::1",
    "http://[::1",
    "http://::1]",
    "http://[]",
    "http://[:]",
    "http://[:::]",
    "http://[1::2::3]",
    "http://[1:2:3:4:5:6:7]",
    "http://[1:2:3:4:5:6:7:8:9]",
    "http://[1:2:3:4:5:6:7::]",
    "http://[::2:3:4:5:6:7:8]",
    "http://[::01]",
    "http://[::12345]",
    "http://[::G]",
    "http://[::A]",
    "http://[::1.2.3.4]",
    "http://[fe80::1%eth0]",
    "http://[v1.x]",
    "http://a[::1]",
    "http://[::1]a",
]


@pytest.mark.parametrize("value", WELL_FORMED)
def test_well_formed(value: str) -> None:
    assert is_well_formed(value)


@pytest.mark.parametrize("value", WELL_FORMED)
def test_the_parts_of_an_origin_make_up_the_whole(value: str) -> None:
    assert str(Origin.of(value)) == value


@pytest.mark.parametrize("value", MALFORMED)
def test_malformed(value: str) -> None:
    assert not is_well_formed(value)


HOSTLESS = ["file://", "app://", "app://.", "content://", "x-1+2.3://.", "https-app://", "httpss://."]
NOT_HOSTLESS = [
    *("http://", "https://.", "ws://", "wss://.", "ftp://", "File://", "1app://", "://", "", "app:", "app:/"),
    *("app://..", "app://./", "file:///", "file://:80", "file://x", "null", "app://.\n", "app://.,app://."),
]


@pytest.mark.parametrize("value", HOSTLESS)
def test_an_origin_without_a_host_is_not_well_formed(value: str) -> None:
    assert is_hostless(value)
    assert not is_well_formed(value)
    assert str(Origin.of(value)) == value
    assert Origin.of(value).host in ("", ".")


@pytest.mark.parametrize("value", [*NOT_HOSTLESS, *WELL_FORMED])
def test_other_values_are_no_origins_without_a_host(value: str) -> None:
    assert not is_hostless(value)


@pytest.mark.parametrize("value", [*HOSTLESS, *NOT_HOSTLESS, *WELL_FORMED, *MALFORMED])
def test_re2_finds_the_same_origins_without_a_host(value: str) -> None:
    hostless, missing = (re2.compile(pattern) for pattern in (HOSTLESS_PATTERN, HOST_MISSING_PATTERN))
    found = hostless.fullmatch(value) is not None and missing.fullmatch(value) is None
    assert found == is_hostless(value)


def test_a_longer_value_than_a_request_head_is_no_origin() -> None:
    value = f"https://{'a' * (MAX_LENGTH - len('https://.example'))}.example"
    assert len(value) == MAX_LENGTH
    assert is_well_formed(value)
    assert not is_well_formed(value.replace("a", "aa", 1))


_WORDS = (
    "https http ftp ws :// : / . .. a b com example 0 1 08 443 80 65535 65536 0x 0xf g x f [ ] :: [::1] 1: "
    "127.0.0.1 xn-- - _ * ! , ; @ # ? \\ % ~ K \u212a \u017f \u00e9 \x7f \n \t"
)
_PIECES = st.sampled_from(_WORDS.split(" "))
near_origins = st.one_of(
    st.lists(_PIECES, max_size=12).map("".join),
    st.lists(_PIECES, max_size=8).map(lambda pieces: "https://" + "".join(pieces)),
    st.sampled_from(WELL_FORMED + MALFORMED),
    st.text(max_size=12).map(lambda text: f"https://{text}.example.com"),
    st.from_regex(re.compile(ORIGIN_PATTERN), fullmatch=True),
).filter(lambda text: not re.search("[\ud800-\udfff]", text))


@pytest.mark.parametrize("pattern", [ORIGIN_PATTERN, DEFAULT_PORT_PATTERN])
def test_re_and_re2_know_the_grammar(pattern: str) -> None:
    python, google = re.compile(pattern), re2.compile(pattern.encode())

    @given(near_origins)
    @example("https://example.com\n")
    @example("http://\u2028:80")
    def they_agree(value: str) -> None:
        assert (python.fullmatch(value) is None) == (google.fullmatch(value.encode()) is None)

    they_agree()


WILDCARDS = [
    "https://*.example.com",
    "https://*.example.com:8443",
    "https://example.com:*",
    "http://*.example.com:*",
    "http://[::1]:*",
    "http://127.0.0.1:*",
    "https://*.com",
    "https://*.a+b.c$d!e",
]


@pytest.mark.parametrize("text", WILDCARDS)
def test_a_wildcards_expression_matches_well_formed_origins_only(text: str) -> None:
    wildcard = parse_origin_pattern(text)
    assert isinstance(wildcard, WildcardOrigin)
    for value in _examples(wildcard.regex):
        assert is_well_formed(value) or re.fullmatch(DEFAULT_PORT_PATTERN, value)


def _examples(regex: str) -> list[str]:
    found: list[str] = []

    @settings(max_examples=30)
    @given(st.from_regex(re.compile(regex), fullmatch=True))
    def collect(value: str) -> None:
        found.append(value)

    collect()
    assert found
    return found
