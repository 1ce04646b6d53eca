"""``python -m bench.lint [GIXY-NG [GIXY]]`` prints the figures of docs/explanation/proof.md."""

from __future__ import annotations

import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bench.lint import gixy, templates
from bench.lint.corpus import NOT_SAFE, Case, load
from tests.hostile_patterns import HOSTILE

from crossgate.catalogue.model import Api, ApiType, Application, Catalogue, NativeService
from crossgate.lint.check import CatalogueFindings, check_catalogue
from crossgate.lint.proof import prove, suggest
from crossgate.policy import build_policy

PATHOLOGICAL = {
    ".{1,63}": r"https://.{1,63}",
    ".{1,63} below com": r"https://.{1,63}\.com",
    ".*a.{16}": r"https://.*a.{16}",
    ".*a.{16} below example.com": r"https://.*a.{16}\.example\.com",
    "200 alternatives, one domain": r"https://(?:"
    + "|".join(f"h{n}" for n in range(200))
    + r")\.example\.com",
    "200 alternatives, 200 domains": r"https://(?:" + "|".join(f"host{n}\\.com" for n in range(200)) + ")",
    "nested repeats": r"https://(?:(?:a{1,10}){1,10}){1,10}\.example\.com",
    "labels of counted letters": r"https://(?:[a-z0-9]{1,63}\.){1,8}example\.com",
    "two letters and any suffix": r"https://[a-z]{2}\.[a-z]+",
}

HOSTILE_AIM = 5_000
"""Milliseconds of CPU time that a proof may take at most."""


def main() -> None:
    cases = load()
    prove("https?://.*")  # builds what all proofs share
    _time_corpus(cases)
    _time_pathological()
    _time_hostile()
    _compare(cases, sys.argv[1:])
    _time_catalogue()


def _milliseconds(pattern: str, case: Case | None = None) -> float:
    best = float("inf")
    for _ in range(3):
        prove.cache_clear()
        started = time.process_time()
        case.prove() if case else prove(pattern)
        best = min(best, time.process_time() - started)
    return best * 1000


def _time_corpus(cases: list[Case]) -> None:
    times = sorted(_milliseconds(case.pattern, case) for case in cases)
    percentile = statistics.quantiles(times, n=100)
    print(f"corpus: {len(times)} patterns, median {statistics.median(times):.1f} ms", end="")
    print(f", p90 {percentile[89]:.0f}, p99 {percentile[98]:.0f}, most {times[-1]:.0f} ms")
    fixes = []
    for case in cases:
        if case.prove().verdict in NOT_SAFE:
            suggest.cache_clear()
            started = time.process_time()
            suggest(case.pattern, case.mode)
            fixes.append((time.process_time() - started) * 1000)
    print(f"looking for a fix: {len(fixes)} patterns, median {statistics.median(fixes):.1f} ms", end="")
    print(f", most {max(fixes):.0f} ms")


def _time_pathological() -> None:
    for name, pattern in PATHOLOGICAL.items():
        took = _milliseconds(pattern)
        prove.cache_clear()
        tracemalloc.start()
        proof = prove(pattern)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(f"{name}: {took:.0f} ms, {peak / 2**20:.1f} MiB, {proof.verdict.value}")


def _time_hostile() -> None:
    slowest = max(_milliseconds(pattern) for pattern in HOSTILE)
    verdict = "met" if slowest < HOSTILE_AIM else "MISSED"
    print(
        f"{len(HOSTILE)} hostile patterns: most {slowest:.0f} ms; the aim, {HOSTILE_AIM:,} ms, is {verdict}"
    )


def _compare(cases: list[Case], commands: list[str]) -> None:
    ways: dict[str, Callable[[Case], bool | None]] = {"crossgate prove": _proves, "templates": _probes}
    for command in commands:
        ways["gixy-ng" if "ng" in command else "gixy"] = partial(gixy.finds, command=command)
    bad = [case for case in cases if case.bad]
    print(f"{len(bad)} bad patterns, {len(cases) - len(bad)} others")
    for name, way in ways.items():
        answers = {case.number: way(case) for case in cases}
        found = [case.number for case in bad if answers[case.number]]
        missed = [case.number for case in bad if not answers[case.number]]
        false = [case.number for case in cases if not case.bad and answers[case.number]]
        failed = [number for number, answer in answers.items() if answer is None]
        print(f"{name}: finds {len(found)}, misses {missed}, false alarms {false}, fails on {failed}")


def _proves(case: Case) -> bool:
    return case.prove().verdict in NOT_SAFE


def _probes(case: Case) -> bool:
    return templates.finds(case) is not None


def _time_catalogue() -> None:
    _check_large(patterns=50)
    catalogue, first = _check_large(patterns=5_000)
    api = catalogue.apis["api-7/1.0"]
    changed = build_policy(allowed_origins=[{"regex": r"https://.*other7\.com"}], max_age=600)
    apis = {**catalogue.apis, api.key: replace(api, cors=changed)}
    started = time.process_time()
    second = check_catalogue(replace(catalogue, apis=apis), first)
    took = (time.process_time() - started) * 1000
    print(f"after one change: {took:.0f} ms, {second.checked} checked")


def _check_large(patterns: int) -> tuple[Catalogue, CatalogueFindings]:
    catalogue = _large_catalogue(apis=5_000, origins_each=20, patterns=patterns)
    started = time.process_time()
    report = check_catalogue(catalogue)
    took = time.process_time() - started
    print(f"5,000 APIs, {2 * patterns:,} different patterns, 100,000 origins: {took:.1f} s", end="")
    print(f", {sum(1 for _ in report.findings())} findings")
    return catalogue, report


def _large_catalogue(apis: int, origins_each: int, patterns: int) -> Catalogue:
    def api(number: int) -> Api:
        policy = build_policy(
            allowed_origins=[
                f"https://shop{number}.example",
                f"https://*.shop{number % patterns}.example.com",
                {"regex": rf"https://pr-[0-9]+\.preview{number % patterns}\.example\.com"},
            ],
            allowed_methods=["GET", "POST"],
            allow_headers=["Content-Type"],
            max_age=600,
        )
        key = f"/gateway/api-{number}/1.0"
        native = NativeService("http", "127.0.0.1", 9101)
        return Api(f"api-{number}", "1.0", ApiType.REST, native, (key,), policy, trusted_domains=())

    shops = [
        Application(
            f"shop-{number}",
            tuple(f"https://s{number}-{n}.example.org" for n in range(origins_each)),
            (f"api-{number}/1.0",),
        )
        for number in range(apis)
    ]
    declared = [api(number) for number in range(apis)]
    return Catalogue(apis={a.key: a for a in declared}, applications={s.name: s for s in shops})


if __name__ == "__main__":
    main()
