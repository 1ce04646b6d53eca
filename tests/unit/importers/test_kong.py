"""The reader of Kong's declarative configuration; expectations were written by hand from Kong's source."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.importers.foreign import (
    ANY_VALUE,
    DATA,
    apis_in_short,
    codes,
    policy_in_short,
    read_any,
    read_file,
    replaced,
)

from crossgate.diagnostics import InvalidInput
from crossgate.importers.cursor import Cursor
from crossgate.importers.kong.reader import KONG
from crossgate.importers.source import Source

_DEFAULTS = {"origins": ["*"], "methods": "GET HEAD PUT PATCH POST DELETE", "allow": "* Authorization"}


def test_services_of_a_self_hosted_platform() -> None:
    found = read_file(KONG, "kong", "supabase.yml")
    assert apis_in_short(found) == {
        "auth-v1-open": {
            "native": "http://auth:9999/verify",
            "endpoints": ["/auth/v1/verify"],
            "cors": _DEFAULTS,
        },
        "rest-v1": {"native": "http://rest:3000", "endpoints": ["/rest/v1"], "cors": _DEFAULTS},
        "realtime-v1-ws": {
            "native": "http://realtime-dev.supabase-realtime:4000/socket",
            "endpoints": ["/realtime/v1"],
            "cors": _DEFAULTS,
        },
        "meta": {"native": "http://meta:8080", "endpoints": ["/pg"]},
        "dashboard": {"native": "http://studio:3000", "cors": _DEFAULTS},
    }
    # The place says which plugin it is.
    assert [one.found for one in found.diagnostics if one.code == "behaviour-differs"] == [None]
    # What protected the services does not come along, and a blocked route does not come at all.
    assert codes(found) == [
        ("behaviour-differs", 28),
        ("access-not-taken-over", 41),
        ("access-not-taken-over", 63),
        ("route-skipped", 72),
        ("access-not-taken-over", 92),
        ("path-without-endpoint", 104),
        ("access-not-taken-over", 107),
    ]


def test_references_shared_configuration_upstreams_and_old_paths() -> None:
    found = read_file(KONG, "kong", "formats.yaml")
    shared = {
        "origins": ["https://shop.example", "https://*.partner.example"],
        "allow": "Content-Type X-Request-Id",
        "max_age": 600,
    }
    assert apis_in_short(found) == {
        # Without strip_path, the service gets the whole path.
        "orders-orders-all": {
            "native": "https://10.0.0.5:8443/v2/orders",
            "endpoints": ["/orders"],
            "cors": {**shared, "methods": "GET POST"},
        },
        # Its own plugin is disabled, so that of the service is in force; the route is for GET only.
        "orders-orders-read": {
            "native": "https://10.0.0.5:8443/v2",
            "endpoints": ["/orders-read"],
            "cors": {**shared, "methods": "GET"},
        },
        "search": {"native": "http://search.internal:9200"},
    }


def test_a_plugin_of_a_route_with_a_regular_path() -> None:
    found = read_file(KONG, "kong", "deck-route-plugin.yaml")
    assert apis_in_short(found) == {
        "example-service": {
            "native": "http://example-api.com",
            "cors": {
                "methods": "GET POST",
                "allow": "Authorization",
                "expose": "X-My-Header",
                "credentials": True,
                "max_age": 3600,
            },
        }
    }
    assert codes(found)[:2] == [("origin-without-scheme", 12), ("path-without-endpoint", 7)]


@pytest.mark.parametrize(
    ("service", "native"),
    [
        ({"host": "a.internal"}, "http://a.internal"),
        ({"host": "a.internal", "protocol": "https"}, "https://a.internal:80"),
        ({"host": "a.internal", "protocol": "https", "port": 443}, "https://a.internal"),
        ({"url": "https://a.internal/x/"}, "https://a.internal/x"),
        ({"url": "https://a.internal:8443"}, "https://a.internal:8443"),
    ],
)
def test_the_native_service(service: dict[str, object], native: str) -> None:
    root = {"_format_version": "3.0", "services": [{"name": "a", **service, "routes": [{"paths": ["/a"]}]}]}
    found = KONG.read(Source("kong.yaml", yaml.safe_dump(root).encode()))
    assert [one.value for one in found.apis[0].natives] == [native]


def test_more_services_than_one_import_makes_are_refused() -> None:
    text = "_format_version: '3.0'\nservices:\n" + "- {}\n" * 10_001
    with pytest.raises(InvalidInput) as refused:
        KONG.read(Source("kong.yaml", text.encode()))
    assert [one.code for one in refused.value.diagnostics] == ["too-many-apis"]


def test_services_without_routes_serve_nothing() -> None:
    found = read_file(KONG, "kong", "deck-service.yaml")
    assert not found.apis
    assert {code for code, _ in codes(found)} == {"service-without-route", "native-undetermined"}


def _read(plugin: dict[str, Any] | None, **route: object) -> Any:
    service: dict[str, Any] = {
        "name": "a",
        "url": "http://a.internal",
        "routes": [{"name": "r", "paths": ["/a"], **route}],
    }
    if plugin is not None:
        service["plugins"] = [{"name": "cors", "config": plugin}]
    text = yaml.safe_dump({"_format_version": "3.0", "services": [service]})
    return KONG.read(Source("kong.yaml", text.encode()))


@pytest.mark.parametrize(
    ("origins", "expected"),
    [
        (None, ["*"]),
        ([], ["*"]),
        (["*"], ["*"]),
        (["https://a.example", "*"], ["*"]),
        (["https://a.example"], ["https://a.example"]),
        # Alone, it is sent as it is, and equals no origin of a browser.
        (["https://a.example:443"], []),
        (["https://a.example/"], []),
        (["a.example"], []),
        # Among others, Kong compares normalised origins.
        (["https://a.example:443", "http://b.example/"], ["https://a.example", "http://b.example"]),
        (["https://a.example:8443", "a.example"], ["https://a.example:8443"]),
        (["null"], ["null"]),
        (["https://a.example", "null"], ["https://a.example", "null"]),
        # A regular expression gets $ at its end, and is compared from the beginning.
        ([r"https://a\.example"], ["https://a.example"]),
        ([r"^https://a\.example$"], ["https://a.example"]),
        ([r"https://[a-z]+\.example"], [{"regex": r"https://[a-z]+\.example"}]),
        ([r"a\.example"], [{"regex": r"[a-z][a-z0-9+.-]*://a\.example(?::[0-9]+)?"}]),
        # The $ belongs to the last alternative only: the first admits what begins so.
        (
            [r"https://a\.example|https://b\.example"],
            [{"regex": r"(?:https://a\.example.*|https://b\.example)"}],
        ),
        ([r"https://(?!evil)a"], []),
    ],
)
def test_origins(origins: list[str] | None, expected: list[object]) -> None:
    found = _read({} if origins is None else {"origins": origins})
    assert [one.value for one in found.apis[0].cors.origins] == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, _DEFAULTS),
        ({"headers": ["*"]}, {**_DEFAULTS, "allow": "*"}),
        (
            {"headers": ["*"], "credentials": True},
            {"origins": ["*"], "methods": _DEFAULTS["methods"], "credentials": True},
        ),
        ({"methods": ["GET", "TRACE", "OPTIONS"]}, {**_DEFAULTS, "methods": "GET"}),
        ({"max_age": 60.0, "exposed_headers": ["X-A"]}, {**_DEFAULTS, "max_age": 60, "expose": "X-A"}),
        ({"max_age": "soon", "credentials": "yes", "methods": [1]}, {**_DEFAULTS, "methods": None}),
    ],
)
def test_settings(config: dict[str, Any], expected: dict[str, Any]) -> None:
    found = policy_in_short(_read(config).apis[0].cors)
    assert found == {key: value for key, value in expected.items() if value is not None}


def test_no_preflight_reaches_a_route_that_is_not_for_options() -> None:
    found = _read({"methods": ["GET", "POST"]}, methods=["GET", "POST"])
    assert policy_in_short(found.apis[0].cors) == {"origins": ["*"], "allow": "* Authorization"}
    assert "preflights-not-routed" in {code for code, _ in codes(found)}


def test_routes_with_the_same_paths_allow_what_all_of_them_allow() -> None:
    text = yaml.safe_dump(
        {
            "_format_version": "3.0",
            "services": [
                {
                    "name": "a",
                    "url": "http://a.internal",
                    "routes": [
                        {
                            "name": name,
                            "paths": ["/a"],
                            "hosts": [f"{name}.example"],
                            "plugins": [
                                {"name": "cors", "config": {"origins": origins, "headers": ["X-A", name]}}
                            ],
                        }
                        for name, origins in (
                            ("one", ["https://1.example", "https://2.example"]),
                            ("two", ["https://2.example", "https://3.example"]),
                        )
                    ],
                }
            ],
        }
    )
    found = KONG.read(Source("kong.yaml", text.encode()))
    assert len(found.apis) == 1
    policy = found.apis[0].cors
    assert policy is not None
    assert policy_in_short(policy) == {
        "origins": ["https://2.example"],
        "methods": _DEFAULTS["methods"],
        "allow": "X-A",
    }
    assert ("policies-combined") in {code for code, _ in codes(found)}


def _with_routes(*routes: tuple[str, dict[str, Any]], strip_path: bool = False) -> Any:
    """Routes with a path, and an origin if they have a cors plugin."""
    listed = [
        {
            "name": path.strip("/") or "all",
            "paths": [path],
            "strip_path": strip_path,
            **{key: value for key, value in more.items() if key != "origin"},
            "plugins": [{"name": "cors", "config": {"origins": [more["origin"]]}}]
            if "origin" in more
            else [],
        }
        for path, more in routes
    ]
    service = {"name": "s", "url": "http://s.internal", "routes": listed}
    found = KONG.read(Source("kong.yaml", yaml.safe_dump({"services": [service]}).encode()))
    origins = {
        name: None if api.get("cors") is None else api["cors"].get("origins", [])  # type: ignore[attr-defined]
        for name, api in apis_in_short(found).items()
    }
    return origins, {code for code, _ in codes(found)}


@pytest.mark.parametrize("strip_path", [True, False])
@pytest.mark.parametrize("path", ["/api/admin", "/api"])
def test_a_policy_is_not_laxer_than_that_of_a_path_below(path: str, strip_path: bool) -> None:
    """An endpoint inside another one is left out: its requests go through the API of the shorter path."""
    wide = "https://wide.example"
    for more, expected in (
        ({"origin": "https://admin.example"}, []),
        ({"origin": wide, "methods": ["GET", "OPTIONS"]}, [wide]),
        ({}, []),
    ):
        inner = {"methods": ["PUT", "OPTIONS"], **more} if path == "/api" else more
        origins, found = _with_routes(("/api", {"origin": wide}), (path, inner), strip_path=strip_path)
        assert next(iter(origins.values())) == expected
        assert "policies-combined" in found or expected == [wide]


def test_a_policy_is_not_limited_by_paths_beside_or_for_other_hosts() -> None:
    origins, found = _with_routes(
        ("/api", {"origin": "https://a.example", "hosts": ["a.example"]}),
        ("/api/x", {"origin": "https://b.example", "hosts": ["b.example"]}),
        ("/apis", {"origin": "https://b.example", "hosts": ["a.example"]}),
    )
    assert origins["s-api"] == ["https://a.example"]
    assert "policies-combined" not in found


@settings(max_examples=40)
@pytest.mark.parametrize("name", ["formats.yaml", "supabase.yml", "team/kong.yaml"])
@given(path=st.lists(st.integers(0, 20), min_size=1, max_size=7), value=ANY_VALUE)
def test_any_value_anywhere_is_read_or_refused(name: str, path: list[int], value: object) -> None:
    root = yaml.safe_load((DATA / "kong" / name).read_text())
    read_any(KONG, replaced(root, path, value))


def _policies(text: str) -> dict[str, Any]:
    return {
        name: api.get("cors")
        for name, api in apis_in_short(KONG.read(Source("kong.yaml", text.encode()))).items()
    }


def test_a_plugin_for_a_route_and_a_service_precedes_that_of_the_route() -> None:
    found = _policies(
        """
