r"""Which registrable domains an origin pattern can admit, proven; where that is wrong, who would use it.

A pattern goes in, a :class:`Proof` comes out; nothing here knows of policies as a whole.

>>> from crossgate.lint.proof import prove
>>> prove(r"https://.*example\.com").witness
'https://evilexample.com'
"""

from crossgate.lint.proof.expression import MatchMode
from crossgate.lint.proof.facts import Fact, FactCode
from crossgate.lint.proof.fix import suggest
from crossgate.lint.proof.forms import prove_exact, prove_pattern
from crossgate.lint.proof.inclusion import Inclusion, included
from crossgate.lint.proof.prove import prove
from crossgate.lint.proof.verdict import Proof, Verdict

__all__ = [
    "Fact",
    "FactCode",
    "Inclusion",
    "MatchMode",
    "Proof",
    "Verdict",
    "included",
    "prove",
    "prove_exact",
    "prove_pattern",
    "suggest",
]
