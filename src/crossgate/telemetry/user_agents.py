"""Families of User-Agents, which say what kind of program calls. The header itself is not kept.

The order matters: most browsers claim to be others, and an app or a bot names the browser inside it.
"""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "other"
NONE: Final = "none"
"""The request had no User-Agent."""
_READ: Final = 512

FAMILIES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "scanner",
        (
            "nuclei",
            "nikto",
            "sqlmap",
            "zgrab",
            "masscan",
            "nmap",
            "nessus",
            "openvas",
            "qualys",
            "acunetix",
            "netsparker",
            "invicti",
            "burp",
            "wpscan",
            "dirbuster",
            "gobuster",
            "feroxbuster",
            "ffuf",
            "arachni",
            "w3af",
            "zaproxy",
            "owasp",
            "censys",
            "shodan",
            "expanse",
            "corsy",
            "corscanner",
            "internet-measurement",
            "internetmeasurement",
        ),
    ),
    ("monitor", ("uptimerobot", "pingdom", "statuscake", "site24x7", "kube-probe", "blackbox", "datadog")),
    (
        "bot",
        (
            "bot/",
            "bot;",
            "bot)",
            "bot ",
            "-bot",
            "crawler",
            "spider",
            "slurp",
            "facebookexternalhit",
            "bingpreview",
            "mediapartners-google",
            "archive.org",
            "gptbot",
        ),
    ),
    ("HeadlessChrome", ("headlesschrome",)),
    ("Electron", ("electron/",)),
    ("Postman", ("postmanruntime/", "postman/")),
    ("Insomnia", ("insomnia/",)),
    ("curl", ("curl/",)),
    ("Wget", ("wget/",)),
    ("HTTPie", ("httpie/",)),
    ("python-requests", ("python-requests/",)),
    ("python-httpx", ("python-httpx/",)),
    ("aiohttp", ("aiohttp/",)),
    ("Python-urllib", ("python-urllib/", "urllib3/")),
    ("okhttp", ("okhttp/",)),
    ("Dart", ("dart/", "dart:io")),
    ("CFNetwork", ("cfnetwork/",)),
    ("Go-http-client", ("go-http-client/",)),
    ("Java", ("apache-httpclient/", "java/", "java-http-client/", "jersey/", "reactornetty/")),
    (".NET", (".net/", "dotnet", "restsharp")),
    ("axios", ("axios/",)),
    ("node", ("node-fetch/", "undici", "node.js", "got (", "node")),
    ("Ruby", ("ruby", "faraday")),
    ("PHP", ("guzzlehttp", "php/")),
    ("Perl", ("libwww-perl/",)),
    ("wrk", ("wrk/", "apachebench/", "hey/", "k6/", "jmeter", "vegeta", "locust")),
    ("Samsung Internet", ("samsungbrowser/",)),
    ("Opera", ("opr/", "opera", "opios/")),
    ("Edge", ("edg/", "edga/", "edgios/", "edge/")),
    ("Vivaldi", ("vivaldi/",)),
    ("Yandex Browser", ("yabrowser/",)),
    ("UC Browser", ("ucbrowser/",)),
    ("Android WebView", ("; wv)",)),
    ("Firefox", ("firefox/", "fxios/")),
    ("Chrome", ("chrome/", "crios/", "chromium/")),
    ("Internet Explorer", ("msie ", "trident/")),
    ("Safari", ("safari/",)),
    ("WebKit", ("applewebkit/",)),
)
"""Families, each with strings of which one is in the User-Agent, in lower case."""


def user_agent_family(user_agent: str) -> str:
    """The first family that the header's value names, such as ``Chrome`` or ``curl``."""
    if not user_agent:
        return NONE
    # By the hash, so that the value is not kept. Python's is keyed: nobody can send a collision.
    key = hash(user_agent)
    family = _found.get(key)
    if family is None:
        if len(_found) >= _MAX_FOUND:
            _found.clear()
        family = _found[key] = _find(user_agent[:_READ].lower())
    return family


_MAX_FOUND: Final = 4096
_found: dict[int, str] = {}


def _find(value: str) -> str:
    for family, signs in FAMILIES:
        for sign in signs:
            if sign in value:
                return family
    return UNKNOWN