services:
- {name: s, url: http://s.example, routes: [{name: a, paths: [/a]}]}
- {name: t, url: http://t.example, routes: [{name: b, paths: [/b]}]}
plugins:
- {name: cors, route: a, config: {origins: ["*"]}}
- {name: cors, route: a, service: s, config: {origins: ["https://only.example"]}}
- {name: cors, route: b, service: s, config: {origins: ["https://never.example"]}}
"""
    )
    assert found["s"]["origins"] == ["https://only.example"]
    assert found["t"] is None


def test_a_shared_configuration_completes_that_of_a_plugin() -> None:
    found = _policies(
        """
_plugin_configs: {shared: {origins: ["https://a.example"], max_age: 5}}
services:
- name: s
  url: http://s.example
  routes: [{name: a, paths: [/a], plugins: [{name: cors, _config: shared, config: {max_age: 9}}]}]
"""
    )
    assert found["s"]["origins"] == ["https://a.example"]
    assert found["s"]["max_age"] == 9


def test_merge_keys_and_words_of_yaml_1_1_count() -> None:
    found = _policies(
        """
x: &x {origins: ["https://a.example"]}
services:
- name: s
  url: http://s.example
  plugins: [{name: cors, config: {<<: *x}}]
  routes: [{name: a, paths: [/a], plugins: [{name: cors, enabled: no}]}]
"""
    )
    assert found["s"]["origins"] == ["https://a.example"]


def _steps_to_read(number: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many values are looked up in a document whose entities refer to each other."""
    steps = 0
    look_up = Cursor.__getitem__

    def counted(cursor: Cursor, key: str | int) -> Cursor:
        nonlocal steps
        steps += 1
        return look_up(cursor, key)

    several = range(number)
    root = {
        "services": [{"name": f"s{n}", "host": f"u{n}"} for n in several],
        "routes": [{"name": f"r{n}", "paths": [f"/p{n}"], "service": f"s{n}"} for n in several],
        "plugins": [
            *({"name": "cors", "route": f"r{n}", "config": {}} for n in several),
            *({"name": "jwt", "service": f"s{n}"} for n in several),
            *({"name": f"other-{n}"} for n in several),
        ],
        "upstreams": [{"name": f"u{n}"} for n in several],
        "targets": [{"target": f"10.0.0.1:{n + 1}", "upstream": f"u{n}"} for n in several],
    }
    source = Source("kong.json", json.dumps(root).encode())
    with monkeypatch.context() as patched:
        patched.setattr(Cursor, "__getitem__", counted)
        found = KONG.read(source)
    assert len(found.apis) == number
    assert found.apis[-1].natives[0].value == f"http://10.0.0.1:{number}"
    return steps


def test_the_work_grows_with_the_number_of_entities(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (_steps_to_read(number, monkeypatch) for number in (50, 200))
    assert many < 5 * few
