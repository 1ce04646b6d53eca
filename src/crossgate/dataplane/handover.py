"""What a program hands over to the next one that is executed in the same process (execve(2)).

It is JSON in an environment variable: numbers of descriptors that stay open, process ids, paths. The next
program may be of another version, so unknown keys are ignored and a missing key has a default.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

VARIABLE: Final = "CROSSGATE_HANDOVER"


@dataclass(frozen=True, slots=True)
class EnvoyHandover:
    """One Envoy that runs."""

    pid: int
    name: str
    """Of the supervisors of these Envoys, and their number: together the incarnation."""
    number: int
    admin_socket: str
    log_descriptor: int
    drain_until: float | None = None
    """On the monotonic clock, if it drains already."""

    @property
    def incarnation(self) -> str:
        """The name by which the control plane knows the process."""
        return f"{self.name}.{self.number}"


@dataclass(frozen=True, slots=True)
class Handover:
    """Everything that stays."""

    envoys: tuple[EnvoyHandover, ...] = ()
    """The oldest first."""
    directory: str = ""
    """The runtime directory."""
    directory_lock: int = -1
    number: int = 0
    """The highest number of an incarnation, also of those that have ended."""
    sockets: Mapping[str, int] = field(default_factory=dict)
    """Listening sockets of this process, by address."""

    @property
    def descriptors(self) -> list[int]:
        """Those that the next program inherits."""
        found = [*self.sockets.values(), *(one.log_descriptor for one in self.envoys)]
        return [*found, self.directory_lock] if self.directory else found

    def encode(self) -> str:
        """The value of the environment variable."""
        return json.dumps({"process": os.getpid(), **asdict(self)})


def take_handover(environment: MutableMapping[str, str] = os.environ) -> Handover | None:
    """Remove the handover from the environment, and return it; None if this program takes over nothing."""
    value = environment.pop(VARIABLE, None)
    if value is None:
        return None
    found: dict[str, Any] = json.loads(value)
    if found.get("process") != os.getpid():  # a child's inherited environment
        return None
    known = EnvoyHandover.__dataclass_fields__
    handover = Handover(
        tuple(
            EnvoyHandover(**{key: one[key] for key in known if key in one}) for one in found.get("envoys", ())
        ),
        found.get("directory", ""),
        found.get("directory_lock", -1),
        found.get("number", 0),
        found.get("sockets", {}),
    )
    for descriptor in handover.descriptors:
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - the standard library's
    return handover
