"""Envoy's string matchers for origins (envoy.type.matcher.v3.StringMatcher), as entries of a policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from crossgate.diagnostics import Diagnostic
from crossgate.importers.cursor import Cursor
from crossgate.importers.envoy.fields import field
from crossgate.importers.found import Found, FoundOrigin
from crossgate.importers.regex_translation import Dialect, Extent, translate_regex
from crossgate.policy.names import ANY
from crossgate.policy.re2 import RegexRefused, compile_regex, quote


def origins_of(policy: Cursor, reason: str, problems: list[Diagnostic]) -> tuple[Found[FoundOrigin], ...]:
    """The origins that the policy's matchers match, those of old versions included."""
    found = [
        *(_exact(entry, reason) for entry in field(policy, "allow_origin").entries() if entry.text),
        *(
            one
            for entry in field(policy, "allow_origin_regex").entries()
            if entry.text
            for one in _regex(entry, entry.text, Dialect.ECMASCRIPT, reason, problems)
        ),
        *(
            one
            for entry in field(policy, "allow_origin_string_match").entries()
            for one in _matcher(entry, reason, problems)
        ),
    ]
    return tuple(found)


def _exact(entry: Cursor, reason: str) -> Found[FoundOrigin]:
    return Found(str(entry.value), entry.place, reason)


def _matcher(entry: Cursor, reason: str, problems: list[Diagnostic]) -> Iterator[Found[FoundOrigin]]:
    ignore_case = field(entry, "ignore_case").value is True
    for form in ("exact", "prefix", "suffix", "contains"):
        part = entry[form]
        if not isinstance(part.value, str):
            continue
        text = part.value.lower() if ignore_case else part.value
        if text == ANY or (form != "exact" and not text):
            yield Found(ANY, part.place, f"{reason}: {form} {text!r} matches every origin")
        elif form == "exact":
            yield Found(text, part.place, reason)
        else:
            left = "" if form == "prefix" else ".*"
            right = "" if form == "suffix" else ".*"
            regex = left + quote(text).replace("\\:", ":") + right
            yield Found({"regex": regex}, part.place, f"{reason}: {form}")
        return
    safe = field(entry, "safe_regex")["regex"]
    if isinstance(safe.value, str):
        yield from _regex(safe, safe.value, Dialect.RE2, reason, problems)
    elif isinstance(entry["regex"].value, str):  # deprecated: std::regex
        text = str(entry["regex"].value)
        yield from _regex(entry["regex"], text, Dialect.ECMASCRIPT, reason, problems)
    else:
        problems.append(entry.unexpected("exact, prefix, suffix, contains or safe_regex"))


def _regex(
    at: Cursor, pattern: str, dialect: Dialect, reason: str, problems: list[Diagnostic]
) -> Iterator[Found[FoundOrigin]]:
    # Envoy's filter tries each matcher with the string * before it tries the origin.
    if _matches_star(pattern):
        yield Found(ANY, at.place, f"{reason}: the expression matches *, hence every origin")
        return
    translated = translate_regex(pattern, dialect, Extent.WHOLE)
    if isinstance(translated, Diagnostic):
        problems.append(replace(translated, place=at.place))
    else:
        yield Found(translated, at.place, reason)


def _matches_star(pattern: str) -> bool:
    try:
        return compile_regex(pattern).fullmatch(ANY.encode()) is not None
    except RegexRefused:
        return False
