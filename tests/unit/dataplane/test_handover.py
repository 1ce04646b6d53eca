"""What one program leaves for the next one in the environment."""

from __future__ import annotations

import json
import os
from typing import Any

from crossgate.dataplane.handover import VARIABLE, EnvoyHandover, Handover, take_handover


def test_the_next_program_gets_what_was_handed_over() -> None:
    log, lock, listening = os.pipe()[0], os.pipe()[0], os.pipe()[0]
    for one in (log, lock, listening):
        os.set_inheritable(one, True)
    envoy = EnvoyHandover(7, "name", 3, "/run/admin.sock", log, 12.5)
    handover = Handover((envoy,), "/run/crossgate-x", lock, 4, {"127.0.0.1:8090": listening})
    assert sorted(handover.descriptors) == sorted((log, lock, listening))
    environment = {VARIABLE: handover.encode(), "OTHER": "kept"}
    assert take_handover(environment) == handover
    # No child of it gets the variable or the descriptors.
    assert environment == {"OTHER": "kept"}
    assert not any(os.get_inheritable(one) for one in handover.descriptors)
    assert envoy.incarnation == "name.3"


def test_a_program_that_was_started_as_usual_takes_nothing_over() -> None:
    assert take_handover({}) is None


def test_a_child_that_inherited_the_variable_takes_nothing_over() -> None:
    value = json.loads(Handover().encode()) | {"process": os.getppid()}
    environment = {VARIABLE: json.dumps(value)}
    assert take_handover(environment) is None
    assert environment == {}


def test_other_versions_have_other_keys() -> None:
    newer = {"process": os.getpid(), "envoys": [{**_ENVOY, "new": 1}], "new": {}}
    assert take_handover({VARIABLE: json.dumps(newer)}) == Handover((EnvoyHandover(**_ENVOY),))


_LOG = os.pipe()[0]
_ENVOY: dict[str, Any] = {"pid": 7, "name": "n", "number": 1, "admin_socket": "/a", "log_descriptor": _LOG}
