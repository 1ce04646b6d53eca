"""A network of trusted proxies from which anybody on the internet connects."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject, SubjectKind

_LONGEST: Final = {4: 7, 6: 15}
"""The longest prefix of a network, by its version, that no provider of proxies has to itself."""


def _find(subject: Subject) -> Iterator[Violation]:
    for index, written in enumerate(subject.trusted_proxies):
        network = ipaddress.ip_network(written)
        if network.prefixlen <= _LONGEST[network.version] and not network.is_private:
            yield Violation(
                ("trusted_proxies", index),
                "any client on the internet counts as a trusted proxy",
                found=written,
            )


RULE = Rule(
    code="proxy-anybody",
    title="Everybody is a trusted proxy",
    severity=Severity.WARNING,
    kinds=frozenset({SubjectKind.GATEWAY}),
    rationale=(
        "The X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host of a trusted proxy reach native "
        "services as they are. A client that is taken for a proxy chooses its own address, which defeats "
        "rate limits and lists of addresses, and the host in links and redirects. Only a firewall that lets "
        "no other machine than the proxy connect to the gateway makes such a network safe."
    ),
    remedy="List the networks from which the proxies connect to the gateway",
    find=_find,
    bad=(
        Example({}, trusted_proxies=("0.0.0.0/0", "::/0")),
        Example({}, trusted_proxies=("10.0.0.0/8", "128.0.0.0/1"), about="Half of the addresses:"),
    ),
    good=(Example({}, trusted_proxies=("10.0.0.0/8", "fc00::/7", "203.0.113.0/24")),),
)
