"""Automata of fixed grammars: kinds of IP addresses, and origins as a whole.

The ``ROUGH_`` patterns match more than what they are named after and are quicker to search. A search through
one of them that finds nothing is final; what it finds is checked with the exact grammar.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from crossgate.lint.proof.automaton import Automaton
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.nfa import build
from crossgate.lint.proof.parser import parse
from crossgate.policy.origin import (
    DEFAULT_PORT_PATTERN,
    HOST_PATTERN,
    LABEL_PATTERN,
    ORIGIN_PATTERN,
    PORT_PATTERN,
)

_AMPLE: Final = 100_000_000
"""Steps for an automaton that all proofs share: it is finite, and built once."""

_BYTE: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"


def _one_of(*numbers: int) -> str:
    return "(?:" + "|".join(map(str, numbers)) + ")"


def _others(*numbers: int) -> str:
    return _one_of(*(number for number in range(256) if number not in numbers))


_REST: Final = rf"\.{_BYTE}\.{_BYTE}"
ROUGH_IPV4: Final = r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+"
ROUGH_IPV6: Final = r"\[[0-9a-f:]+\]"
LOOPBACK_IPV4: Final = rf"127\.{_BYTE}{_REST}|0\.0\.0\.0"
"""RFC 6890. Several systems deliver 0.0.0.0 to the local machine as well."""
PRIVATE_IPV4: Final = (
    rf"10\.{_BYTE}{_REST}|172\.{_one_of(*range(16, 32))}{_REST}|192\.168{_REST}|169\.254{_REST}"
    rf"|100\.{_one_of(*range(64, 128))}{_REST}"
)
"""RFC 1918, RFC 3927 (link-local) and RFC 6598 (carrier-grade NAT)."""
PUBLIC_IPV4: Final = (
    rf"{_others(0, 10, 100, 127, 169, 172, 192)}\.{_BYTE}{_REST}|172\.{_others(*range(16, 32))}{_REST}"
    rf"|192\.{_others(168)}{_REST}|169\.{_others(254)}{_REST}|100\.{_others(*range(64, 128))}{_REST}"
)


_S: Final = "[a-z0-9+.-]"
_OTHER_SCHEME: Final = (
    rf"(?:[a-gi-z]{_S}*|h|h[a-su-z0-9+.-]{_S}*|ht|ht[a-su-z0-9+.-]{_S}*|htt|htt[a-oq-z0-9+.-]{_S}*"
    rf"|http[a-rt-z0-9+.-]{_S}*|https{_S}+)"
)
"""Every scheme but http and https, letter by letter: RE2 has no look-ahead."""
_ROUGH_HOST: Final = rf"(?:(?:{LABEL_PATTERN}|\.)+|\[[0-9a-f:]+\])(?::[1-9][0-9]*)?"
ROUGH_WEB_ORIGIN: Final = rf"https?://{_ROUGH_HOST}"
ROUGH_OTHER_ORIGIN: Final = rf"{_OTHER_SCHEME}://{_ROUGH_HOST}"
OTHER_ORIGIN: Final = rf"{_OTHER_SCHEME}://{HOST_PATTERN}(?::{PORT_PATTERN})?"


@cache
def automaton_of(pattern: str) -> Automaton:
    """The shared automaton of one of the grammars."""
    return Automaton(build(parse(pattern), Budget(_AMPLE)), Budget(_AMPLE))


def origin_grammar() -> Automaton:
    """Every serialised origin but ``null``."""
    return automaton_of(ORIGIN_PATTERN)


def default_port_grammar() -> Automaton:
    """Origins that :func:`origin_grammar` accepts although they name their scheme's default port."""
    return automaton_of(DEFAULT_PORT_PATTERN)
