"""Raw values become a policy, or all errors in them, each with its place."""

from __future__ import annotations

from typing import Any

import pytest

from crossgate.diagnostics import InvalidInput, Place, Severity
from crossgate.policy import CorsPolicy, Mode, PlainOptions, build_policy, read_policy
from crossgate.policy.cors_policy import MAX_AGE_LIMIT

FULL: dict[str, Any] = {
    "allowed_origins": [
        "https://example.com",
        "https://*.example.com",
        "https://example.com:*",
        "null",
        {"regex": "https://pr-[0-9]+\\.example\\.com"},
    ],
    "allowed_methods": ["GET", "patch", "*"],
    "allow_headers": ["X-One", "*"],
    "expose_headers": ["X-Two"],
    "allow_credentials": True,
    "max_age": 0,
    "plain_options": "forward",
    "mode": "observe",
}


def test_nothing_given_allows_nothing() -> None:
    assert build_policy() == CorsPolicy()
    assert CorsPolicy().to_dict() == {}


def test_every_property_is_taken_over_and_given_back() -> None:
    policy = build_policy(**FULL)
    assert policy.allowed_methods == ("GET", "patch", "*")
    assert policy.max_age == 0
    assert policy.plain_options is PlainOptions.FORWARD
    assert policy.mode is Mode.OBSERVE
    assert policy.to_dict() == FULL
    assert build_policy(**policy.to_dict()) == policy  # type: ignore[arg-type]  # raw values


# Raw policies with one error each: code, path of the place, and what was found.
ONE_ERROR: list[tuple[dict[str, Any], str, tuple[str | int, ...]]] = [
    ({"allowed_origins": ["https://a.com", "b.com"]}, "origin-invalid", ("allowed_origins", 1)),
    ({"allowed_origins": ["https://a*.com"]}, "origin-invalid", ("allowed_origins", 0)),
    ({"allowed_origins": [3]}, "origin-form", ("allowed_origins", 0)),
    ({"allowed_origins": [{"regexp": "x"}]}, "origin-form", ("allowed_origins", 0)),
    ({"allowed_origins": [{"regex": "("}]}, "origin-regex", ("allowed_origins", 0, "regex")),
    ({"allowed_origins": "https://a.com"}, "allowed-origins-invalid", ("allowed_origins",)),
    ({"allowed_origins": None}, "allowed-origins-invalid", ("allowed_origins",)),
    ({"allowed_methods": ["GET", "PUT POST"]}, "method-invalid", ("allowed_methods", 1)),
    ({"allowed_methods": [""]}, "method-invalid", ("allowed_methods", 0)),
    ({"allowed_methods": ["GÉT"]}, "method-invalid", ("allowed_methods", 0)),
    ({"allowed_methods": [7]}, "method-invalid", ("allowed_methods", 0)),
    ({"allowed_methods": ["CONNECT"]}, "method-forbidden", ("allowed_methods", 0)),
    ({"allowed_methods": ["trace"]}, "method-forbidden", ("allowed_methods", 0)),
    ({"allowed_methods": ["Track"]}, "method-forbidden", ("allowed_methods", 0)),
    ({"allowed_methods": {"GET": 1}}, "allowed-methods-invalid", ("allowed_methods",)),
    ({"allow_headers": ["X One"]}, "header-invalid", ("allow_headers", 0)),
    ({"allow_headers": ["X-One:"]}, "header-invalid", ("allow_headers", 0)),
    ({"allow_headers": ["X-\u212a"]}, "header-invalid", ("allow_headers", 0)),
    ({"allow_headers": b"X-One"}, "allow-headers-invalid", ("allow_headers",)),
    ({"expose_headers": ["a\r\nb: c"]}, "header-invalid", ("expose_headers", 0)),
    ({"expose_headers": 1}, "expose-headers-invalid", ("expose_headers",)),
    ({"allow_credentials": "yes"}, "allow-credentials-invalid", ("allow_credentials",)),
    ({"allow_credentials": 1}, "allow-credentials-invalid", ("allow_credentials",)),
    ({"max_age": -1}, "max-age-invalid", ("max_age",)),
    ({"max_age": MAX_AGE_LIMIT + 1}, "max-age-invalid", ("max_age",)),
    ({"max_age": 1.5}, "max-age-invalid", ("max_age",)),
    ({"max_age": True}, "max-age-invalid", ("max_age",)),
    ({"max_age": "100"}, "max-age-invalid", ("max_age",)),
    ({"plain_options": "pass"}, "plain-options-invalid", ("plain_options",)),
    ({"plain_options": True}, "plain-options-invalid", ("plain_options",)),
    ({"mode": "off"}, "mode-invalid", ("mode",)),
    ({"mode": None}, "mode-invalid", ("mode",)),
    ({"allowed_origin": ["https://a.com"]}, "unknown-key", ("allowed_origin",)),
    (
        {"allowed_origins": ["https://a.com", "*"], "allow_credentials": True},
        "origin-star-credentials",
        ("allowed_origins", 1),
    ),
    (
        {"expose_headers": ["X-One", "*"], "allow_credentials": True},
        "expose-star-credentials",
        ("expose_headers", 1),
    ),
]


