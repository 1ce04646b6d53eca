"""Documents, the resources that they compile to, and that Envoy accepts the resources.

Each ``.yaml`` file has a ``.json`` file: the resources by kind and name, unpacked. ``make golden`` writes
them; then read the diff.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme
from google.protobuf.json_format import MessageToDict
from tests.envoy_messages import message_of

from crossgate.catalogue.document import read_document
from crossgate.compiler.incremental import Compilation
from crossgate.compiler.resource import CLUSTER, LISTENER, ROUTE_CONFIGURATION, SCOPED_ROUTE_CONFIGURATION
from crossgate.compiler.standalone import separate_scopes
from crossgate.dataplane.binary import locate_envoy
from crossgate.dataplane.bootstrap import bootstrap
from crossgate.net.address import UnixSocket

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.yaml"))
FILES = Path("/etc/crossgate")
"""The folder of the documents as far as the compiler knows: relative paths are the same on all machines."""

WIDTH = 250
"""Characters without indentation: enough for one condition of a flow, with the name of its type."""

Compiled = Mapping[str, Mapping[str, Any]]


def compiled(name: str) -> Compiled:
    """The resources by kind and name."""
    reading = read_document((HERE / f"{name}.yaml").read_text(encoding="utf-8"), folder=FILES)
    assert reading.catalogue is not None, reading.diagnostics
    compilation, _ = Compilation().advance(reading.catalogue, str(FILES / "system.pem"))
    found: dict[str, dict[str, Any]] = {}
    for (kind, resource_name), resource in sorted(compilation.resources.items()):
        message = MessageToDict(message_of(resource), preserving_proto_field_name=True)
        found.setdefault(kind, {})[resource_name] = message
    return found


def folded(value: object, indent: str = "") -> str:
    """The value as JSON for people: whatever fits into a line is on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) <= WIDTH or not isinstance(value, dict | list):
        return flat
    deeper = indent + " "
    if isinstance(value, list):
        items, (opening, closing) = [folded(one, deeper) for one in value], "[]"
    else:
        items = [f"{json.dumps(key)}: {folded(one, deeper)}" for key, one in value.items()]
        opening, closing = "{}"
    lines = f",\n{deeper}".join(items)
    return f"{opening}\n{deeper}{lines}\n{indent}{closing}"


@pytest.mark.parametrize("name", NAMES)
def test_the_resources_are_those_of_the_golden(name: str) -> None:
    golden = HERE / f"{name}.json"
    text = folded(compiled(name)) + "\n"
    if os.environ.get("CROSSGATE_WRITE_GOLDENS"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_every_golden_has_a_document() -> None:
    assert {path.stem for path in HERE.glob("*.json")} == set(NAMES)


@pytest.mark.live
@pytest.mark.parametrize("name", NAMES)
def test_envoy_accepts_it(name: str, tmp_path: Path) -> None:
    write_certificates(tmp_path)
    compiled = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    separate_scopes(compiled)
    text = json.dumps(static(compiled))
    config = tmp_path / "bootstrap.json"
    config.write_text(text.replace(str(FILES), str(tmp_path)), encoding="utf-8")
    options = ["--mode", "validate", "--log-level", "error", "--config-path", str(config)]
    verdict = subprocess.run(
        [str(locate_envoy()), *options], capture_output=True, check=False, text=True, timeout=60
    )
    assert (verdict.returncode, verdict.stderr) == (0, "")


def static(compiled: Compiled) -> Mapping[str, Any]:
    """A bootstrap that contains what the control plane would send.

    Envoy does not validate routes that come over xDS, so each route configuration is part of an internal
    listener.
    """
    scopes = [scope["route_configuration"] for scope in compiled.get(SCOPED_ROUTE_CONFIGURATION, {}).values()]
    routes = [*scopes, *compiled.get(ROUTE_CONFIGURATION, {}).values()]
    node = bootstrap(
        "golden", UnixSocket(Path("/run/xds.sock")), Path("/run/admin.sock"), Path("/run/secrets.sock")
    )
    document: dict[str, Any] = json.loads(node)
    document["static_resources"]["clusters"] += compiled.get(CLUSTER, {}).values()
    document["static_resources"]["listeners"] = [
        *compiled[LISTENER].values(),
        *(routing_listener(route) for route in routes),
    ]
    return document


def routing_listener(routes: Mapping[str, Any]) -> Mapping[str, Any]:
    extensions = "type.googleapis.com/envoy.extensions.filters"
    router = {"@type": f"{extensions}.http.router.v3.Router"}
    mutation = {"@type": f"{extensions}.http.header_mutation.v3.HeaderMutation"}
    manager = {
        "@type": f"{extensions}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "golden",
        "route_config": routes,
        "http_filters": [
            {"name": "envoy.filters.http.header_mutation", "typed_config": mutation},
            {"name": "envoy.filters.http.router", "typed_config": router},
        ],
    }
    return {
        "name": f"routes {routes['name']}",
        "internal_listener": {},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def write_certificates(folder: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("gateway.example.com")
    authority.cert_pem.write_to_path(folder / "authorities.pem")
    authority.cert_pem.write_to_path(folder / "system.pem")
    certificate.private_key_pem.write_to_path(folder / "gateway.key")
    certificate.cert_chain_pems[0].write_to_path(folder / "gateway.pem")
