"""What an explanation suggests for a refused origin or method."""

from __future__ import annotations

import pytest
from tests.case_table import Case, load_cases
from tests.counting import calls, peak_memory
from tests.differential.generate import random_pairs

from crossgate.policy import EffectivePolicy, Hint, Request, ServerPolicy, build_policy, decide, explain
from crossgate.policy.origin_pattern import AnyOrigin, ExactOrigin

POLICY = EffectivePolicy.of(
    build_policy(
        allowed_origins=[
            "https://app.example.com",
            "https://*.shop.example.org",
            "https://*.any.example.org:*",
            "http://localhost:5173",
            "https://example.net",
            "https://api.example.io:8443",
            "https://10.0.0.7",
            "http://[::1]:9000",
            {"regex": r"https://pr-[0-9]+\.preview\.example\.com"},
        ],
        allowed_methods=["GET", "PATCH"],
    ),
    application_origins=["https://partner.example.dk"],
    public_origins=["https://gateway.example.com"],
)


def hint(origin: str, policy: EffectivePolicy | ServerPolicy = POLICY) -> Hint | None:
    return explain(policy, Request("GET", origin)).hint


def test_the_address_of_a_websocket_is_no_origin() -> None:
    assert hint("wss://app.example.com") == Hint(
        "no page has the scheme wss; browsers send the page's origin, "
        "https://app.example.com, which is allowed",
        "Write https://app.example.com",
        "https://app.example.com",
    )
    policy = EffectivePolicy.of(build_policy(allowed_origins=["wss://shop.example.com"]))
    found = hint("https://shop.example.com", policy)
    assert found is not None
    assert "browsers send the page's origin" in found.message
    assert found.remedy == "Write https://shop.example.com instead of wss://shop.example.com"


def test_an_allowed_origin_has_no_hint() -> None:
    assert hint("https://app.example.com") is None


@pytest.mark.parametrize(
    ("origin", "problem", "sent"),
    [
        ("https://app.example.com/", "has a path", "https://app.example.com"),
        ("https://app.example.com/a/b?c", "has a path", "https://app.example.com"),
        ("https://app.example.com:443", "names its scheme's default port", "https://app.example.com"),
        ("HTTPS://App.Example.COM", "has upper-case letters", "https://app.example.com"),
        ("app.example.com", "has no scheme", "https://app.example.com"),
        ("https://u@app.example.com", "has user information", "https://app.example.com"),
        ("https://a.shop.example.org/", "has a path", "https://a.shop.example.org"),
        ("https://PR-7.preview.example.com", "has upper-case letters", "https://pr-7.preview.example.com"),
        ("https://partner.example.dk#x", "has a fragment", "https://partner.example.dk"),
        ("https://gateway.example.com/", "has a path", "https://gateway.example.com"),
    ],
)
def test_a_spelling_that_browsers_do_not_send(origin: str, problem: str, sent: str) -> None:
    message = f"the origin {problem}; browsers send {sent}, which is allowed"
    assert hint(origin) == Hint(message, f"Write {sent}", sent)


