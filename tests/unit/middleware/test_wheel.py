"""The wheel, installed with RE2 and nothing else, imports and serves."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import distribution
from pathlib import Path
from typing import Final
from zipfile import ZipFile

ROOT: Final = Path(__file__).parents[3]

PROGRAM: Final = """
import sys, threading, urllib.error, urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server
import crossgate
from crossgate.diagnostics import InvalidInput
from crossgate.middleware import CorsMiddleware, WsgiCorsMiddleware, build_policy, policy_of

assert crossgate.__file__.startswith(sys.prefix)

class Silent(WSGIRequestHandler):
    def log_message(self, *_): pass

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]

policy = build_policy(allowed_origins=["https://*.example.com"], allowed_methods=["GET"])
with make_server("127.0.0.1", 0, WsgiCorsMiddleware(app, policy), handler_class=Silent) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for origin, status in (("https://shop.example.com", 200), ("https://evil.example.org", 403)):
        url = f"http://127.0.0.1:{server.server_port}/"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers={"Origin": origin})) as answer:
                seen = answer.status
        except urllib.error.HTTPError as error:
            seen = error.code
        assert seen == status, (origin, seen)
    server.shutdown()

try:
    policy_of("gateway.yaml", "petstore/1.0")
except InvalidInput as refused:
    print(refused.diagnostics[0].code)
"""


def test_the_base_installation_serves_and_says_what_documents_need(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = tmp_path.glob("*.whl")
    environment = tmp_path / "venv"
    venv.create(environment, symlinks=True)
    packages = Path(
        sysconfig.get_path("purelib", "venv", {"base": str(environment), "platbase": str(environment)})
    )
    with ZipFile(wheel) as files:
        files.extractall(packages)
        (metadata,) = (name for name in files.namelist() if name.endswith(".dist-info/METADATA"))
        required = [
            line.removeprefix("Requires-Dist: ")
            for line in files.read(metadata).decode().splitlines()
            if line.startswith("Requires-Dist:") and "extra ==" not in line
        ]
    assert [name.partition(">")[0] for name in required] == ["google-re2"]
    for file in distribution("google-re2").files or ():
        if ".." not in file.parts:
            target = packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(Path(str(file.locate())).resolve())
    ran = subprocess.run(
        [environment / "bin" / "python", "-I", "-c", PROGRAM],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ran.stderr, ran.stdout) == ("", "extra-missing\n")
