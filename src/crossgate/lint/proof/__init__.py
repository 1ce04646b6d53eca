r"""Proves which registrable domains an origin pattern admits, and finds an attacker's origin if too many.

A pattern goes in, a :class:`Proof` comes out; nothing here knows policies as a whole. The theory is at the
top of ``host_proof.py``.

>>> from crossgate.lint.proof import prove
>>> prove(r"https://.*example\.com").witness
'https://evilexample.com'
"""

from crossgate.lint.proof.expression import MatchMode
from crossgate.lint.proof.fix import suggest
from crossgate.lint.proof.lookup import can_be_sent, prove_exact, prove_pattern
from crossgate.lint.proof.product import Inclusion, included
from crossgate.lint.proof.prove import prove
from crossgate.lint.proof.simplify import dead_parts, listed_origins
from crossgate.lint.proof.spans import Span, deciding_spans, differing_spans
from crossgate.lint.proof.suffix_list import SuffixList, list_date, suffix_list
from crossgate.lint.proof.verdict import Fact, FactCode, Proof, Verdict

__all__ = [
    "Fact",
    "FactCode",
    "Inclusion",
    "MatchMode",
    "Proof",
    "Span",
    "SuffixList",
    "Verdict",
    "can_be_sent",
    "dead_parts",
    "deciding_spans",
    "differing_spans",
    "included",
    "list_date",
    "listed_origins",
    "prove",
    "prove_exact",
    "prove_pattern",
    "suffix_list",
    "suggest",
]
