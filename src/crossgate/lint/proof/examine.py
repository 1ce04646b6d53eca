"""From an expression to its proof: the order in which things are worked out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from crossgate.lint.proof import facts
from crossgate.lint.proof.attack import Attack, through_domains, through_suffix
from crossgate.lint.proof.cause import find_cause
from crossgate.lint.proof.expression import Expression
from crossgate.lint.proof.facts import Fact, FactCode
from crossgate.lint.proof.hosts import HostGraph
from crossgate.lint.proof.internal import find_internal
from crossgate.lint.proof.labels import LabelReader, any_letters
from crossgate.lint.proof.port_range import most_ports
from crossgate.lint.proof.spelled import Spelled, find_spelled
from crossgate.lint.proof.suffixes import Section, suffix_tree
from crossgate.lint.proof.verdict import Proof, Verdict
from crossgate.lint.proof.walk import Findings, OpenSuffix, Walk

MANY_SUFFIXES: Final = 16
"""Domains nobody spelled out under more public suffixes than this come from a wildcard at the right end."""
_SHOWN: Final = 100
"""Domains that are listed with a verdict other than ``proved``."""
_OPEN_TRIED: Final = 12


def examine(expression: Expression) -> Proof:
    """The proof of an expression.

    Raises:
        ExhaustedError: the expression's budget ran out.

    """
    return _Examination(expression).conclude()


@dataclass(frozen=True, slots=True)
class _Judgement:
    verdict: Verdict
    attack: Attack | None = None
    suffix: str = ""
    reason: str | None = None


class _Examination:
    def __init__(self, expression: Expression) -> None:
        self._expression = expression
        self._graph = HostGraph(expression.automaton, expression.budget)
        self._walk = Walk(self._graph, expression.budget, stop_when_open=True)
        self._found: Findings = self._walk.run(suffix_tree())
        self._all_spelled = not expression.automaton.has_choice_of_chars
        self._ports = most_ports(self._graph)
        self._spelled_once: Spelled | None = None

    @property
    def _spelled(self) -> Spelled:
        if self._spelled_once is None:
            self._spelled_once = find_spelled(self._expression.automaton, self._expression.budget)
        return self._spelled_once

    def _is_spelled(self, domain: str) -> bool:
        # What stands there letter by letter needs no second reading of the expression.
        return (
            self._all_spelled
            or domain.replace(".", r"\.") in self._expression.text
            or domain in self._spelled.domains
        )

    def conclude(self) -> Proof:
        domains = sorted(self._found.domains)
        strays = [domain for domain in domains if not self._is_spelled(domain)]
        known = tuple(self._find_facts())
        judgement = self._judge(strays)
        if judgement.verdict is Verdict.PROVED and not domains and not self._admits_any(known):
            judgement = _Judgement(Verdict.NEVER)
        attack = judgement.attack
        if attack is not None and attack.browser_specific:
            known = (*known, Fact(FactCode.BROWSER_SPECIFIC, attack.origin))
        shown = len(domains) if judgement.verdict is Verdict.PROVED else _SHOWN
        return Proof(
            verdict=judgement.verdict,
            domains=tuple(domains[:shown]),
            strays=tuple(strays[:shown]),
            open_suffixes=tuple(dict.fromkeys(s.name for s in self._found.open_suffixes))[:_SHOWN],
            witness=attack.origin if attack else None,
            witness_domain=attack.domain if attack else None,
            cause=self._cause(judgement),
            example=attack.origin if attack else self._find_example(),
            facts=known,
            ports=self._ports,
            reason=judgement.reason,
        )

    def _admits_any(self, known: tuple[Fact, ...]) -> bool:
        """Whether some origin is admitted. A bare dot is a fact about the text: it shows none."""
        return any(fact.code is not FactCode.UNESCAPED_DOT for fact in known) or (
            bool(known) and self._graph.begins & self._graph.live != 0
        )

    def _judge(self, strays: list[str]) -> _Judgement:
        by_section: dict[Section, list[OpenSuffix]] = {Section.ICANN: [], Section.PRIVATE: []}
        for open_suffix in self._found.open_suffixes:
            by_section[open_suffix.section].append(open_suffix)
        for section, verdict in ((Section.ICANN, Verdict.UNBOUNDED), (Section.PRIVATE, Verdict.TENANT)):
            if by_section[section]:
                return self._judge_open(by_section[section], verdict)
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
            attack = through_suffix(
                self._expression,
                self._graph,
                self._walk.reader(open_suffix.section),
                open_suffix,
                frozenset() if self._all_spelled else self._spelled.domains,
            )
            if attack is not None:
                return _Judgement(verdict, attack, open_suffix.name)
        names = ", ".join(open_suffix.name for open_suffix in open_suffixes[:3])
        return _Judgement(
            Verdict.UNPROVEN,
            reason=f"names below {names} seem to be admitted, but no such origin could be verified",
        )

    def _judge_strays(self, strays: list[str], verdict: Verdict) -> _Judgement:
        found = {domain: self._found.domains[domain] for domain in strays}
        attack = through_domains(self._expression, self._graph, found)
        if attack is not None:
            return _Judgement(verdict, attack, attack.domain.partition(".")[2])
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
        if judgement.attack is None:
            return None
        tenant = judgement.verdict is Verdict.TENANT
        return find_cause(self._expression.automaton, judgement.attack, judgement.suffix, tenant=tenant).value

    def _find_facts(self) -> Iterator[Fact]:
        """One fact of each kind, the first origin of it that is found."""
        seen: set[FactCode] = set()
        for fact in self._every_fact():
            if fact.code not in seen:
                seen.add(fact.code)
                yield fact

    def _every_fact(self) -> Iterator[Fact]:
        expression, graph = self._expression, self._graph
        yield from facts.find_strangers(expression)
        yield from facts.find_named(expression, graph, FactCode.LOOPBACK, facts.find_localhost(graph))
        suffix_hosts = self._found.suffix_hosts
        yield from facts.find_named(expression, graph, FactCode.PUBLIC_SUFFIX_HOST, suffix_hosts)
        remote = [*facts.find_addresses(expression, graph)]
        yield from remote
        internal = [*self._find_internal()]
        yield from internal
        remote = [fact for fact in (*remote, *internal) if fact.code is not FactCode.LOOPBACK]
        yield from self._find_http(remote)
        if self._ports >= facts.MANY_PORTS:
            yield Fact(FactCode.ANY_PORT)
        if graph.rooted:
            yield Fact(FactCode.TRAILING_DOT)
        if facts.has_bare_dot(expression):
            yield Fact(FactCode.UNESCAPED_DOT)

    def _find_internal(self) -> Iterator[Fact]:
        names = find_internal(self._graph, self._expression.budget)
        if not names:
            return
        # https://example.com also admits https://examplexcom: a harmless effect of its bare dot.
        labels = LabelReader(self._graph, any_letters(self._graph), self._expression.budget)
        effect = facts.has_bare_dot(self._expression) and not self._spelled.internal
        if not effect or labels.infinite(self._graph.ends):
            yield from facts.find_named(self._expression, self._graph, FactCode.INTERNAL, names)

    def _find_http(self, remote: list[Fact]) -> Iterator[Fact]:
        for fact in remote:
            if fact.example is not None and fact.example.startswith("http:"):
                yield Fact(FactCode.HTTP, fact.example)
                return
        http = self._graph.nodes_of("http")
        for names in self._found.domains.values():
            over_http = {name: starts & http for name, starts in names.items() if starts & http}
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
                name = {f"{label}.{open_suffix.name}": starts & http}
                yield from facts.find_named(self._expression, self._graph, FactCode.HTTP, name)
                return
