"""``crossgate check``: exit codes, one line for each finding, JSON."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from tests.certificates import every_pair, good_pair
from tests.command import crossgate
from tests.native_services import ScriptedNative
from tests.ports import refusing_port

BAD = """\
gateway:
  listen: "\\e[31m8080"
apis:
  - name: petstore
    version: 1.10
    type: rest
    native: http://127.0.0.1:9101
"""


def test_the_example_is_valid_with_lint_findings() -> None:
    done = crossgate("check", "examples/gateway.yaml")
    assert (done.returncode, done.stderr) == (1, "")
    assert "examples/gateway.yaml:25:11 $.apis[0].cors.allowed_origins[2]: info: " in done.stdout
    summary = done.stdout.splitlines()[-1]
    assert summary.startswith("examples/gateway.yaml: valid, APIs: 7, applications: 1 (5 warnings")


SAFE = """\
apis:
  - name: petstore
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9101
    cors:
      allowed_origins: [https://example.com]
      allowed_methods: [GET]
      max_age: 600
"""
UNSAFE = SAFE.replace("[https://example.com]", "[{regex: 'https://.*example\\.com'}]")


def test_a_safe_policy_has_no_findings(tmp_path: Path) -> None:
    (tmp_path / "safe.yaml").write_text(SAFE)
    done = crossgate("check", "safe.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "safe.yaml: valid, APIs: 1, applications: 0\n")


def test_an_unsafe_origin_is_reported_with_its_place_and_attack(tmp_path: Path) -> None:
    (tmp_path / "unsafe.yaml").write_text(UNSAFE)
    done = crossgate("check", "unsafe.yaml", "--json", cwd=tmp_path)
    (found,) = json.loads(done.stdout)["findings"]
    assert done.returncode == 1
    assert (found["code"], found["line"], found["column"]) == ("origin-unbounded", 7, 25)
    assert found["witness"] == "https://evilexample.com"
    assert found["fix"] == r"https://(?:[a-z0-9-]+\.)*example\.com"


def test_sarif(tmp_path: Path) -> None:
    (tmp_path / "unsafe.yaml").write_text(UNSAFE)
    done = crossgate("check", "unsafe.yaml", "--format", "sarif", cwd=tmp_path)
    (run,) = json.loads(done.stdout)["runs"]
    (result,) = run["results"]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["id"] == result["ruleId"] == "origin-unbounded"
    assert result["level"] == rule["defaultConfiguration"]["level"] == "error"
    where = result["locations"][0]["physicalLocation"]
    assert where["artifactLocation"]["uri"] == "unsafe.yaml"
    assert where["region"] == {"startLine": 7, "startColumn": 25}


def test_an_accepted_finding_is_not_reported(tmp_path: Path) -> None:
    allowed = (
        "    lint: {allow: [{code: origin-unbounded, entry: 'https://.*example\\.com', reason: a test},\n"
        "      {code: localhost, entry: 'http://localhost', reason: gone}]}\n"
    )
    (tmp_path / "unsafe.yaml").write_text(UNSAFE + allowed)
    done = crossgate("check", "unsafe.yaml", "--json", cwd=tmp_path)
    (found,) = json.loads(done.stdout)["findings"]
    assert (done.returncode, found["code"], found["line"]) == (0, "allowance-unused", 11)


SETTINGS = """\
settings:
  watt.server.cors.enabled: true
  watt.server.cors.supportsCredentials: true
  watt.server.cors.maxAge: 600
  watt.server.cors.supportedHeaders: Content-Type
  watt.server.cors.allowedOrigins: file:origins.txt
"""


def test_origins_in_a_file_are_linted(tmp_path: Path) -> None:
    (tmp_path / "origins.txt").write_text("https://example.com\nr:https://.*example\\.com\nnull\n")
    for text in (SETTINGS, SETTINGS.replace("enabled: true", "enabled: false")):
        (tmp_path / "server.yaml").write_text(text)
        done = crossgate("check", "server.yaml", "--json", cwd=tmp_path)
        found = {
            (one["code"], one["found"], one["severity"], one["line"])
            for one in json.loads(done.stdout)["findings"]
        }
        assert found >= {
            ("origin-unbounded", r"r:https://.*example\.com", "error", 6),
            ("origin-null", "null", "error", 6),
        }
        assert done.returncode == 1


def test_a_suppression_without_an_entry_covers_all_and_is_reported(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(
        UNSAFE + "    lint: {allow: [{code: origin-unbounded, reason: a test}]}\n"
    )
    done = crossgate("check", "old.yaml", "--json", cwd=tmp_path)
    (found,) = json.loads(done.stdout)["findings"]
    assert (done.returncode, found["code"], found["severity"], found["line"]) == (
        1,
        "allowance-unbound",
        "warning",
        10,
    )
    assert found["remedy"] == r"Add to it the entry https://.*example\.com"


def test_accepting_a_finding_needs_a_reason(tmp_path: Path) -> None:
    (tmp_path / "unsafe.yaml").write_text(UNSAFE + "    lint: {allow: [{code: origin-unbounded}]}\n")
    assert crossgate("check", "unsafe.yaml", cwd=tmp_path).returncode == 2


def test_an_error_is_one_line_with_file_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    done = crossgate("check", "bad.yaml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "")
    listen, version, summary = done.stdout.splitlines()
    assert listen.startswith("bad.yaml:2:11 $.gateway.listen: error: ")
    assert version == (
        "bad.yaml:5:14 $.apis[0].version: error: expected a string (found 1.10)."
        ' Quote it: "1.10" [wrong-type]'
    )
    assert summary == "bad.yaml: invalid (2 errors)"


def test_control_characters_of_a_document_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    assert "\x1b" not in crossgate("check", "bad.yaml", cwd=tmp_path).stdout
    assert "\x1b" not in crossgate("check", "bad.yaml", "--json", cwd=tmp_path).stdout


def test_json(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    done = crossgate("check", "bad.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 2
    report = json.loads(done.stdout)
    assert (report["file"], report["valid"]) == ("bad.yaml", False)
    assert [(found["code"], found["line"], found["column"]) for found in report["findings"]] == [
        ("listen-invalid", 2, 11),
        ("wrong-type", 5, 14),
    ]


def test_an_empty_directory(tmp_path: Path) -> None:
    done = crossgate("check", tmp_path)
    assert done.returncode == 2
    assert "no YAML file in the directory" in done.stdout


GATEWAY = """\
gateway:
  native_ca: authorities.pem
  tls:
    certificate: gateway.pem
    key: gateway.key
"""


def test_files_of_the_gateway_are_read(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(GATEWAY + SAFE)
    missing = crossgate("check", "gateway.yaml", cwd=tmp_path)
    assert missing.returncode == 2
    authorities, certificate, key, summary = missing.stdout.splitlines()
    assert authorities.startswith("gateway.yaml:2:14 $.gateway.native_ca: error: cannot read the file: ")
    assert certificate.startswith(
        "gateway.yaml:4:18 $.gateway.tls.certificate: error: cannot read the file: "
    )
    assert key.startswith("gateway.yaml:5:10 $.gateway.tls.key: error: cannot read the file: ")
    assert summary == "gateway.yaml: valid, but not usable here, APIs: 1, applications: 0 (3 errors)"
    assert crossgate("check", "gateway.yaml", "--no-files", cwd=tmp_path).returncode == 0

    good_pair().write(tmp_path)
    (tmp_path / "authorities.pem").write_bytes(good_pair().certificate)
    assert crossgate("check", "gateway.yaml", cwd=tmp_path).returncode == 0


def test_a_native_service_at_an_address_that_is_not_allowed(tmp_path: Path) -> None:
    denied = "gateway:\n  denied_native_networks: [127.0.0.0/8]\n"
    (tmp_path / "denied.yaml").write_text(denied + SAFE)
    done = crossgate("check", "denied.yaml", "--json", cwd=tmp_path)
    [found] = json.loads(done.stdout)["findings"]
    assert (done.returncode, found["code"], found["line"]) == (2, "native-denied", 7)

    (tmp_path / "loop.yaml").write_text("gateway:\n  listen: 0.0.0.0:9101\n" + SAFE)
    done = crossgate("check", "loop.yaml", "--json", cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["findings"][0]["code"]) == (2, "native-is-gateway")


def test_names_are_resolved_only_with_reach(tmp_path: Path) -> None:
    everything = "gateway:\n  denied_native_networks: [0.0.0.0/0, '::/0']\n"
    (tmp_path / "named.yaml").write_text(everything + SAFE.replace("127.0.0.1", socket.gethostname().lower()))
    assert crossgate("check", "named.yaml", cwd=tmp_path).returncode == 0
    done = crossgate("check", "named.yaml", "--reach", "--json", cwd=tmp_path)
    codes = {found["code"] for found in json.loads(done.stdout)["findings"]}
    assert codes & {"native-denied", "native-unresolved"}


@pytest.mark.parametrize(("pair", "code"), [("expired", 1), ("an encrypted key", 2)])
def test_a_certificate_that_envoy_serves_is_a_warning(pair: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(GATEWAY.replace("  native_ca: authorities.pem\n", "") + SAFE)
    every_pair()[pair][0].write(tmp_path)
    done = crossgate("check", "gateway.yaml", "--json", cwd=tmp_path)
    [found] = json.loads(done.stdout)["findings"]
    assert (done.returncode, {found["code"]}) == (code, every_pair()[pair][1])


def test_native_services_are_called_only_with_reach(tmp_path: Path) -> None:
    with ScriptedNative() as native, refusing_port() as deaf:
        file = tmp_path / "gateway.yaml"
        file.write_text(SAFE.replace("9101", str(deaf)), encoding="utf-8")
        assert crossgate("check", str(file)).returncode == 0
        done = crossgate("check", str(file), "--reach")
        assert done.returncode == 2
        assert f"{file}:5:13 $.apis[0].native: error: native service unreachable" in done.stdout
        assert f"Connection refused (found http://127.0.0.1:{deaf})" in done.stdout
        file.write_text(SAFE.replace("9101", str(native.port)), encoding="utf-8")
        assert crossgate("check", str(file), "--reach").returncode == 0


def test_reach_sends_each_native_service_one_preflight(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    with ScriptedNative() as native:
        file.write_text(_two_apis(f"http://127.0.0.1:{native.port}/cors"), encoding="utf-8")
        assert (_codes(file), _codes(file, "--reach")) == ([], ["native-also-cors", "native-also-cors"])
        [preflight] = native.log.seen()  # none without --reach, and one for both APIs
        assert (preflight.method, preflight.target) == ("OPTIONS", "/cors")
        headers = {name.lower(): value for name, value in preflight.headers}
        assert headers["origin"] == "https://example.com"
        assert headers["access-control-request-method"] == "PUT"

        file.write_text(_two_apis(f"http://127.0.0.1:{native.port}/pets"), encoding="utf-8")
        assert _codes(file, "--reach") == []


def test_a_suppression_of_native_also_cors_is_unused_only_with_reach(
    tmp_path: Path,
) -> None:
    file = tmp_path / "gateway.yaml"
    accepted = "lint: {allow: [{code: native-also-cors, reason: also used without the gateway}]}"
    document = SAFE.replace("    cors:", f"    {accepted}\n    cors:")
    with ScriptedNative() as native:
        file.write_text(document.replace("9101", f"{native.port}/cors"), encoding="utf-8")
        assert (_codes(file), _codes(file, "--reach")) == ([], [])
        file.write_text(document.replace("9101", str(native.port)), encoding="utf-8")
        assert (_codes(file), _codes(file, "--reach")) == ([], ["allowance-unused"])


def _two_apis(native: str) -> str:
    api = "{{name: {name}, version: '1.0', type: rest, native: '{native}', cors: {policy}}}"
    policy = (
        "{allowed_origins: ['https://example.com'], allowed_methods: [PUT, GET],"
        " allow_headers: [Content-Type], max_age: 600}"
    )
    apis = [api.format(name=name, native=native, policy=policy) for name in ("cats", "dogs")]
    return f"apis: [{', '.join(apis)}]\n"


def _codes(file: Path, *options: str) -> list[str]:
    report = json.loads(crossgate("check", str(file), "--json", *options).stdout)
    return [found["code"] for found in report["findings"]]
