"""What the extra ``lint`` must do: check, prove, explain and plan, and name the extra of other verbs."""

import json
import subprocess
import sys
from pathlib import Path

COMMAND = Path(sys.prefix, "bin", "crossgate")
DOCUMENT = """
apis:
  - name: petstore
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9101/v2
    cors: {allowed_origins: [{regex: 'https://.*example\\.com'}], allowed_methods: [GET]}
"""


def crossgate(*arguments):
    ran = subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.returncode, ran.stdout, ran.stderr


Path("gateway.yaml").write_text(DOCUMENT)
code, printed, _ = crossgate("check", "--json", "gateway.yaml")
assert code == 1, printed
assert "origin-unbounded" in [one["code"] for one in json.loads(printed)["findings"]], printed
code, printed, wrong = crossgate("check", "--reach", "--format", "sarif", "gateway.yaml")
assert (code, "native-unreachable" in printed) == (2, True), (printed, wrong)
code, printed, _ = crossgate("prove", "--regex", r"https://.*example\.com")
assert (code, "example.com" in printed) == (1, True), printed
code, printed, wrong = crossgate(
    "explain", "gateway.yaml", "--api", "petstore/1.0", "--origin", "https://x.test"
)
assert (code, "403" in printed) == (0, True), (printed, wrong)
DESCRIPTION = """
swagger: "2.0"
info: {title: pets, version: "1"}
host: pets.example.com
schemes: [https]
paths: {/pets: {get: {responses: {"200": {description: ok}}}}}
"""
Path("pets.yaml").write_text(DESCRIPTION)
code, printed, wrong = crossgate("import", "pets.yaml", "-o", "gateway.yaml")
assert (code, "API pets/1: added" in printed) == (0, True), (printed, wrong)
code, _, wrong = crossgate("plan", "gateway.yaml", "--server", "http://127.0.0.1:1", "--token", "t")
assert (code, "127.0.0.1:1" in wrong) == (2, True), (code, wrong)
code, _, wrong = crossgate("run", "gateway.yaml")
assert (code, "pip install 'crossgate[gateway]'" in wrong) == (2, True), (code, wrong)
code, printed, _ = crossgate("--version")
print(printed.removeprefix("crossgate ").strip())
