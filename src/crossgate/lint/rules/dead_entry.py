"""An entry that matches no origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from crossgate.diagnostics import Severity
from crossgate.lint.proof import Verdict
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.schemes import PER_INSTALLATION, advice_for
from crossgate.lint.subject import OriginEntry, Subject, SubjectKind
from crossgate.policy.javascript_regex import between_slashes
from crossgate.policy.origin_error import page_entry

_NO_EXTENSION: Final = frozenset({f"{one}://" for one in (*PER_INSTALLATION, "chrome-extension")})
"""The origin of an extension has its ID."""


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        if entry.proof.verdict is Verdict.NEVER:
            # Those of applications are found by application-origin-dead, which may be accepted already.
            if subject.kind is not SubjectKind.APPLICATION:
                yield _dead(entry)
        elif entry.source in _NO_EXTENSION:
            yield _dead(entry)
        elif (page := page_entry(entry.source)) is not None and not _has_alternatives(entry.source):
            yield Violation(
                entry.path,
                "browsers send the page's origin, and no page has this scheme",
                found=entry.source,
                remedy=f"Write {page}",
            )


def _has_alternatives(source: str) -> bool:
    """Whether an expression has alternatives outside of groups: another one may have another scheme."""
    left = re.sub(r"\\.|\[[^]]*\]", "", source, flags=re.DOTALL)
    while (shorter := re.sub(r"\([^()]*\)", "", left)) != left:
        left = shorter
    return "|" in left


def _dead(entry: OriginEntry) -> Violation:
    unwrapped = between_slashes(entry.source)
    if unwrapped is not None:
        return Violation(
            entry.path,
            "the slashes around the expression are part of it, unlike in JavaScript, so it matches no origin",
            found=entry.source,
            remedy=f"Write {unwrapped}",
        )
    return Violation(
        entry.path,
        "no browser can send an origin that matches this entry",
        found=entry.source,
        remedy=advice_for(entry.source),
    )


RULE = Rule(
    code="dead-entry",
    title="No browser can send an origin that matches the entry",
    severity=Severity.ERROR,
    rationale=(
        "Browsers serialise an origin in one way: scheme, host in lower case and punycode, and the port "
        "unless it is the default. An entry that matches only other strings allows nobody, although its "
        "author thinks that it does. The same holds for ws:// and wss://: the handshake of a WebSocket "
        "carries the origin of the page that opens it."
    ),
    remedy="Write the origin as browsers send it: scheme://host[:port]",
    find=_find,
    bad=(
        Example({"allowed_origins": [{"regex": "https://example\\.com/api/.*"}]}),
        Example({"allowed_origins": [{"regex": "https://EXAMPLE\\.com"}]}),
        Example({"allowed_origins": [{"regex": "localhost:\\d+"}]}),
        Example({"allowed_origins": [{"regex": "/^https:\\/\\/.*\\.example\\.com$/"}]}),
        Example({"allowed_origins": [{"regex": "capacitor://LOCALHOST"}]}),
        Example({"allowed_origins": ["wss://shop.example.com"]}),
        Example({"allowed_origins": ["ws://*.example.com:*"]}),
        Example({"allowed_origins": [{"regex": "wss?://(a|b)\\.example\\.com"}]}),
    ),
    good=(
        Example({"allowed_origins": [{"regex": "https://example\\.com"}]}),
        Example({"allowed_origins": [{"regex": "wss://a\\.example|https://b\\.example"}]}),
    ),
)
