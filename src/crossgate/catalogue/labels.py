"""Labels and owners of APIs and applications: whose an object is, and by what it is selected.

Keys and values have the syntax of Kubernetes, so that one vocabulary serves both:
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set.
No decision about a request depends on them.
"""

from __future__ import annotations

import re
from typing import Final

from crossgate.diagnostics import Diagnostic

MAX_OWNER: Final = 200
_MAX_PREFIX: Final = 253
_WORD: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_DNS_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
LABEL_KEY_PATTERN: Final = rf"(?:{_DNS_LABEL}(?:\.{_DNS_LABEL})*/)?{_WORD}"
LABEL_VALUE_PATTERN: Final = rf"(?:{_WORD})?"

Labels = tuple[tuple[str, str], ...]
"""Keys and values, sorted by key, each key once."""

_KEY: Final = re.compile(LABEL_KEY_PATTERN)
_VALUE: Final = re.compile(LABEL_VALUE_PATTERN)


def parse_label_key(raw: object) -> str | Diagnostic:
    """The key of a label: at most 63 characters, after a DNS name and a slash if there is a prefix."""
    if isinstance(raw, str) and _KEY.fullmatch(raw) and len(raw.rpartition("/")[0]) <= _MAX_PREFIX:
        return raw
    return Diagnostic(
        code="label-key-invalid",
        message="a label's key must be 1 to 63 letters, digits and . _ -, a letter or digit at each end, "
        "optionally after a DNS name and a slash",
        found=raw if isinstance(raw, str) else repr(raw),
        remedy="Write for example team, or example.com/team",
    )


def parse_label_value(raw: object) -> str | Diagnostic:
    """The value of a label: at most 63 characters, or empty."""
    if isinstance(raw, str) and _VALUE.fullmatch(raw):
        return raw
    return Diagnostic(
        code="label-value-invalid",
        message="a label's value must be up to 63 letters, digits and . _ -, a letter or digit at each end",
        found=raw if isinstance(raw, str) else repr(raw),
        remedy="Write for example checkout; text of any other form belongs in owner",
    )


def parse_owner(raw: object) -> str | Diagnostic:
    """Who answers for an object, for people: printable characters, with spaces inside only."""
    if isinstance(raw, str) and 1 <= len(raw) <= MAX_OWNER and raw.isprintable() and raw == raw.strip():
        return raw
    return Diagnostic(
        code="owner-invalid",
        message=f"an owner must be 1 to {MAX_OWNER} printable characters, no space at either end",
        found=raw if isinstance(raw, str) else repr(raw),
        remedy="Write for example Checkout team, or checkout@example.com",
    )
