"""Sample paths: enough of a request's path to recognise who calls, without what identifies anybody.

Paths hold keys, tokens and names of customers. A sample path is the endpoint, the first two segments below
it, and ``*`` for each of the others, at most `MAX_SEGMENTS`. One of the two that looks like a secret, or
begins like a well-known key, is ``*`` too. What is kept is ASCII: other characters and
controls stay percent-encoded.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote

HIDDEN: Final = "*"
KEPT_SEGMENTS: Final = 2
MAX_SEGMENTS: Final = 8
MAX_SEGMENT: Final = 40
_MAX_ENDPOINT: Final = 255
_SHORT: Final = 8
"""Shorter segments are not keys, unless they hold a character of an e-mail address or an assignment."""
_SAFE: Final = "!$'()*+,-._~"
_READ: Final = 2048
"""Characters of a path that are read: those of a longer one are `HIDDEN` in any case."""

# Words as programmers write them, each with at most four digits at its end: order-items, getUsersV2,
# HTTPStatus, openapi3.json. Anything else that is long enough may be a key.
# Every quantifier of a part is possessive, and a part ends in one way only: backtracking into the parts takes
# 0.1 s for 40 letters and a sign.
_PART: Final = r"(?:(?:[A-Z](?![a-z])){1,5}+|[A-Z]?+[a-z]{1,16}+)"
_WORD: Final = re.compile(rf"[a-z]?+{_PART}{{1,6}}+[0-9]{{0,4}}+|[0-9]{{1,6}}|[a-z]")
_SEPARATORS: Final = re.compile(r"[-._~ ]")
_SECRET_SIGNS: Final = frozenset("@=:%/\\")
_MOST_DIGITS: Final = 8
_DIGIT: Final = re.compile(r"\d")
_LONGEST_NUMBER: Final = 6
_LONG_NUMBER: Final = re.compile(rf"\d{{{_LONGEST_NUMBER + 1}}}")
_PLAIN: Final = re.compile(rf"[A-Za-z0-9]{{1,{_LONGEST_NUMBER}}}")
"""Too short for a secret."""
_LONGEST_FOREIGN_WORD: Final = 20
# How keys of Stripe, GitHub, Slack, AWS, Google, GitLab, npm and our own tokens begin, a value of an
# Authorization header, and a JWT ({" in base64url). Some read like words.
_KEY_BEGINS: Final = re.compile(
    r"[^A-Za-z0-9]*+(?:[spr]k_|gh[pos]_|github_pat_|xox[bp]-|AKIA|ASIA|AIza|ya29\.|glpat-|npm_|cgt_|[Bb]earer|eyJ)"
)


def sample_path(path: str, endpoint: str) -> str:
    """The path without query, parameters and secrets; ``endpoint`` is the catalogue's, and stays whole."""
    path = path[:_READ].partition("?")[0].partition("#")[0]
    below = path
    shown = ""
    if endpoint and (path == endpoint or path.startswith(endpoint.rstrip("/") + "/")):
        shown, below = endpoint.rstrip("/")[:_MAX_ENDPOINT], path[len(endpoint.rstrip("/")) :]
    segments = [segment for segment in below.split("/") if segment]
    kept = [_shown(segment) for segment in segments[:KEPT_SEGMENTS]]
    hidden = [HIDDEN] * min(len(segments) - len(kept), MAX_SEGMENTS - KEPT_SEGMENTS)
    return "/".join((shown, *kept, *hidden)) or "/"


def _shown(segment: str) -> str:
    if _PLAIN.fullmatch(segment) and not _KEY_BEGINS.match(segment):
        return segment
    # The parameters of a segment hold session ids (";jsessionid=…"), an OData key follows in parentheses.
    # Decoded twice, since native services do.
    text = unquote(unquote(segment, errors="replace"), errors="replace")
    name = text.partition(";")[0].partition("(")[0]
    if not name or looks_secret(name):
        return HIDDEN
    shown = quote(name, safe=_SAFE)
    return shown + f"({HIDDEN})" if "(" in text and ";" not in text.partition("(")[0] else shown


def looks_secret(segment: str) -> bool:
    """Whether a decoded segment may be a key, a token, a number of somebody or an e-mail address."""
    if len(segment) > MAX_SEGMENT or not _SECRET_SIGNS.isdisjoint(segment):
        return True
    if (
        _KEY_BEGINS.match(segment)
        or _LONG_NUMBER.search(segment)
        or len(_DIGIT.findall(segment)) > _MOST_DIGITS
    ):
        return True
    return len(segment) >= _SHORT and not all(map(_is_word, filter(None, _SEPARATORS.split(segment))))


def _is_word(word: str) -> bool:
    if word.isascii():
        return _WORD.fullmatch(word) is not None
    return word.isalpha() and len(word) <= _LONGEST_FOREIGN_WORD
