"""Patterns that would take a proof very long if its work were not bounded, with the verdict of each."""

from __future__ import annotations

from crossgate.lint.proof import Verdict

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
