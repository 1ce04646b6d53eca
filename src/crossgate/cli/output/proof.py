"""A proof for people: the verdict first, then what it rests on."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.text import Text

from crossgate.cli.output.console import printable
from crossgate.lint.proof import FactCode, Proof, Verdict

_VERDICTS: Final = {
    Verdict.PROVED: ("PROVED", "green", "all that it admits belongs to what is listed here"),
    Verdict.NEARMISS: ("NEARMISS", "red", "it admits domains that nobody spelled out"),
    Verdict.MANY: ("MANY", "red", "it admits a large set of domains that nobody spelled out"),
    Verdict.UNBOUNDED: ("UNBOUNDED", "red", "an attacker can register a domain that it admits"),
    Verdict.TENANT: ("TENANT", "red", "anybody can become a tenant of a public suffix that it admits"),
    Verdict.NEVER: ("NEVER", "yellow", "no browser can send an origin that it matches"),
    Verdict.INVALID: ("INVALID", "red", "RE2 refuses it"),
    Verdict.UNPROVEN: ("UNPROVEN", "red", "it could not be proved, so do not take it for safe"),
}
_FACTS: Final = {
    FactCode.NULL: "null, which any page can send",
    FactCode.HTTP: "plain http: the network can put scripts there",
    FactCode.LOOPBACK: "the user's own machine",
    FactCode.PRIVATE_IP: "an address of a private network",
    FactCode.PUBLIC_IP: "a public IP address",
    FactCode.IPV6: "an IPv6 address",
    FactCode.INTERNAL: "a name that only one's own network knows",
    FactCode.ANY_PORT: "any port",
    FactCode.OTHER_SCHEME: "another scheme",
    FactCode.PUBLIC_SUFFIX_HOST: "a public suffix itself",
    FactCode.TRAILING_DOT: "a host with a dot at its end",
    FactCode.UNESCAPED_DOT: "a dot is not escaped",
    FactCode.BROWSER_SPECIFIC: "the attack needs punctuation in a host, which not every browser lets through",
    FactCode.MATCHES_STAR: "the text *, with which some engines ask for everybody",
}
_SHOWN: Final = 20


def print_proof(console: Console, pattern: str, proof: Proof, fix: str | None) -> None:
    """Print it; coloured on a terminal."""
    word, style, sentence = _VERDICTS[proof.verdict]
    console.print(Text.assemble((word, f"bold {style}"), f" {printable(pattern)}: {sentence}"))
    for name in _listed(proof.open_suffixes, proof.domains):
        console.print(Text.assemble("  admits  ", (printable(name), "bold")))
    for label, value in (("reason", proof.reason), ("cause", proof.cause)):
        if value is not None:
            console.print(Text(f"  {label:<7} {printable(value)}"))
    if proof.witness is not None:
        attack = f"{proof.witness} (domain {proof.witness_domain})"
        console.print(Text.assemble("  attack  ", (printable(attack), "bold red")))
    for fact in proof.facts:
        example = f": {fact.example}" if fact.example is not None else ""
        console.print(Text(printable(f"  also    {_FACTS[fact.code]}{example}"), "dim"))
    if fix is not None:
        console.print(Text.assemble("  fix     ", (printable(fix), "bold green")))


def _listed(suffixes: tuple[str, ...], domains: tuple[str, ...]) -> list[str]:
    names = [*(f"any name below {suffix}" for suffix in suffixes), *domains]
    rest = len(names) - _SHOWN
    return [*names[:_SHOWN], f"and {rest:,} more"] if rest > 0 else names
