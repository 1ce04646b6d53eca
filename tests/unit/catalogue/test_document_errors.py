"""Every error in a document: its code, and its place, which ``§`` marks in the text."""

from __future__ import annotations

import pytest

from crossgate.catalogue.document import read_document
from crossgate.diagnostics import Diagnostic

API = """\
apis:
  - name: petstore
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9101
"""


def _mark(text: str) -> tuple[str, tuple[int, int] | None]:
    before, mark, after = text.partition("§")
    place = (before.count("\n") + 1, len(before) - before.rfind("\n")) if mark else None
    return before + after, place


def _single(marked: str) -> Diagnostic:
    text, place = _mark(marked)
    reading = read_document(text, file="gateway.yaml")
    assert reading.catalogue is None
    assert len(reading.diagnostics) == 1, reading.diagnostics
    found = reading.diagnostics[0]
    assert found.place.file == "gateway.yaml"
    assert (found.place.line, found.place.column) == place
    assert found.message
    assert found.remedy
    return found


SYNTAX = {
    "empty": ("§", "document-empty"),
    "comments only": ("§# nothing\n", "document-empty"),
    "a list": ("§- a\n", "wrong-type"),
    "a string": ("§just text\n", "wrong-type"),
    "open bracket": ("apis: [1,\n§", "yaml-syntax"),
    "open quote": ("apis: 'x§", "yaml-syntax"),
    "tab": ("gateway:\n§\tlisten: x\n", "yaml-syntax"),
    "star unquoted": ("apis: *§\n", "yaml-syntax"),
    "two colons": ("apis: b§: c\n", "yaml-syntax"),
    "NUL": ("apis: §\0\n", "yaml-character"),
    "bell": ("apis: []\n# §\a\n", "yaml-character"),
    "two documents": ("apis: []\n§---\napis: []\n", "yaml-documents"),
    "unknown alias": ("apis: §*nowhere\n", "yaml-alias"),
    "alias to itself": ("apis: &a\n  - §*a\n", "yaml-alias"),
    "alias as a key": ("a: &a x\n§*a : b\n", "yaml-key"),
    "tag": ("apis: §!!python/object:os.system []\n", "yaml-tag"),
    "list as a key": ("§? [a]\n: b\n".replace("§? ", "? §"), "yaml-key"),
    "huge number": ("apis: §" + "9" * 5000 + "\n", "yaml-number"),
    "deep": ("apis: " + "[" * 39 + "§[" + "[" * 100_000, "yaml-depth"),
    "duplicate key": ("apis: []\n§apis: []\n", "duplicate-key"),
    "duplicate key deep down": (API + "    §name: other\n", "duplicate-key"),
}


@pytest.mark.parametrize(("text", "code"), SYNTAX.values(), ids=SYNTAX)
def test_invalid_yaml(text: str, code: str) -> None:
    assert _single(text).code == code


