"""Server-level settings of the reference product."""

from __future__ import annotations

import json

import pytest
from tests.unit.importers.webmethods_exports import file_source, shown

from crossgate.diagnostics import InvalidInput
from crossgate.importers.result import ImportOptions
from crossgate.importers.source import Source
from crossgate.service.imports import import_sources

PREFIX = "watt.server.cors."


def test_a_configuration_of_the_server() -> None:
    imported = import_sources([file_source("settings/server.cnf")])
    assert imported.kinds == ("webmethods-settings",)
    assert imported.document == {
        "settings": {
            PREFIX + "enabled": "true",
            PREFIX + "allowedOrigins": [
                "https://shop.example.com",
                "https://www.example.com:8443",
                r"r:https://pr-[0-9]+\.preview\.example\.com",
            ],
            PREFIX + "supportedMethods": ["GET", "POST", "OPTIONS", "PUT", "HEAD"],
            PREFIX + "supportedHeaders": ["Content-Type", "Authorization"],
            PREFIX + "exposedHeaders": ["X-Total-Count"],
            PREFIX + "host": "api.example.com:5555",
            PREFIX + "maxAge": "600",
            PREFIX + "supportsCredentials": "true",
        }
    }
    assert shown(imported.diagnostics) == ["info server-cors-enabled: None"]
    host = next(one for one in imported.taken if one.value == "api.example.com:5555")
    assert host.place is not None
    assert (host.place.file, host.place.line) == ("settings/server.cnf", 11)


def test_an_answer_of_the_rest_api() -> None:
    imported = import_sources([file_source("settings/settings.json")])
    assert imported.kinds == ("webmethods-settings",)
    assert imported.document == {
        "settings": {
            PREFIX + "enabled": "true",
            PREFIX + "allowedOrigins": ["https://shop.example.com", r"r:https://pr-\d+\.example\.com"],
            PREFIX + "maxAge": "600",
            PREFIX + "supportsCredentials": "false",
        }
    }
    enabled = imported.diagnostics[0]
    assert enabled.code == "server-cors-enabled"
    assert enabled.place.json_path == "$.preferredSettings.wattKeys['watt.server.cors.enabled']"
    assert enabled.place.line == 4


def test_what_cannot_be_taken_over_is_left_out_and_reported() -> None:
    imported = import_sources([file_source("settings/unusual.properties")])
    assert imported.document == {
        "settings": {
            PREFIX + "enabled": "false",
            PREFIX + "maxAge": "60",
            PREFIX + "supportedHeaders": ["Content-Type"],
        }
    }
    assert shown(imported.diagnostics) == [
        "warning server-setting: X-Café",
        r"warning setting-file: file:c:\cors\allowedOriginsList.txt",
        "warning setting-repeated: watt.server.cors.maxAge=60",
        "warning unknown-setting: watt.server.cors.allowedOrigin",
    ]


def properties(**settings: str) -> Source:
    return Source(
        "server.cnf", "".join(f"{PREFIX}{name}={value}\n" for name, value in settings.items()).encode()
    )


@pytest.mark.parametrize(
    ("word", "taken"),
    [
        (r"r:https://a\\.example\\.com", "https://a.example.com"),
        (r"r:https://[a-z&&[^x]]+\\.example\\.com", None),
        (r"r:https://[a-z]\\d\\.example\\.com", r"r:https://[a-z]\d\.example\.com"),
        (r"r:https://(?!x)a\\.example\\.com", None),
        ("https://App.example.com", None),
        ("*", "*"),
    ],
)
def test_origins_of_the_settings(word: str, taken: str | None) -> None:
    imported = import_sources([properties(allowedOrigins=f"https://b.example.com,{word}")])
    settings = imported.document["settings"]
    assert isinstance(settings, dict)
    wanted = ["https://b.example.com", *([taken] if taken else [])]
    assert settings[PREFIX + "allowedOrigins"] == wanted
    warnings = [one for one in imported.diagnostics if one.severity.value == "warning"]
    assert bool(warnings) == (taken is None)


def test_enabled_settings_without_usable_origin_are_refused_unless_one_is_given() -> None:
    source = properties(enabled="true", allowedOrigins="file:origins.txt")
    with pytest.raises(InvalidInput) as refused:
        import_sources([source])
    assert "settings-no-origin" in {one.code for one in refused.value.diagnostics}
    imported = import_sources([source], None, ImportOptions(origins=("https://a.example.com",)))
    settings = imported.document["settings"]
    assert isinstance(settings, dict)
    assert settings[PREFIX + "allowedOrigins"] == ["https://a.example.com"]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"watt.server.port=5555\n", "webmethods-settings"),
        (b"#\n\nwatt.server.cors.enabled: false\n", "webmethods-settings"),
        (json.dumps({"wattKeys": {"watt.net.timeout": "300"}}).encode(), "webmethods-settings"),
        (b"settings:\n  watt.server.cors.enabled: true\n", None),
        (b"hello watt.server\n", None),
        (b'{"extendedKeys": 7}', None),
    ],
)
def test_the_kind_is_told(data: bytes, kind: str | None) -> None:
    try:
        import_sources([Source("x", data)])
        code = ""
    except InvalidInput as refused:
        (one,) = refused.diagnostics
        code = one.code
    assert code in ("", "nothing-found") if kind else code == "kind-unknown"
