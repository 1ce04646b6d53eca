"""The settings ``watt.server.cors.*``: how each is written, and every error at once."""

from __future__ import annotations

from typing import Any

import pytest

from crossgate.diagnostics import Diagnostic
from crossgate.policy import AnyOrigin, ExactOrigin, RegexOrigin, ServerPolicy, read_server_policy
from crossgate.policy.server_cors import PREFIX


def read(
    lines: dict[str, list[str] | Diagnostic] | None = None, **settings: object
) -> tuple[ServerPolicy | None, list[Diagnostic]]:
    files = lines or {}
    return read_server_policy({PREFIX + name: value for name, value in settings.items()}, files.__getitem__)


def policy(**settings: Any) -> ServerPolicy:
    read_policy, diagnostics = read(**{"enabled": True, "allowedOrigins": "https://a.com", **settings})
    assert diagnostics == []
    assert read_policy is not None
    return read_policy


def test_it_is_off_unless_enabled() -> None:
    assert read() == (None, [])
    assert read(enabled=False, allowedOrigins="https://a.com") == (None, [])
    assert read(enabled="false") == (None, [])


def test_other_settings_are_none_of_its_business() -> None:
    assert read_server_policy({"watt.server.threadPool": 75}, lambda _: []) == (None, [])


def test_the_defaults() -> None:
    assert policy() == ServerPolicy((ExactOrigin("https://a.com"),))
    assert policy().supported_methods == ("OPTIONS", "HEAD", "GET", "POST", "PUT", "PATCH", "DELETE")
    assert policy().max_age == -1
    assert not policy().supports_credentials


@pytest.mark.parametrize(
    "written",
    [
        "https://a.com,https://b.com",
        "https://a.com https://b.com",
        " https://a.com ,\n\thttps://b.com,",
        ("https://a.com", "https://b.com"),
    ],
)
def test_origins_are_separated_by_commas_or_blanks(written: object) -> None:
    origins = (ExactOrigin("https://a.com"), ExactOrigin("https://b.com"))
    assert policy(allowedOrigins=written).allowed_origins == origins


def test_origins_come_from_a_file_one_a_line() -> None:
    found, diagnostics = read(
        {"/etc/origins": [" https://a.com ", "", "r:https://[a-z]{1,3}\\.com"]},
        enabled="true",
        allowedOrigins="file:/etc/origins",
    )
    assert diagnostics == []
    assert found is not None
    assert [type(pattern) for pattern in found.allowed_origins] == [ExactOrigin, RegexOrigin]


@pytest.mark.parametrize("written", ["file://", "file://, app://.", "file:// app://.", ["file://"]])
def test_the_origin_of_files_is_not_taken_for_a_file(written: object) -> None:
    assert policy(allowedOrigins=written).allowed_origins[0] == ExactOrigin("file://")


def test_the_path_of_a_file_may_begin_with_slashes() -> None:
    found, _ = read({"///etc/origins": ["https://a.com"]}, enabled=True, allowedOrigins="file:///etc/origins")
    assert found is not None
    assert found.allowed_origins == (ExactOrigin("https://a.com"),)


def test_a_file_that_cannot_be_read_is_an_error_of_the_setting() -> None:
    missing = Diagnostic("file", "no such file", "Create it", found="/nowhere")
    _, diagnostics = read({"/nowhere": missing}, enabled=True, allowedOrigins="file:/nowhere")
    assert [(d.code, d.message, d.place.path) for d in diagnostics] == [
        ("server-setting", "no such file", (PREFIX + "allowedOrigins",))
    ]


def test_a_regular_expression_says_so() -> None:
    (pattern,) = policy(allowedOrigins=r"r:https://.+\.a\.com").allowed_origins
    assert isinstance(pattern, RegexOrigin)
    assert pattern.pattern == r"https://.+\.a\.com"


def test_the_star_makes_the_other_origins_needless() -> None:
    found = policy(allowedOrigins="https://a.com, *")
    assert AnyOrigin() in found.allowed_origins
    assert found.origins.any_origin


def test_values_may_be_texts_or_what_they_say() -> None:
    written = policy(maxAge="600", supportsCredentials="true", host="a.com", exposedHeaders=["X-A", "X-B"])
    assert (written.max_age, written.supports_credentials) == (600, True)
    assert (written.host, written.exposed_headers) == ("a.com", ("X-A", "X-B"))
    assert policy(maxAge="-1").max_age == -1
    assert policy(maxAge=0).max_age == 0


ONE_ERROR: list[tuple[dict[str, Any], str]] = [
    ({"enabled": "yes"}, "enabled"),
    ({"enabled": 1}, "enabled"),
    ({"enabled": True, "allowedOrigins": None}, "allowedOrigins"),
    ({"enabled": True, "allowedOrigins": ""}, "allowedOrigins"),
    ({"enabled": True, "allowedOrigins": " , "}, "allowedOrigins"),
    ({"allowedOrigins": "a.com"}, "allowedOrigins"),
    ({"allowedOrigins": "https://a*.com"}, "allowedOrigins"),
    ({"allowedOrigins": "r:("}, "allowedOrigins"),
    ({"allowedOrigins": 3}, "allowedOrigins"),
    ({"allowedOrigins": "*", "supportsCredentials": True}, "allowedOrigins"),
    ({"supportedMethods": "GET, TRACE"}, "supportedMethods"),
    ({"supportedMethods": "connect"}, "supportedMethods"),
    ({"supportedMethods": "G(T"}, "supportedMethods"),
    ({"supportedMethods": "*"}, "supportedMethods"),
    ({"supportedHeaders": "X:Y"}, "supportedHeaders"),
    ({"supportedHeaders": "*"}, "supportedHeaders"),
    ({"supportedHeaders": ["X-A", 1]}, "supportedHeaders"),
    ({"exposedHeaders": "X/Y"}, "exposedHeaders"),
    ({"exposedHeaders": "*", "supportsCredentials": True}, "exposedHeaders"),
    ({"host": 3}, "host"),
    ({"maxAge": -2}, "maxAge"),
    ({"maxAge": "1.5"}, "maxAge"),
    ({"maxAge": "99999999999"}, "maxAge"),
    ({"maxAge": True}, "maxAge"),
    ({"supportsCredentials": "maybe"}, "supportsCredentials"),
    ({"alowedOrigins": "*"}, "alowedOrigins"),
]


@pytest.mark.parametrize(("settings", "name"), ONE_ERROR, ids=lambda value: str(value)[:60])
def test_each_error_names_its_setting(settings: dict[str, Any], name: str) -> None:
    _, diagnostics = read(**settings)
    assert [(d.code, d.place.path) for d in diagnostics] == [("server-setting", (PREFIX + name,))]
    assert diagnostics[0].remedy


def test_every_error_is_reported_at_once() -> None:
    _, diagnostics = read(
        enabled=True,
        supportedMethods="TRACE",
        supportedHeaders="a:b",
        exposedHeaders="c:d",
        host=1,
        maxAge="x",
        supportsCredentials="x",
        other=1,
    )
    assert {d.place.path[0] for d in diagnostics} == {
        PREFIX + name
        for name in (
            "allowedOrigins",
            "supportedMethods",
            "supportedHeaders",
            "exposedHeaders",
            "host",
            "maxAge",
            "supportsCredentials",
            "other",
        )
    }
