"""Proves what a regular expression admits: walks its hosts, collects facts, decides, finds a witness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import re2

from crossgate.lint.proof import addresses, facts
from crossgate.lint.proof.bitset import NodeSet
from crossgate.lint.proof.budget import ExhaustedError, budget_for
from crossgate.lint.proof.expression import Expression, MatchMode, read
from crossgate.lint.proof.host_graph import HostGraph
from crossgate.lint.proof.host_proof import (
    AdmittedHosts,
    LiteralNames,
    OpenSuffix,
    SuffixWalk,
    find_internal_names,
    find_literal_names,
)
from crossgate.lint.proof.labels import LabelReader, browser_letters
from crossgate.lint.proof.shared_domains import is_address_domain
from crossgate.lint.proof.suffix_list import SuffixList
from crossgate.lint.proof.suffix_trie import Section
from crossgate.lint.proof.verdict import Fact, FactCode, Proof, Verdict
from crossgate.lint.proof.witness import Cause, Witness, find_cause, witness_among, witness_below

MANY_SUFFIXES: Final = 16
"""Stray domains under more public suffixes than this come from a wildcard at the right end."""
_SHOWN: Final = 100
"""Domains that are listed with a verdict other than ``proved``."""
_OPEN_TRIED: Final = 12


_UNOWNED: Final = {
    FactCode.NULL: Cause.NULL,
    FactCode.PUBLIC_IP_RANGE: Cause.ADDRESS_RANGE,
    FactCode.SHARED_HOST: Cause.SHARED_HOST,
}
"""Facts that decide the verdict where no domain does."""


@lru_cache(maxsize=8192)
def prove(pattern: str, mode: MatchMode = MatchMode.FULL, suffixes: SuffixList | None = None) -> Proof:
    """The proof of what a regular expression admits, within the budget of its length. Never raises."""
    budget = budget_for(pattern)
    try:
        return examine(read(pattern, mode, budget, suffixes))
    except re2.error as refused:
        argument = refused.args[0] if refused.args else refused
        reason = argument.decode("utf-8", "replace") if isinstance(argument, bytes) else str(argument)
        return Proof(Verdict.INVALID, reason=reason)
    except UnicodeEncodeError:
        return Proof(Verdict.INVALID, reason="not valid UTF-8: it contains a surrogate")
    except ExhaustedError:
        return Proof(Verdict.UNPROVEN, reason="the pattern is too complex: the budget of the proof ran out")


def examine(expression: Expression) -> Proof:
    """The proof of an expression.

    Raises:
        ExhaustedError: the expression's budget ran out.

    """
    return _Examination(expression).conclude()


@dataclass(frozen=True, slots=True)
class _Judgement:
    verdict: Verdict
    witness: Witness | None = None
    suffix: str = ""
    """The public suffix of the witness's domain."""
    reason: str | None = None
    unowned: Fact | None = None
    """What an attacker can have without a domain."""


def _example_of(fact: Fact | None) -> str | None:
    return fact.example if fact else None


