"""What Envoy's message about a rejected resource means, and what to do, for messages that are known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class RejectionCause:
    """Two sentences for people, without full stop; both empty if the message is not known."""

    cause: str = ""
    remedy: str = ""


_OTHER_ENVOY: Final = (
    "Compare the versions: `crossgate node` starts the Envoy that this control plane compiles for"
)
_KNOWN: Final = (
    (
        r"program size of (?P<size>\d+) > max program size of (?P<limit>\d+) set for the error level",
        "This Envoy has its own bootstrap: it limits regular expressions to {limit}, and this one has {size}",
        "Start it by `crossgate node`, or raise `re2.max_program_size.error_level` there",
    ),
    (
        r"(?:cannot|unable to) bind '?(?P<address>[^']*?)'?: Address already in use",
        "Another program on the node's machine listens at {address}",
        "Stop that program, or change `gateway.listen`",
    ),
    (
        r"(?:cannot|unable to) bind '?(?P<address>[^']*?)'?: Permission denied",
        "The node may not listen at {address}: ports below 1024 need a permission",
        "Give Envoy the capability CAP_NET_BIND_SERVICE, or choose a port above 1023",
    ),
    (
        r"(?:cannot|unable to) bind '?(?P<address>[^']*?)'?: Cannot assign requested address",
        "The node's machine does not have the address {address}",
        "Listen at 0.0.0.0 or ::, or at an address that all nodes have",
    ),
    (
        r"(?:invalid path|unable to read file|file (?:does not exist|not found)):? '?(?P<path>/[^' ,]*)",
        "The file {path} cannot be read on the node's machine",
        "Copy the file there, readable for the user of Envoy",
    ),
    (
        r"(?:has unknown fields|[Cc]annot find field|no such field)",
        "This Envoy does not know a field of the configuration: its version is another one",
        _OTHER_ENVOY,
    ),
    (
        r"[Dd]idn't find a registered (?:implementation|factory)[^']*(?:'(?P<name>[^']*)')?",
        "This Envoy was built without an extension that the gateway uses",
        _OTHER_ENVOY,
    ),
)
_PATTERNS: Final = tuple((re.compile(pattern), cause, remedy) for pattern, cause, remedy in _KNOWN)


def find_rejection_cause(message: str) -> RejectionCause:
    """The cause that Envoy's message names."""
    for pattern, cause, remedy in _PATTERNS:
        found = pattern.search(message)
        if found is not None:
            return RejectionCause(cause.format(**found.groupdict("")), remedy)
    return RejectionCause()