@pytest.mark.parametrize(
    ("origin", "nearest", "difference"),
    [
        ("http://app.example.com", "https://app.example.com", "scheme https, not http"),
        ("capacitor://app.example.com", "https://app.example.com", "scheme https, not capacitor"),
        ("https://app.example.com:8443", "https://app.example.com", "port 443, not 8443"),
        ("https://api.example.io", "https://api.example.io:8443", "port 8443, not 443"),
        ("http://localhost:3000", "http://localhost:5173", "port 5173, not 3000"),
        ("http://127.0.0.1:5173", "http://localhost:5173", "host localhost, not 127.0.0.1"),
        ("http://localhost:9000", "http://localhost:5173", "port 5173, not 9000"),
        ("https://10.0.0.8", "https://10.0.0.7", "host 10.0.0.7, not 10.0.0.8"),
        (
            "http://app.example.com:8080",
            "https://app.example.com",
            "scheme https, not http; port 443, not 8080",
        ),
        ("https://app.example.com.", "https://app.example.com", "host without a trailing dot"),
        ("https://example.com", "https://app.example.com", "host app.example.com, a subdomain"),
        ("https://www.example.net", "https://example.net", "host example.net without its subdomains"),
        ("https://web.example.com", "https://app.example.com", "host label app, not web"),
        ("https://app.exmaple.com", "https://app.example.com", "host label example, not exmaple"),
        ("https://app.example.co", "https://app.example.com", "host label com, not co"),
        ("https://partner.example.de", "https://partner.example.dk", "host label dk, not de"),
        (
            "https://shop.example.org",
            "https://*.shop.example.org",
            "subdomains of shop.example.org, not shop.example.org itself",
        ),
        (
            "https://any.example.org:81",
            "https://*.any.example.org:*",
            "subdomains of any.example.org, not any.example.org itself",
        ),
        ("https://a.shopp.example.org", "https://*.shop.example.org", "subdomains of shop.example.org"),
        ("http://a.shop.example.org", "https://a.shop.example.org", "scheme https, not http"),
        ("https://a.shop.example.org:444", "https://a.shop.example.org", "port 443, not 444"),
        ("http://pr-7.preview.example.com", "https://pr-7.preview.example.com", "scheme https, not http"),
        (
            "https://app.example.com.evil.org",
            "https://app.example.com",
            "host app.example.com; app.example.com.evil.org is in another domain, evil.org",
        ),
        (
            "https://www.app.example.com.evil.org",
            "https://app.example.com",
            "host app.example.com; www.app.example.com.evil.org is in another domain, evil.org",
        ),
        (
            "https://example.net.evil.com",
            "https://example.net",
            "host example.net; example.net.evil.com is in another domain, evil.com",
        ),
    ],
)
def test_the_nearest_allowed_origin_and_how_it_differs(origin: str, nearest: str, difference: str) -> None:
    message = f"the nearest allowed origin is {nearest}: {difference}"
    assert hint(origin) == Hint(message, f"Allow {origin} only if you trust its pages", None, nearest)


def test_a_spelling_that_is_not_allowed_either() -> None:
    assert hint("HTTP://app.example.com:80/") == Hint(
        "the origin has a path; browsers send http://app.example.com, which is not allowed either; "
        "the nearest allowed origin is https://app.example.com: scheme https, not http",
        "Write http://app.example.com. Allow http://app.example.com only if you trust its pages",
        "http://app.example.com",
        "https://app.example.com",
    )
    assert hint("https://Evil.test") == Hint(
        "the origin has upper-case letters; browsers send https://evil.test, which is not allowed either",
        "Write https://evil.test",
        "https://evil.test",
    )


@pytest.mark.parametrize("origin", ["https://evil.test", "https://[2001:db8::1]", "https://a", "x://y"])
def test_nothing_is_suggested_where_nothing_is_similar(origin: str) -> None:
    assert hint(origin) is None


def test_null_wildcards_and_what_cannot_be_corrected() -> None:
    null = hint("null")
    assert null is not None
    assert null.message.startswith("browsers send null for pages without an origin of their own")
    pattern = hint("https://*.example.com")
    assert pattern is not None
    assert pattern.message == "a request has one origin, without wildcards"
    two = hint("https://app.example.com, https://app.example.com")
    assert two is not None
    assert (two.message, two.write) == ("the origin is more than one value", None)


def test_a_policy_that_allows_no_origin() -> None:
    found = hint("https://a.example", EffectivePolicy.of(build_policy()))
    assert found == Hint("the policy allows no origin", "Add the origin to the allowed origins")


def test_the_star_admits_whatever_browsers_send() -> None:
    found = hint("https://a.example/", EffectivePolicy.of(build_policy(allowed_origins=["*"])))
    assert found is not None
    assert found.write == "https://a.example"


def test_under_server_level_cors() -> None:
    policy = ServerPolicy((ExactOrigin("https://app.example.com"),), supported_methods=("GET",))
    found = hint("http://app.example.com", policy)
    assert found is not None
    assert found.nearest == "https://app.example.com"
    star = hint("https://a.example/", ServerPolicy((AnyOrigin(),), supported_methods=("GET",)))
    assert star is not None
    assert star.write == "https://a.example"


def test_methods_are_compared_with_their_case() -> None:
    refused = explain(POLICY, Request("OPTIONS", "https://app.example.com", "patch"))
    message = "methods are compared with their case: PATCH is allowed, patch is not"
    assert refused.hint == Hint(message, "Write PATCH", "PATCH")
    assert explain(POLICY, Request("OPTIONS", "https://app.example.com", "put")).hint is None


