"""Searches for holes as scanners do: with origins made from templates around the names in a pattern.

The templates are the probes that CORS scanners send (any origin, name as prefix or suffix, dot replaced, any
subdomain), applied to every name in the pattern. They read the names from the pattern itself, which a
scanner does not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import re2
from bench.lint.corpus import Case

from crossgate.lint.proof import MatchMode, suffix_list
from crossgate.policy.origin import Origin, is_well_formed

_NAME = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")


def finds(case: Case) -> str | None:
    """An origin of another domain that a template makes and the pattern admits; None if there is none."""
    text = re.sub(r"\\([./-])", r"\1", case.pattern)
    names = _NAME.findall(text)
    own = {suffix_list().registrable_domain(name) for name in names}
    ways = {MatchMode.FULL: re2.fullmatch, MatchMode.SEARCH: re2.search, MatchMode.PREFIX: re2.match}
    for origin in _probes(names):
        if not is_well_formed(origin) or ways[case.mode](case.pattern, origin) is None:
            continue
        domain = suffix_list().registrable_domain(Origin.of(origin).host)
        if domain is not None and domain not in own:
            return origin
    return None


def _probes(names: list[str]) -> Iterator[str]:
    for scheme in ("https", "http"):
        yield f"{scheme}://evil.com"
        for name in names:
            yield f"{scheme}://{name}.evil.com"
            yield f"{scheme}://evil{name}"
            yield f"{scheme}://evil-{name}"
            yield f"{scheme}://{name[1:]}"
            yield f"{scheme}://evil.{name}"
            for at, char in enumerate(name):
                if char == ".":
                    yield f"{scheme}://{name[:at]}x{name[at + 1 :]}"
