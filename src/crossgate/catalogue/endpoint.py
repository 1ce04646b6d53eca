"""Endpoints: path prefixes in the one spelling under which a request can arrive, none inside another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from crossgate.diagnostics import Diagnostic

SEGMENT_PATTERN: Final = r"[A-Za-z0-9._~@:+=,!$-]+"
ENDPOINT_PATTERN: Final = rf"(?:/{SEGMENT_PATTERN})+"
"""Without the rules on dot segments and on default forms, which :func:`parse_endpoint` adds."""

MAX_ENDPOINT: Final = 1000

DEFAULT_ROOTS: Final = ("gateway", "ws")
"""The first segments of the default endpoints. The gateway finds what lies below them by three segments, the
depth of a default endpoint, and anything else by its first; so no endpoint below them can be shorter."""

_ENDPOINT: Final = re.compile(ENDPOINT_PATTERN)


def parse_endpoint(loose: object) -> str | Diagnostic:
    """A path prefix as the gateway sees paths after it has normalised them."""
    if not isinstance(loose, str):
        return _refuse("an endpoint is a text", repr(loose), "Write a path such as /shop/v1")
    for find in (_find_shape_fault, _find_character_fault, _find_depth_fault):
        fault = find(loose)
        if fault is not None:
            return _refuse(fault[0], loose, fault[1])
    return loose


_Fault = tuple[str, str]


def _find_shape_fault(path: str) -> _Fault | None:
    if not path.startswith("/"):
        return (
            "an endpoint begins with a slash",
            f"Write /{path}" if path else "Write a path such as /shop/v1",
        )
    for mark, part in (("?", "query"), ("#", "fragment")):
        if mark in path:
            return f"an endpoint has no {part}", f"Write {path.partition(mark)[0]}"
    if path == "/":
        return (
            "an endpoint has at least one segment: / would be a prefix of every other",
            "Write a path such as /shop/v1",
        )
    if "//" in path:
        return "an endpoint has no empty segment", f"Write {re.sub('/+', '/', path)}"
    if path.endswith("/"):
        return "an endpoint does not end with a slash", f"Write {path.rstrip('/')}"
    if {".", ".."} & set(path.split("/")):
        return "an endpoint has no dot segments: no normalised path has them", "Write the path they lead to"
    return None


def _find_character_fault(path: str) -> _Fault | None:
    if len(path) > MAX_ENDPOINT:
        return f"an endpoint has at most {MAX_ENDPOINT} characters", "Shorten it"
    if "%" in path:
        return (
            "an endpoint has no escapes: one path could then be spelled in several ways",
            "Write the path with plain characters only",
        )
    if not _ENDPOINT.fullmatch(path):
        return "an endpoint consists of letters, digits and . _ ~ @ : + = , ! $ -", "Write a plainer path"
    return None


def _find_depth_fault(path: str) -> _Fault | None:
    segments = path.split("/")[1:]
    if segments[0] not in DEFAULT_ROOTS or len(segments) >= 3:
        return None
    root = segments[0]
    others = " or ".join(DEFAULT_ROOTS)
    return (
        f"an endpoint below /{root} has at least three segments, as the default /{root}/name/version has",
        f"Write /{root}/name/version, or a path that begins with something else than {others}",
    )


def _refuse(message: str, found: str, remedy: str) -> Diagnostic:
    return Diagnostic("endpoint-invalid", message, remedy, found=found)


@dataclass(frozen=True, slots=True)
class Claim:
    """An API serves an endpoint; ``index`` tells whoever asks which of its claims this is."""

    endpoint: str
    api: str
    index: int


@dataclass(slots=True)
class _Node:
    below: dict[str, _Node] = field(default_factory=dict)
    claim: Claim | None = None


def find_conflicts(claims: Iterable[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Claims that are equal to, inside or around an earlier one, each with that earlier one.

    The work is proportional to the endpoints' lengths.
    """
    root = _Node()
    for claim in claims:
        earlier = _insert(root, claim)
        if earlier is not None:
            yield claim, earlier


def _insert(root: _Node, claim: Claim) -> Claim | None:
    node = root
    for segment in claim.endpoint.split("/")[1:]:
        node = node.below.setdefault(segment, _Node())
        if node.claim is not None:
            return node.claim
    node.claim = claim
    while node.below:
        node = next(iter(node.below.values()))
        if node.claim is not None:
            return node.claim
    return None