def test_a_hint_in_observe_mode() -> None:
    policy = EffectivePolicy.of(build_policy(allowed_origins=["https://a.example"], mode="observe"))
    found = hint("https://a.example/", policy)
    assert found is not None
    assert found.write == "https://a.example"


@pytest.mark.parametrize("case", load_cases("engine"), ids=lambda case: case.id)
def test_what_a_hint_suggests_is_allowed_where_it_says_so(case: Case) -> None:
    _assert_true(case.prepared(), case.request.parsed())


def test_hints_on_random_requests_are_true() -> None:
    for sample, requests in random_pairs(11, 100, 10):
        for request in requests:
            _assert_true(sample.prepared(), request.parsed())


def _assert_true(policy: EffectivePolicy | ServerPolicy | None, request: Request) -> None:
    found = explain(policy, request).hint
    if found is None:
        return
    assert policy is not None
    if found.message.endswith("which is allowed"):
        assert found.write is not None
        assert decide(policy, Request("GET", found.write)).reason in ("origin-allowed", "no-origin")
    if found.nearest is not None and "*" not in found.nearest:
        assert policy.origins.admits(found.nearest)


MANY = 100_000


@pytest.fixture(scope="module")
def many() -> EffectivePolicy:
    tenants = [f"https://tenant-{number}.example.com" for number in range(MANY)]
    return EffectivePolicy.of(build_policy(allowed_origins=[*tenants, "https://shop2.example.com"]))


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example.com",
        "http://tenant-77.example.com",
        "https://evil.test",
        "https://" + "a." * 120 + "example.com",
        "https://" + "tenant-" * 30 + ".example.com",
        "https://" + "a" * 60_000,
        "https://" + "/" * 60_000,
    ],
    ids=lambda origin: origin[:30],
)
def test_the_work_is_bounded_with_100_000_origins(many: EffectivePolicy, origin: str) -> None:
    request = Request("GET", origin)
    # Two for each origin, to list them; few are compared in detail.
    assert calls(lambda: explain(many, request)) < 2 * MANY + 100_000
    assert peak_memory(lambda: explain(many, request)) < 16 * 1024 * 1024


def test_the_nearest_of_100_000_origins(many: EffectivePolicy) -> None:
    for origin, nearest in (
        ("https://shop.example.com", "https://shop2.example.com"),
        ("http://tenant-99999.example.com", "https://tenant-99999.example.com"),
        ("https://tenant-999990.example.com", "https://tenant-99990.example.com"),
    ):
        found = hint(origin, many)
        assert found is not None
        assert found.nearest == nearest


def _header_hint(allowed: list[str], sent: str) -> Hint | None:
    policy = EffectivePolicy.of(
        build_policy(allowed_origins=["*"], allowed_methods=["GET"], allow_headers=allowed)
    )
    return explain(policy, Request("OPTIONS", "https://a.example", "GET", sent)).hint


def test_the_refused_headers_are_named() -> None:
    assert _header_hint(["X-A"], "x-a, X-C,x-b,x-c") == Hint(
        "not among the allowed headers: x-c, x-b", "Add x-c, x-b to the allowed headers"
    )
    assert _header_hint(["X-A"], "x-a") is None
    many = _header_hint([], ",".join(f"x-{number}" for number in range(3000)))
    assert many is not None
    assert len(many.message) < 200
    assert _header_hint([], "," + "x" * 100_000) is None


def test_the_star_does_not_cover_authorization() -> None:
    assert _header_hint(["*"], "x-a,authorization") == Hint(
        "* does not cover Authorization", "Add Authorization to the allowed headers by its name"
    )
    broken = _header_hint(["*"], "x-a,x b")
    assert broken is not None
    assert broken.message == "not the name of a header: x b"


@pytest.mark.parametrize("origin", ["https://app.example.com", ""])
def test_an_options_request_that_is_no_preflight(origin: str) -> None:
    found = explain(POLICY, Request("OPTIONS", origin)).hint
    assert found is not None
    assert found.remedy == "Write plain_options: forward if the native service answers such requests"
    forwarding = EffectivePolicy.of(build_policy(allowed_origins=["*"], plain_options="forward"))
    assert explain(forwarding, Request("OPTIONS", origin)).hint is None
