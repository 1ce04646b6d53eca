"""Values of CORS settings, as gateways write them in JSON and YAML; what has another type is a warning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from crossgate.diagnostics import Diagnostic, Severity
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import Found, FoundPolicy
from crossgate.importers.methods import unneeded
from crossgate.policy.names import ANY

SAFELISTED_METHODS: Final = ("GET", "HEAD", "POST")
"""Browsers accept them whether or not a preflight response lists them (Fetch, CORS-safelisted method)."""

_SECONDS: Final = re.compile(r"-?[0-9]{1,15}")


def values_at(at: Cursor) -> list[Cursor]:
    """The values of a mapping; none of anything else."""
    return [pair[1] for pair in at.items()]


def names_of(at: Cursor, reason: str, problems: list[Diagnostic]) -> tuple[Found[str], ...]:
    """The entries of a list of strings, or of a string that is separated by commas."""
    return tuple(
        Found(name, entry.place, reason)
        for entry in strings_of(at, problems)
        for name in map(str.strip, str(entry.value).split(","))
        if name
    )


def origins_of(at: Cursor, reason: str, problems: list[Diagnostic]) -> tuple[Found[str], ...]:
    """The entries of a list of strings, or one string. A comma is part of it, as in the header."""
    return tuple(
        Found(str(entry.value).strip(), entry.place, reason)
        for entry in strings_of(at, problems)
        if entry.value
    )


def methods_of(at: Cursor, reason: str, problems: list[Diagnostic]) -> tuple[Found[str], ...]:
    """The methods without those that a policy does not need; each of them is an info."""
    found = []
    for entry in strings_of(at, problems):
        for name in filter(None, map(str.strip, str(entry.value).split(","))):
            needless = unneeded(name, entry.place)
            if needless is None:
                found.append(Found(name, entry.place, reason))
            else:
                problems.append(needless)
    return tuple(found)


def strings_of(at: Cursor, problems: list[Diagnostic]) -> Iterator[Cursor]:
    """The entries of a list of strings, or a string alone; what is neither is a warning."""
    if not at.exists:
        return
    if isinstance(at.value, str):
        yield at
        return
    if not isinstance(at.value, list):
        problems.append(at.unexpected("a list of strings"))
    for entry in at.entries():
        if isinstance(entry.value, str):
            yield entry
        else:
            problems.append(entry.unexpected("a string"))


def boolean_of(at: Cursor, reason: str, problems: list[Diagnostic]) -> Found[bool] | None:
    """True or false, also as a string or wrapped in a mapping with ``value``."""
    value = at.value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        value = value.lower() == "true"
    if isinstance(value, bool):
        return Found(value, at.place, reason)
    if at.exists:
        problems.append(at.unexpected("true or false"))
    return None


def seconds_of(at: Cursor, reason: str, problems: list[Diagnostic]) -> Found[int] | None:
    """A number of seconds, also as a string; a negative one is a warning, for it turns caching off."""
    whole = isinstance(at.value, float) and at.value.is_integer()
    text = f"{at.value:.0f}" if whole else at.text
    if text is not None and _SECONDS.fullmatch(text):
        seconds = int(text)
        if seconds >= 0:
            return Found(seconds, at.place, reason)
        problems.append(
            at.diagnose(
                "max-age-negative",
                "browsers cache no preflight response for a negative number of seconds; 0 is taken over",
                "Set max_age to let browsers cache, for example to 600",
                Severity.INFO,
            )
        )
        return Found(0, at.place, reason)
    if at.exists:
        problems.append(at.unexpected("a number of seconds"))
    return None


def stars_of(policy: FoundPolicy, gateway: str) -> Iterable[Diagnostic]:
    """How ``*`` differs between the gateway and Crossgate."""
    names = {found.value.lower() for found in policy.allow_headers}
    if ANY in names and "authorization" not in names:
        star = next(found for found in policy.allow_headers if found.value == ANY)
        yield Diagnostic(
            "star-without-authorization",
            f"{gateway} allows Authorization with the header *; in Crossgate, it must be named",
            "Add Authorization to allow_headers if scripts send it",
            star.place,
            ANY,
            Severity.INFO,
        )


def without_literal_stars(
    policy: FoundPolicy, problems: list[Diagnostic], *, reflected_alone: bool = False
) -> FoundPolicy:
    """The policy without ``*`` for methods and headers, if it has credentials.

    The gateway sends the star, which browsers then read as a name (Fetch, CORS-preflight fetch). Crossgate
    would answer with what was requested, and allow more. So do gateways that reflect a star that is alone.
    """
    if policy.credentials is None or not policy.credentials.value:
        return policy
    kept = []
    for values in (policy.methods, policy.allow_headers):
        stars = [] if reflected_alone and len(values) == 1 else [one for one in values if one.value == ANY]
        problems += (
            Diagnostic(
                "star-with-credentials",
                "with credentials, browsers read * as a name, so that it allows nothing; it is left out",
                "Name the methods and headers",
                found.place,
                ANY,
                Severity.WARNING,
            )
            for found in stars
        )
        kept.append(tuple(one for one in values if one not in stars))
    return replace(policy, methods=kept[0], allow_headers=kept[1])
