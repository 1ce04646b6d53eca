"""The bootstraps, byte for byte, and that Envoy takes each of them.

To accept a change: ``CROSSGATE_WRITE_GOLDENS=1 pytest tests/golden/dataplane``, then read the diff.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.live.dataplane.static import static_bootstrap

from crossgate.dataplane.binary import locate_envoy
from crossgate.dataplane.bootstrap import bootstrap, dumps
from crossgate.net.address import HostPort, UnixSocket

HERE = Path(__file__).parent
ADMIN = Path("/run/crossgate/admin.sock")
SECRETS = Path("/run/crossgate/secrets.sock")
BOOTSTRAPS = {
    "unix": bootstrap("one", UnixSocket(Path("/run/crossgate/xds.sock")), ADMIN, SECRETS),
    "tcp": bootstrap("one", HostPort("::1", 18000), ADMIN, SECRETS),
}


@pytest.mark.parametrize("name", BOOTSTRAPS)
def test_the_bytes_are_those_of_the_golden_file(name: str) -> None:
    golden = HERE / f"{name}.json"
    if os.environ.get("CROSSGATE_WRITE_GOLDENS"):
        golden.write_bytes(BOOTSTRAPS[name])

    assert BOOTSTRAPS[name] == golden.read_bytes()


def validate(config: Path) -> tuple[int, str]:
    """Envoy's verdict on ``config``: its exit status, 0 if it takes it, and what it has to say against it."""
    options = ["--mode", "validate", "--log-level", "warning", "--config-path", str(config)]
    argv = [str(locate_envoy()), *options]
    answer = subprocess.run(argv, capture_output=True, check=False, text=True, timeout=60)
    return answer.returncode, answer.stderr


@pytest.mark.live
@pytest.mark.parametrize("name", BOOTSTRAPS)
def test_envoy_accepts_it(name: str) -> None:
    # A deprecated field is warned of, and so found here too.
    assert validate(HERE / f"{name}.json") == (0, "")


@pytest.mark.live
def test_envoy_accepts_a_regular_expression_of_a_thousand_origins(tmp_path: Path) -> None:
    origins = "|".join(rf"https://[a-z]+\.customer-{number}\.example\.com" for number in range(1000))
    document = json.loads(static_bootstrap(tmp_path / "admin.sock", 1, 9))
    routes = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    match = routes["route_config"]["virtual_hosts"][0]["routes"][0]["match"]
    match["headers"] = [{"name": "origin", "string_match": {"safe_regex": {"regex": origins}}}]
    config = tmp_path / "bootstrap.json"
    config.write_bytes(dumps(document))

    assert validate(config) == (0, "")
