"""A proof for people: the verdict, then the evidence."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.text import Text

from crossgate.cli.output.console import printable
from crossgate.lint.proof import FactCode, Proof, Verdict

_VERDICTS: Final = {
    Verdict.PROVED: ("PROVED", "green", "admits only the domains listed here"),
    Verdict.NEARMISS: ("NEARMISS", "red", "admits domains that it does not spell out"),
    Verdict.MANY: ("MANY", "red", "admits a large set of domains that it does not spell out"),
    Verdict.UNBOUNDED: ("UNBOUNDED", "red", "admits domains that an attacker can register"),
    Verdict.TENANT: ("TENANT", "red", "admits a public suffix, below which anyone can get a name"),
    Verdict.UNOWNED: ("UNOWNED", "red", "admits what an attacker can have without a domain"),
    Verdict.NEVER: ("NEVER", "yellow", "matches no origin that a browser can send"),
    Verdict.INVALID: ("INVALID", "red", "not a valid RE2 expression"),
    Verdict.UNPROVEN: ("UNPROVEN", "red", "could not be proved; treat it as unsafe"),
}
_FACTS: Final = {
    FactCode.NULL: "null, which any page can send",
    FactCode.HTTP: "plain http: anyone on the network path can inject scripts into that page",
    FactCode.LOOPBACK: "the user's own machine",
    FactCode.PRIVATE_IP: "an address of a private network",
    FactCode.PUBLIC_IP: "a public IP address",
    FactCode.IPV6: "an IPv6 address",
    FactCode.PUBLIC_IP_RANGE: "a range of public IP addresses",
    FactCode.INTERNAL: "a name that only an internal network resolves",
    FactCode.ANY_PORT: "any port",
    FactCode.OTHER_SCHEME: "a scheme other than http and https",
    FactCode.SHARED_HOST: "a host at which different people publish pages",
    FactCode.PUBLIC_SUFFIX_HOST: "a public suffix itself",
    FactCode.TRAILING_DOT: "a host with a trailing dot",
    FactCode.UNESCAPED_DOT: "a dot is not escaped",
    FactCode.BROWSER_SPECIFIC: "the attack needs punctuation in a host, which not every browser accepts",
    FactCode.MATCHES_STAR: "the string *, which some engines take for all origins",
}
_MAX_DOMAINS: Final = 20
_NO_DOMAIN: Final = "admits no domain, only what is listed here"
_EXTENSIONS: Final = ("chrome-extension", "moz-extension", "safari-web-extension")


def _other_scheme(origin: str) -> str:
    """What a proof without domains means for an origin of a scheme other than http and https."""
    scheme = origin.partition("://")[0]
    if scheme == "file":
        return "admits files, which have no domain: any page on the user's device can have this origin"
    if scheme in _EXTENSIONS:
        return "admits browser extensions, which have no domain: the browser gives each its ID"
    return "admits apps, which have no domain: any app can be built with this origin"


def print_proof(console: Console, pattern: str, proof: Proof, fix: str | None) -> None:
    """Print the proof, and a fix if there is one."""
    word, style, sentence = _VERDICTS[proof.verdict]
    if proof.verdict is Verdict.PROVED and not proof.domains:
        other = proof.fact(FactCode.OTHER_SCHEME)
        sentence = _NO_DOMAIN if other is None or other.example is None else _other_scheme(other.example)
    console.print(Text.assemble((word, f"bold {style}"), f" {printable(pattern)}: {sentence}"))
    for name in _listed(proof.open_suffixes, proof.domains):
        console.print(Text.assemble("  admits  ", (printable(name), "bold")))
    for label, value in (("reason", proof.reason), ("cause", proof.cause)):
        if value is not None:
            console.print(Text(f"  {label:<7} {printable(value)}"))
    if proof.witness is not None:
        domain = "" if proof.witness_domain is None else f" (domain {proof.witness_domain})"
        attack = f"{proof.witness}{domain}"
        console.print(Text.assemble("  attack  ", (printable(attack), "bold red")))
    for fact in proof.facts:
        if proof.verdict is Verdict.UNOWNED and fact.example == proof.witness:
            continue
        example = f": {fact.example}" if fact.example is not None else ""
        console.print(Text(printable(f"  also    {_FACTS[fact.code]}{example}"), "dim"))
    if fix is not None:
        console.print(Text.assemble("  fix     ", (printable(fix), "bold green")))


def _listed(suffixes: tuple[str, ...], domains: tuple[str, ...]) -> list[str]:
    names = [*(f"any name below {suffix}" for suffix in suffixes), *domains]
    rest = len(names) - _MAX_DOMAINS
    return [*names[:_MAX_DOMAINS], f"and {rest:,} more"] if rest > 0 else names
