"""Hostile patterns take bounded work, and are never taken for safe."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from crossgate.lint.proof import Verdict, included, prove, suggest

HOSTILE = {
    r"https://.*a.{16}": Verdict.UNBOUNDED,
    r"https://.*a.{16}\.example\.com": Verdict.PROVED,
    r"https://[ab]{16}a[ab]*\.ck": Verdict.PROVED,
    r"https://[ab]{18}a[ab]{0,30}\.com": Verdict.UNBOUNDED,
    r"https://.{1,63}": Verdict.UNBOUNDED,
    r"https://.{1,63}\.com": Verdict.UNBOUNDED,
    r"https://(?:(?:a{1,10}){1,10}){1,10}\.example\.com": Verdict.PROVED,
    r"https://(?:.{1000})": Verdict.UNPROVEN,
    r"https://(?:.{0,31}){0,31}\.example\.com": Verdict.UNPROVEN,
    r"https://(?:a?){200}a{200}\.com": Verdict.UNPROVEN,
    r"(" * 300 + "a" + ")" * 300: Verdict.UNPROVEN,
    r"https://[a-z]{2}\.[a-z]+": Verdict.MANY,
    r"https://a.b.c.d.e.f.co.uk": Verdict.UNBOUNDED,
    r"https://(?:a|b|c|d|e|f|g|h|i|j){12}\.com": Verdict.UNBOUNDED,
    r"https://(?:" + "|".join(f"host{n}" for n in range(200)) + r")\.example\.com": Verdict.PROVED,
    r"https://(?:" + "|".join(f"host{n}\\.com" for n in range(500)) + ")": Verdict.PROVED,
    "|".join(f"https://{n:040}\\.com(:[0-9]+)?" for n in range(300)): Verdict.PROVED,
    "https://(?:" + "|".join(f"{n * 7919:025}" for n in range(1000)) + r")\.example\.com": Verdict.PROVED,
    "https://" + "x" * 100_000: Verdict.NEVER,
}


@pytest.mark.parametrize("pattern", HOSTILE, ids=range(len(HOSTILE)))
def test_the_work_is_bounded(pattern: str) -> None:
    started = time.process_time()
    proof = prove(pattern)
    elapsed = time.process_time() - started
    assert proof.verdict is HOSTILE[pattern]
    assert elapsed < 5  # seconds of CPU; usually a twentieth of it


def test_the_memory_is_bounded() -> None:
    tracemalloc.start()
    prove(r"https://.*b.{17}\.example\.com")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * 1024 * 1024


def test_what_is_too_involved_is_neither_included_nor_mended() -> None:
    hard = r"a[ab]{16}\.example\.com"
    assert included(f"https://[ab]+{hard}", f"https://[ab]*{hard}").holds is None
    assert suggest(r"https://(?:.{0,31}){0,31}\.com") is None


@pytest.mark.parametrize("pattern", ["(", "a**", r"(?=a)", "[z-a]", "\ud800"])
def test_what_re2_refuses_is_invalid(pattern: str) -> None:
    proof = prove(pattern)
    assert proof.verdict is Verdict.INVALID
    assert proof.reason