SHAPE = {
    "unknown at the top": ("§api: []\n", "unknown-key", "api"),
    "unknown in gateway": ("gateway:\n  §port: 80\n", "unknown-key", "port"),
    "unknown in tls": ("gateway:\n  tls: {certificate: a, key: b, §ca: c}\n", "unknown-key", "ca"),
    "unknown in an API": (API + "    §endpoint: /a\n", "unknown-key", "endpoint"),
    "unknown in a policy": (API + "    cors:\n      §methods: [GET]\n", "unknown-key", "methods"),
    "unknown in an application": ("applications:\n  - name: a\n    §api: []\n", "unknown-key", "api"),
    "unknown setting": (
        "settings:\n  §watt.server.cors.enable: true\n",
        "unknown-key",
        "watt.server.cors.enable",
    ),
    "merge key": ("base: &b {x: 1}\n".replace("base", "§<<"), "unknown-key", "<<"),
    "missing": ("apis:\n  - §name: a\n    version: '1'\n    type: rest\n", "missing-key", None),
    "missing in tls": ("gateway:\n  tls: §{certificate: a}\n", "missing-key", None),
    "APIs are no list": ("apis: §{a: b}\n", "wrong-type", '{"a": "b"}'),
    "APIs are nothing": ("§apis:\n", "wrong-type", "nothing"),
    "API is a string": ("apis:\n  - §petstore\n", "wrong-type", '"petstore"'),
    "gateway is a list": ("gateway: §[]\n", "wrong-type", "[]"),
    "settings are a list": ("settings: §[]\n", "wrong-type", "[]"),
    "policy is nothing": (API + "    §cors:\n", "wrong-type", "nothing"),
    "policy is a list": (API + "    cors: §[]\n", "wrong-type", "[]"),
    "timeout is a string": (API + "    native_timeout: §'30'\n", "wrong-type", '"30"'),
    "timeout is below a millisecond": (API + "    native_timeout: §0.0001\n", "wrong-type", "0.0001"),
    "timeout is negative": (API + "    native_idle_timeout: §-1\n", "wrong-type", "-1"),
    "timeout is a boolean": (API + "    websocket_idle_timeout: §false\n", "wrong-type", "false"),
    "a proxy's name": ("gateway: {trusted_proxies: [§proxy]}\n", "network-invalid", "proxy"),
    "a proxy's network has bits to spare": (
        "gateway: {trusted_proxies: [10.0.0.0/8, §10.1.0.0/8]}\n",
        "network-invalid",
        "10.1.0.0/8",
    ),
    "a proxy's network is a number": ("gateway: {trusted_proxies: [§10.0]}\n", "wrong-type", "10.0"),
    "a denied network is a name": (
        "gateway: {denied_native_networks: [§localhost]}\n",
        "network-invalid",
        "localhost",
    ),
    "a limit without a zero": ("gateway: {limits: {head_timeout: §0}}\n", "wrong-type", "0"),
    "a limit is not whole": ("gateway: {limits: {max_streams: §1.5}}\n", "wrong-type", "1.5"),
    "a limit is unknown": ("gateway: {limits: {§max_stream: 1}}\n", "unknown-key", "max_stream"),
    "timeout is not finite": (API + "    native_timeout: §.inf\n", "wrong-type", "Infinity"),
    "suspended is a string": ("applications:\n  - name: a\n    suspended: §yes\n", "wrong-type", '"yes"'),
    "application's API is a number": (
        "applications:\n  - name: a\n    apis: [§1.10]\n",
        "wrong-type",
        "1.10",
    ),
    "endpoints are a string": (API + "    endpoints: §/a\n", "wrong-type", '"/a"'),
    "origins are nothing": ("gateway:\n  §public_origins:\n", "wrong-type", "nothing"),
    "type": (API.replace("rest", "§grpc"), "wrong-type", '"grpc"'),
}


@pytest.mark.parametrize(("text", "code", "found"), SHAPE.values(), ids=SHAPE)
def test_unknown_missing_and_mistyped_keys(text: str, code: str, found: str | None) -> None:
    diagnostic = _single(text)
    assert (diagnostic.code, diagnostic.found) == (code, found)


def test_a_version_without_quotes_keeps_its_spelling_in_the_error() -> None:
    found = _single(API.replace('"1.0"', "§1.10"))
    assert (found.code, found.found, found.remedy) == ("wrong-type", "1.10", 'Quote it: "1.10"')


VALUES = {
    "name": (API.replace("petstore", "§pet/store"), "name-invalid"),
    "name is dots": (API.replace("petstore", "§.."), "name-invalid"),
    "native": (API.replace("http:", "§ftp:"), "native-invalid"),
    "endpoint": (API + "    endpoints:\n      - /a\n      - §/b/\n", "endpoint-invalid"),
    "listen": ("gateway:\n  listen: §localhost:80\n", "listen-invalid"),
    "public origin": (
        "gateway:\n  public_origins: [http://a.example, §http://b.example/]\n",
        "origin-invalid",
    ),
    "public origin is a pattern": ("gateway:\n  public_origins: [§https://*.a.example]\n", "origin-invalid"),
    "application's name": ("applications:\n  - name: §' a'\n", "name-invalid"),
    "application's origin": (
        "applications:\n  - name: a\n    javascript_origins: [§'*']\n",
        "origin-invalid",
    ),
    "policy's origin": (
        API + "    cors:\n      allowed_origins:\n        - §example.com\n",
        "origin-invalid",
    ),
    "null without quotes": (API + "    cors:\n      allowed_origins: [§null]\n", "origin-form"),
    "regex": (API + "    cors:\n      allowed_origins: [{regex: §'(?=a)'}]\n", "origin-regex"),
    "method": (API + "    cors: {allowed_methods: [GET, §TRACE]}\n", "method-forbidden"),
    "max age": (API + "    cors: {max_age: §-1}\n", "max-age-invalid"),
    "star with credentials": (
        API + "    cors: {allowed_origins: [§'*'], allow_credentials: true}\n",
        "origin-star-credentials",
    ),
    "setting": ("settings:\n  watt.server.cors.maxAge: §-2\n", "server-setting"),
    "setting's file": ("settings:\n  watt.server.cors.allowedOrigins: §file:origins.txt\n", "server-setting"),
}


