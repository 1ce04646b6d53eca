"""Families of User-Agents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossgate.telemetry.user_agents import FAMILIES, NONE, UNKNOWN, user_agent_family

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "family"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} Chrome/142.0.0.0 Safari/537.36", "Chrome"),
        (f"Mozilla/5.0 (Windows NT 10.0) {_WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0", "Edge"),
        (f"Mozilla/5.0 (X11) {_WEBKIT} Chrome/142.0.0.0 Safari/537.36 OPR/124.0", "Opera"),
        (f"Mozilla/5.0 (X11) {_WEBKIT} HeadlessChrome/142.0.0.0 Safari/537.36", "HeadlessChrome"),
        (f"Mozilla/5.0 (Linux; Android 15; wv) {_WEBKIT} Version/4.0 Chrome/142.0 Mobile", "Android WebView"),
        (f"Mozilla/5.0 (X11) {_WEBKIT} MyApp/1.0 Chrome/142.0 Electron/39.1 Safari/537.36", "Electron"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox"),
        (
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                "Version/18.1 Safari/605.1.15"
            ),
            "Safari",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML)", "WebKit"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0", "bot"),
        (
            "Mozilla/5.0 (compatible; Nuclei - Open-source project (github.com/projectdiscovery/nuclei))",
            "scanner",
        ),
        ("curl/8.5.0", "curl"),
        ("python-requests/2.32.3", "python-requests"),
        ("okhttp/4.12.0", "okhttp"),
        ("Go-http-client/2.0", "Go-http-client"),
        ("node", "node"),
        ("", NONE),
        ("abc\x1b[31m", UNKNOWN),
    ],
)
def test_family(user_agent: str, family: str) -> None:
    assert user_agent_family(user_agent) == family


@given(st.text())
def test_the_family_is_of_our_table(user_agent: str) -> None:
    assert user_agent_family(user_agent) in {NONE, UNKNOWN, *(family for family, _ in FAMILIES)}
