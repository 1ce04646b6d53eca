"""``crossgate explain``: the verdict, the steps, the headers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.command import crossgate

EXAMPLE = "examples/gateway.yaml"


def test_an_allowed_preflight() -> None:
    request = "--origin http://test2.com --request-method PUT --request-headers Test1,test2"
    done = crossgate("explain", EXAMPLE, "--api", "petstore/1.0", *request.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        done.stdout
        == """\
ALLOWED the gateway answers this preflight with 200
OPTIONS from http://test2.com to petstore/1.0 (preflight-allowed)

  ✓ What kind of request is OPTIONS? OPTIONS: judged as a preflight
  ✓ Is there an Origin? http://test2.com
  ✓ Is the origin allowed? http://test2.com
  ✓ Is there an Access-Control-Request-Method? PUT
  ✓ Is the requested method allowed? PUT
  ✓ Is every requested header allowed? Test1,test2

Response headers:
  Access-Control-Allow-Origin: http://test2.com
  Access-Control-Allow-Credentials: true
  Access-Control-Allow-Methods: POST, GET, PUT
  Access-Control-Allow-Headers: test1, test2, Content-Type
  Access-Control-Max-Age: 100
  Vary: Origin
"""
    )


FORWARDED = "FORWARDED to the native service"
REFUSED = "REFUSED the gateway answers"


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        ("petstore/1.0 --origin http://test2.com", f"{FORWARDED}: the origin is allowed"),
        ("petstore/1.0 --origin http://evil.org", f"{REFUSED} 403 Specified Origin is not allowed"),
        ("petstore/1.0 --origin null --sec-fetch-site same-origin", f"{FORWARDED}: not a CORS request"),
        ("petstore/1.0 --method OPTIONS", f"{REFUSED} 405 Method Not Allowed"),
        ("petstore/1.0", f"{FORWARDED}: not a CORS request"),
        ("petstore/1.0 --origin http://127.0.0.1:9105", f"{FORWARDED}: the origin is allowed"),
        ("parcels/1.0 --origin http://evil.org", f"{FORWARDED}: the API has no policy"),
        (
            "parcels-watched/1.0 --origin http://evil.org",
            f"{FORWARDED}, in observe mode;",
        ),
    ],
)
def test_verdicts(arguments: str, verdict: str) -> None:
    done = crossgate("explain", EXAMPLE, "--api", *arguments.split())
    assert done.returncode == 0
    assert done.stdout.startswith(verdict)


@pytest.mark.parametrize(
    ("arguments", "verdict", "step"),
    [
        ("--path /gateway/petstore/1.0/%2e%2e;/x", "REFUSED the gateway answers 400", "✗ Is the path free"),
        ("--path /gateway/petstore/1.0/P('a%2Fb')", FORWARDED, "✓ Is the path free"),
        ("--path http://gw.example/gateway/petstore/1.0/x", FORWARDED, "✓ Is the path free"),
        ("--path /x#y", "REFUSED the gateway answers 400", "✗ Is the path one that Envoy accepts? /x#y"),
        ("--api petstore/1.0 --method TRACE", "REFUSED the gateway answers 405", "✗ Is the method one"),
        ("--api petstore/1.0 --host u@h", "REFUSED the gateway answers 400", "✗ Is the Host one host"),
    ],
)
def test_malformed_requests(arguments: str, verdict: str, step: str) -> None:
    done = crossgate("explain", EXAMPLE, *arguments.split())
    assert done.returncode == 0
    assert done.stdout.startswith(verdict)
    assert step in done.stdout


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("--path /nowhere/x", "no API serves this path (found /nowhere/x)"),
        ("--api parcels/1.0 --path /gateway/petstore/1.0/x", "the path leads to API petstore/1.0"),
        ("", "--api or --path is required"),
    ],
)
def test_paths_that_lead_to_no_such_api(arguments: str, error: str) -> None:
    done = crossgate("explain", EXAMPLE, *arguments.split())
    assert done.returncode == 2
    assert error in done.stderr


def test_a_spelling_that_check_would_correct() -> None:
    done = crossgate("explain", EXAMPLE, "--api", "petstore/1.0", "--origin", "http://test2.com:80/")
    assert done.returncode == 0
    assert done.stdout.startswith("REFUSED the gateway answers 403 Specified Origin is not allowed\n")
    hint = "the origin has a path; browsers send http://test2.com, which is allowed. Write http://test2.com"
    assert f"\nHint: {hint}\n" in done.stdout


def test_the_nearest_allowed_origin() -> None:
    done = crossgate("explain", EXAMPLE, "--api", "petstore/1.0", "--origin", "https://test2.com", "--json")
    assert json.loads(done.stdout)["hint"] == {
        "message": "the nearest allowed origin is http://test2.com: scheme http, not https",
        "remedy": "Allow https://test2.com only if you trust its pages",
        "write": None,
        "nearest": "http://test2.com",
    }


def test_json() -> None:
    done = crossgate("explain", EXAMPLE, "--api", "petstore/1.0", "--origin", "http://evil.org", "--json")
    explained = json.loads(done.stdout)
    assert explained["request"]["method"] == "GET"
    assert explained["decision"] == {
        "action": "answer",
        "flow": "cors-request",
        "reason": "origin-refused",
        "headers": [{"name": "Vary", "value": "Origin"}],
        "status": 403,
        "body": "Specified Origin is not allowed",
    }
    assert [step["passed"] for step in explained["steps"]] == [True, False]


def test_an_unknown_api() -> None:
    done = crossgate("explain", EXAMPLE, "--api", "petstor/1.0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: the document declares no such API (found petstor/1.0).")
    assert "--api petstore/1.0" in done.stderr


def test_only_server_level_cors_needs_no_api(tmp_path: Path) -> None:
    assert crossgate("explain", EXAMPLE, "--origin", "http://test2.com").returncode == 2
    (tmp_path / "gateway.yaml").write_text(
        "settings:\n  watt.server.cors.enabled: true\n  watt.server.cors.allowedOrigins: http://a.example\n"
    )
    done = crossgate("explain", tmp_path / "gateway.yaml", "--origin", "http://b.example")
    assert done.returncode == 0
    assert done.stdout.startswith("REFUSED the gateway answers 403 Specified Origin is not allowed\n")
    assert "Lint findings for this policy:" in done.stdout
    assert "the entry admits http://a.example" in done.stdout


def test_an_invalid_document_is_reported_as_by_check(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("apis: [\n")
    done = crossgate("explain", tmp_path / "gateway.yaml", "--api", "a/1")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{tmp_path}/gateway.yaml:2:1: error: invalid YAML" in done.stderr
