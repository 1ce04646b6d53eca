"""What people write about a change: text that every database keeps and every terminal shows."""

from __future__ import annotations

from typing import Final

from crossgate.diagnostics import Diagnostic, Place
from crossgate.service.errors import InvalidChange

MAX_MESSAGE: Final = 2000


def checked_message(text: str) -> str:
    """The message, without blanks around it.

    Raises:
        InvalidChange: it is too long, or has control characters other than line breaks and tabs.

    """
    message = text.strip()
    if len(message) <= MAX_MESSAGE and all(sign.isprintable() or sign in "\n\t" for sign in message):
        return message
    raise InvalidChange(
        [
            Diagnostic(
                code="message-invalid",
                message=f"a message is at most {MAX_MESSAGE} printable characters",
                remedy="Write what the change is for, in plain text",
                found=repr(message[:40]),
                place=Place(("message",)),
            )
        ]
    )