@pytest.mark.parametrize(("text", "code"), VALUES.values(), ids=VALUES)
def test_invalid_values(text: str, code: str) -> None:
    assert _single(text).code == code


TWO = (
    API
    + """\
  - name: orders
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9102
"""
)

BETWEEN = {
    "API twice": (TWO.replace("orders", "§petstore"), "duplicate-name"),
    "application twice": ("applications:\n  - name: a\n  - name: §a\n", "duplicate-name"),
    "endpoint equal": (TWO + "    endpoints: [§/gateway/petstore/1.0]\n", "endpoint-conflict"),
    "endpoint inside": (TWO + "    endpoints: [/a, §/gateway/petstore/1.0/x]\n", "endpoint-conflict"),
    "endpoint around": (
        API + "    endpoints: [/a/b]\n" + TWO.removeprefix(API) + "    endpoints: [§/a]\n",
        "endpoint-conflict",
    ),
    "own endpoint inside": (API + "    endpoints: [/a, §/a/b]\n", "endpoint-conflict"),
    "default endpoint taken": (
        API + "    endpoints: [/gateway/orders/1.0]\n" + TWO.removeprefix(API).replace("orders", "§orders"),
        "endpoint-conflict",
    ),
    "API that is not there": (API + "applications:\n  - name: a\n    apis: [§petstor/1.0]\n", "unknown-api"),
}


@pytest.mark.parametrize(("text", "code"), BETWEEN.values(), ids=BETWEEN)
def test_conflicts_between_objects(text: str, code: str) -> None:
    assert _single(text).code == code


def test_the_remedy_suggests_a_similar_name() -> None:
    assert "Did you mean endpoints?" in _single(API + "    §endpoint: /a\n").remedy
    dangling = _single(API + "applications:\n  - name: a\n    apis: [§petstor/1.0]\n")
    assert dangling.remedy == "Did you mean petstore/1.0?"


def test_every_error_is_reported_at_once_and_in_order() -> None:
    reading = read_document(
        """\
gateway:
  listen: 8080
  colour: red
settings:
  watt.server.cors.enabled: maybe
apis:
  - name: petstore
    version: 1.0
    native: ftp://x
    endpoints: [/a/../b]
    cors:
      allowed_methods: [TRACE]
      allowed_origins: [nowhere, '*']
      allow_credentials: true
  - petstore
applications:
  - name: a
    apis: [nothing/1]
    suspended: 1
"""
    )
    assert [(found.code, found.place.line) for found in reading.diagnostics] == [
        ("listen-invalid", 2),
        ("unknown-key", 3),
        ("server-setting", 5),
        ("missing-key", 7),
        ("wrong-type", 8),
        ("native-invalid", 9),
        ("endpoint-invalid", 10),
        ("method-forbidden", 12),
        ("origin-invalid", 13),
        ("origin-star-credentials", 13),
        ("wrong-type", 15),
        ("unknown-api", 18),
        ("wrong-type", 19),
    ]


def test_one_invalid_origin_among_ten_thousand() -> None:
    origins = [f"        - https://shop-{n}.example.com\n" for n in range(10_000)]
    origins[7_000] = "        - §https://shop-7000.example.com/\n"
    found = _single(API + "    cors:\n      allowed_origins:\n" + "".join(origins))
    assert found.place.json_path == "$.apis[0].cors.allowed_origins[7000]"


def test_aliases_are_counted_each_time_they_are_used() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    reading = read_document(bomb)
    assert [found.code for found in reading.diagnostics] == ["yaml-size"]


def test_two_apis_share_a_policy_by_an_alias() -> None:
    text = API + "    cors: &shop {allowed_methods: [GET]}\n" + TWO.removeprefix(API) + "    cors: *shop\n"
    catalogue = read_document(text).catalogue
    assert catalogue is not None
    assert catalogue.apis["petstore/1.0"].cors == catalogue.apis["orders/1.0"].cors