@pytest.mark.parametrize(("raw", "code", "path"), ONE_ERROR, ids=lambda value: str(value)[:60])
def test_each_error_has_its_code_and_place(
    raw: dict[str, Any], code: str, path: tuple[str | int, ...]
) -> None:
    _, diagnostics = read_policy(raw)
    assert [(d.code, d.place) for d in diagnostics] == [(code, Place(path))]
    assert diagnostics[0].remedy
    assert diagnostics[0].severity is Severity.ERROR


def test_every_error_is_reported_at_once() -> None:
    raw = {
        "allowed_origins": ["b.com", "*", {"regex": "("}],
        "allowed_methods": ["TRACE", "a b"],
        "allow_headers": [""],
        "expose_headers": ["*"],
        "allow_credentials": True,
        "max_age": -5,
        "plain_options": "x",
        "mode": "y",
        "maxAge": 5,
    }
    _, diagnostics = read_policy(raw)
    assert {(d.code, d.place.json_path) for d in diagnostics} == {
        ("origin-invalid", "$.allowed_origins[0]"),
        ("origin-star-credentials", "$.allowed_origins[1]"),
        ("origin-regex", "$.allowed_origins[2].regex"),
        ("method-forbidden", "$.allowed_methods[0]"),
        ("method-invalid", "$.allowed_methods[1]"),
        ("header-invalid", "$.allow_headers[0]"),
        ("expose-star-credentials", "$.expose_headers[0]"),
        ("max-age-invalid", "$.max_age"),
        ("plain-options-invalid", "$.plain_options"),
        ("mode-invalid", "$.mode"),
        ("unknown-key", "$.maxAge"),
    }


def test_one_bad_origin_among_ten_thousand_is_found() -> None:
    origins = [f"https://shop-{number}.example.com" for number in range(10_000)]
    origins[7777] = "https://Shop.example.com"
    _, diagnostics = read_policy({"allowed_origins": origins})
    assert [d.place.path for d in diagnostics] == [("allowed_origins", 7777)]


def test_a_policy_with_an_error_is_refused_whole() -> None:
    with pytest.raises(InvalidInput) as refused:
        build_policy(allowed_origins=["https://a.com", "b.com"], allowed_methods=["TRACE"])
    assert [d.code for d in refused.value.diagnostics] == ["origin-invalid", "method-forbidden"]
    assert "b.com" in str(refused.value)


@pytest.mark.parametrize("max_age", [0, 1, MAX_AGE_LIMIT, None])
def test_the_ages_that_are_possible(max_age: int | None) -> None:
    assert build_policy(max_age=max_age).max_age == max_age


def test_stars_without_credentials_are_fine() -> None:
    policy = build_policy(allowed_origins=["*"], expose_headers=["*"], allow_headers=["*"])
    assert policy.to_dict() == {"allowed_origins": ["*"], "expose_headers": ["*"], "allow_headers": ["*"]}


def test_allowed_header_and_method_stars_go_with_credentials() -> None:
    policy = build_policy(
        allowed_origins=["null"], allowed_methods=["*"], allow_headers=["*"], allow_credentials=True
    )
    assert policy.allow_credentials