class _Examination:
    def __init__(self, expression: Expression) -> None:
        self._expression = expression
        self._graph = HostGraph(expression.automaton, expression.budget)
        self._walk = SuffixWalk(self._graph, expression.budget, stop_when_open=True)
        self._found: AdmittedHosts = self._walk.run(expression.suffixes.root)
        self._all_literal = not expression.automaton.has_open_tokens
        self._ports = facts.most_ports(self._graph)

    @cached_property
    def _literal(self) -> LiteralNames:
        expression = self._expression
        return find_literal_names(expression.automaton, expression.suffixes, expression.budget)

    def _is_literal(self, domain: str) -> bool:
        # A domain that the pattern contains needs no second reading of the expression.
        return (
            self._all_literal
            or domain.replace(".", r"\.") in self._expression.pattern
            or domain in self._literal.domains
        )

    def conclude(self) -> Proof:
        domains = sorted(self._found.domains)
        strays = [domain for domain in domains if not self._is_literal(domain)]
        known = tuple(self._find_facts())
        judgement = self._judge(strays)
        if judgement.verdict is Verdict.PROVED:
            unowned = next((fact for fact in known if fact.code in _UNOWNED), None)
            if unowned is not None:
                judgement = _Judgement(Verdict.UNOWNED, unowned=unowned)
            elif not domains and not self._admits_any(known):
                judgement = _Judgement(Verdict.NEVER)
        witness = judgement.witness
        if witness is not None and witness.browser_specific:
            known = (*known, Fact(FactCode.BROWSER_SPECIFIC, witness.origin))
        complete = judgement.verdict in (Verdict.PROVED, Verdict.UNOWNED)
        shown = len(domains) if complete else _SHOWN
        return Proof(
            verdict=judgement.verdict,
            domains=tuple(domains[:shown]),
            strays=tuple(strays[:shown]),
            open_suffixes=tuple(dict.fromkeys(s.name for s in self._found.open_suffixes))[:_SHOWN],
            witness=witness.origin if witness else _example_of(judgement.unowned),
            witness_domain=witness.domain if witness else None,
            cause=self._cause(judgement),
            example=witness.origin if witness else self._find_example(),
            facts=known,
            ports=self._ports,
            reason=judgement.reason,
        )

    def _admits_any(self, known: tuple[Fact, ...]) -> bool:
        """Whether some origin is admitted, by what is known of a pattern that admits no domain."""
        codes = {fact.code for fact in known} - {FactCode.MATCHES_STAR}  # no browser sends *
        if codes == {FactCode.UNESCAPED_DOT}:
            # A property of the pattern, which shows no origin; but internal names go unreported beside it.
            return self._graph.begins & self._graph.live != 0
        return bool(codes)

    def _judge(self, strays: list[str]) -> _Judgement:
        by_section: dict[Section, list[OpenSuffix]] = {Section.ICANN: [], Section.PRIVATE: []}
        for open_suffix in self._found.open_suffixes:
            by_section[open_suffix.section].append(open_suffix)
        for section, verdict in ((Section.ICANN, Verdict.UNBOUNDED), (Section.PRIVATE, Verdict.TENANT)):
            if by_section[section]:
                return self._judge_open(by_section[section], verdict)
        nobodys = [domain for domain in strays if is_address_domain(domain)]
        if nobodys:
            return self._judge_strays(nobodys, Verdict.TENANT)
        if self._found.too_many:
            return self._judge_strays(strays or sorted(self._found.domains), Verdict.MANY)
        if strays:
            suffixes = {domain.partition(".")[2] for domain in strays}
            return self._judge_strays(
                strays, Verdict.MANY if len(suffixes) > MANY_SUFFIXES else Verdict.NEARMISS
            )
        return _Judgement(Verdict.PROVED)

    def _judge_open(self, open_suffixes: list[OpenSuffix], verdict: Verdict) -> _Judgement:
        for open_suffix in open_suffixes[:_OPEN_TRIED]:
            witness = witness_below(
                self._expression,
                self._graph,
                self._walk.reader(open_suffix.section),
                open_suffix,
                frozenset() if self._all_literal else self._literal.domains,
            )
            if witness is not None:
                return _Judgement(verdict, witness, open_suffix.name)
        names = ", ".join(open_suffix.name for open_suffix in open_suffixes[:3])
        return _Judgement(
            Verdict.UNPROVEN,
            reason=f"names below {names} seem to be admitted, but no such origin could be verified",
        )

    def _judge_strays(self, strays: list[str], verdict: Verdict) -> _Judgement:
        found = {domain: self._found.domains[domain] for domain in strays}
        witness = witness_among(self._expression, self._graph, found)
        if witness is not None:
            return _Judgement(verdict, witness, witness.domain.partition(".")[2])
        return _Judgement(
            Verdict.UNPROVEN,
            reason=f"{strays[0]} seems to be admitted, but no such origin could be verified",
        )

    def _find_example(self) -> str | None:
        for names in self._found.domains.values():
            for fact in facts.find_named(self._expression, self._graph, FactCode.HTTP, names):
                return fact.example
        return None

    def _cause(self, judgement: _Judgement) -> str | None:
        if judgement.unowned is not None:
            return _UNOWNED[judgement.unowned.code].value
        if judgement.witness is None:
            return None
        tenant = judgement.verdict is Verdict.TENANT
        automaton = self._expression.automaton
        return find_cause(automaton, judgement.witness, judgement.suffix, tenant=tenant).value

    def _find_facts(self) -> Iterator[Fact]:
        """One fact of each code: the first that is found."""
        seen: set[FactCode] = set()
        for fact in self._every_fact():
            if fact.code not in seen:
                seen.add(fact.code)
                yield fact

    def _every_fact(self) -> Iterator[Fact]:
        expression, graph = self._expression, self._graph
        yield from facts.find_non_web(expression)
        yield from facts.find_named(expression, graph, FactCode.LOOPBACK, facts.find_localhost(graph))
        suffix_hosts = self._found.suffix_hosts
        yield from facts.find_named(expression, graph, FactCode.PUBLIC_SUFFIX_HOST, suffix_hosts)
        if not self._walk.stopped:
            yield from facts.find_shared_host(expression, graph)
        hosts = [*addresses.find_addresses(expression, graph)]
        yield from hosts
        public = any(fact.code in (FactCode.PUBLIC_IP, FactCode.IPV6) for fact in hosts)
        if public and not self._walk.stopped:
            # Where an attacker can register a domain, a range changes nothing and may cost the whole budget.
            yield from addresses.find_address_range(expression, graph)
        internal = [*self._find_internal()]
        yield from internal
        yield from self._find_http(
            [fact for fact in (*hosts, *internal) if fact.code is not FactCode.LOOPBACK]
        )
        if self._ports >= facts.MANY_PORTS:
            yield Fact(FactCode.ANY_PORT)
        if graph.rooted:
            yield Fact(FactCode.TRAILING_DOT)
        if facts.has_bare_dot(expression):
            yield Fact(FactCode.UNESCAPED_DOT)

    def _find_internal(self) -> Iterator[Fact]:
        names = find_internal_names(self._graph, self._expression.suffixes, self._expression.budget)
        if not names:
            return
        # https://example.com also admits https://examplexcom: a harmless effect of its bare dot.
        labels = LabelReader(self._graph, browser_letters(self._graph), self._expression.budget)
        harmless = facts.has_bare_dot(self._expression) and not self._literal.internal
        if not harmless or labels.is_infinite(self._graph.ends):
            yield from facts.find_named(self._expression, self._graph, FactCode.INTERNAL, names)

    def _find_http(self, remote: list[Fact]) -> Iterator[Fact]:
        """An http origin of another machine: one of the facts, or below a domain or an open suffix."""
        for fact in remote:
            if fact.example is not None and fact.example.startswith("http:"):
                yield Fact(FactCode.HTTP, fact.example)
                return
        http = self._graph.nodes_of("http")
        for names in self._found.domains.values():
            over_http = {name: NodeSet(starts & http) for name, starts in names.items() if starts & http}
            if over_http:
                yield from facts.find_named(self._expression, self._graph, FactCode.HTTP, over_http)
                return
        for open_suffix in self._found.open_suffixes:
            if open_suffix.nodes & http:
                yield from self._open_over_http(open_suffix)
                return

    def _open_over_http(self, open_suffix: OpenSuffix) -> Iterator[Fact]:
        http = self._graph.nodes_of("http")
        reader = self._walk.reader(open_suffix.section)
        for label, starts in reader.samples(open_suffix.nodes):
            if starts & http:
                name = {f"{label}.{open_suffix.name}": NodeSet(starts & http)}
                yield from facts.find_named(self._expression, self._graph, FactCode.HTTP, name)
                return
