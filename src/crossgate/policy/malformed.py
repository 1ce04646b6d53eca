"""What is refused as HTTP, before any policy is asked.

A path that a native service could read as leading out of its API, methods that echo the request, and a
``Host`` that is not one host. The answers are plain: no CORS header, so no script reads them.
"""

from __future__ import annotations

from typing import Final

from crossgate.policy import names
from crossgate.policy.decision import (
    DOT_SEGMENT_IN_PATH,
    MALFORMED_HOST,
    METHOD_NOT_ALLOWED,
    Answer,
    Flow,
    Header,
    Reason,
)
from crossgate.policy.request import Request
from crossgate.policy.request_path import stays_below
from crossgate.policy.ruling import Exit

PATH_MALFORMED: Final = Flow.MALFORMED, Reason.PATH_MALFORMED
METHOD_FORBIDDEN: Final = Flow.MALFORMED, Reason.METHOD_FORBIDDEN
HOST_MALFORMED: Final = Flow.MALFORMED, Reason.HOST_MALFORMED

ECHOING_PREFIX: Final = "TRAC"
"""TRACE and TRACK, in any case of letters; no other method begins so. A native service answers them by
repeating the request, cookies included."""

MALFORMED_HOST_PATTERN: Final = r"[^@,]*[@,]\C*"
"""A ``Host`` that is more than one host: several lines are joined by commas, and ``@`` ends a user's name."""

_ANSWERS: Final = {
    Reason.PATH_MALFORMED: (400, DOT_SEGMENT_IN_PATH),
    Reason.METHOD_FORBIDDEN: (405, METHOD_NOT_ALLOWED),
    Reason.HOST_MALFORMED: (400, MALFORMED_HOST),
}


def exit_of_malformed(request: Request) -> Exit | None:
    """Where a malformed request leaves, in the order in which the gateway asks; None if it is well-formed.

    An empty path, or an empty host, is not judged.
    """
    if request.path and not stays_below(request.path):
        return PATH_MALFORMED
    if echoes(request.method):
        return METHOD_FORBIDDEN
    if "," in request.host or "@" in request.host:
        return HOST_MALFORMED
    return None


def echoes(method: str) -> bool:
    """Whether the method's answer would repeat the request."""
    return method[: len(ECHOING_PREFIX)].upper() == ECHOING_PREFIX


def answer_to_malformed(reason: Reason, vary: tuple[Header, ...]) -> Answer:
    """The answer for one of the reasons of :data:`Flow.MALFORMED`."""
    status, body = _ANSWERS[reason]
    allow = ((names.ALLOW, ", ".join(names.FORWARDED_METHODS)),) if status == 405 else ()
    return Answer(Flow.MALFORMED, reason, status, body, (*allow, *vary))
