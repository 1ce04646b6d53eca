r"""Spellings of a way out of an API: what a client sends behind an endpoint to reach ``/admin/secret``.

A spelling is built of parts: where it begins, the separator in front of each pair of dots, how each dot is
written, what follows the dots, and the separator behind. :data:`TRAVERSALS` has every value of a part beside
every value of the parts that a native service reads together with it; :func:`random_traversals` draws all
parts at random.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

SECRET: Final = "admin/secret"

# How a dot is written: literally, escaped once, twice and thrice, as IIS reads it, and with escaped digits.
_DOTS: Final = {
    "literal": (".",),
    "escaped": ("%2e", "%2E"),
    "escaped twice": ("%252e", "%252E"),
    "escaped thrice": ("%25252e",),
    "unicode": ("%u002e", "%U002E"),
    "escaped digits": ("%2%65", "%%32%65", "%%32e", "%25%32%65"),
}
_SEPARATORS: Final = {
    "slash": ("/", "//", "/./"),
    "backslash": ("\\", "\\/"),
    "escaped slash": ("%2f", "%2F", "%2f%2f"),
    "escaped backslash": ("%5c", "%5C"),
    "slash escaped twice": ("%252f", "%252F"),
    "backslash escaped twice": ("%255c", "%255C"),
    "slash escaped thrice": ("%25252F",),
    "unicode": ("%u002f", "%u005c", "%25u002F"),
}
_ENDS: Final = {
    "nothing": ("",),
    "parameter": (";", ";x=1", ";x=1;y", ";..", ";%2f"),
    "escaped parameter": ("%3b", "%3B", "%3bx=1"),
    "parameter escaped twice": ("%253b",),
    "parameter escaped thrice": ("%25253B",),
    "parameter, unicode": ("%u003b",),
}
# Ends that close the path for a service that decodes it before it splits it, so nothing is read behind them.
_LAST_ENDS: Final = {
    "question mark": ("%3f", "%253f"),
    "hash": ("%23", "%2523"),
    "NUL": ("%00", "%2500"),
    "space": ("%20", "%09", "%0a", "%0D"),
}
# A tab or a line break, which a URL parser removes, in front of a dot.
_IGNORED: Final = ("%09", "%0a", "%0D")
_STARTS: Final = {"at once": ("", 1), "deeper": ("/a/b", 3), "behind a matrix parameter": ("/a;v=1", 2)}
_QUERIES: Final = ("?", "?q=1", "?q=/../..;/")


@dataclass(frozen=True, slots=True)
class Traversal:
    """A spelling, without its endpoint, and its kind: the names of its parts."""

    kind: str
    spelling: str


def _deterministic() -> Iterator[Traversal]:
    yield from _every_pair_of_dots()
    yield from _every_separator()
    yield from _every_start()
    yield from _last_ends()
    yield from _ignored_characters()


def _every_pair_of_dots() -> Iterator[Traversal]:
    for (first, one), (second, other) in product(_flat(_DOTS), repeat=2):
        for name, end in _flat(_ENDS):
            yield Traversal(f"{first} dot, {second} dot, {name}", f"/{one}{other}{end}/{SECRET}")


_PAIRS: Final = {
    "literal": "..",
    "escaped": "%2e%2E",
    "half escaped": "%2E.",
    "escaped twice": "%252e%252e",
    "mixed": ".%252E",
}


def _every_separator() -> Iterator[Traversal]:
    closings = [(name, values[0]) for name, values in _SEPARATORS.items()]
    ends = {"nothing": "", "parameter": ";", "escaped parameter": "%3Bx"}
    for (kind, pair), (before, opening), (after, closing), (name, end) in product(
        _PAIRS.items(), _flat(_SEPARATORS), closings, ends.items()
    ):
        climb = opening + pair + end
        yield Traversal(f"{kind} dots, {before}, {name}, {after}", "/a" + climb + climb + closing + SECRET)


def _every_start() -> Iterator[Traversal]:
    for (kind, pair), opening, (name, end), (start, (path, count)) in product(
        _PAIRS.items(), ("/", "%2f"), _flat(_ENDS), _STARTS.items()
    ):
        climb = path + (opening + pair + end) * count
        yield Traversal(f"{kind} dots, {name}, {start}", f"{climb}/{SECRET}")
        yield Traversal(f"{kind} dots, {name}, {start}, with a query", f"{climb}%5C{SECRET}?q=/../..;/")
        yield Traversal(f"{kind} dots, {name}, {start}, at the end", climb)
        yield Traversal(f"{kind} dots, {name}, {start}, before a query", f"{climb}?")


def _last_ends() -> Iterator[Traversal]:
    for (kind, pair), opening, (name, end) in product(_PAIRS.items(), ("/", "/a/..%2f"), _flat(_LAST_ENDS)):
        yield Traversal(f"{kind} dots, {name}", opening + pair + end)


def _ignored_characters() -> Iterator[Traversal]:
    for ignored, dots in product(_IGNORED, product((".", "%252e"), repeat=2)):
        first, second = dots
        for spelling in (ignored + first + second, first + ignored + second, first + second + ignored):
            yield Traversal("ignored character beside dots", f"/{spelling}/{SECRET}")
    for ignored in _IGNORED:
        for dot in (f"%25{ignored}2e", f"%252{ignored}E"):
            yield Traversal("ignored character in an escape", f"/{dot}{dot}/{SECRET}")
            yield Traversal("ignored character in an escape", f"/.{dot}")


def random_traversals(seed: int, count: int) -> list[Traversal]:
    """As many spellings with every part drawn at random, each part of each climb for itself."""
    rng = random.Random(seed)  # noqa: S311 - to be repeatable
    return [_random_traversal(rng) for _ in range(count)]


def _random_traversal(rng: random.Random) -> Traversal:
    def any_of(*parts: dict[str, tuple[str, ...]]) -> str:
        return rng.choice(rng.choice([values for part in parts for values in part.values()]))

    path, count = rng.choice(list(_STARTS.values()))
    climbs = [any_of(_SEPARATORS) + any_of(_DOTS) + any_of(_DOTS) + any_of(_ENDS) for _ in range(count)]
    closing = any_of(_SEPARATORS)
    end = rng.choice((closing + SECRET, closing + SECRET, closing, *_QUERIES))
    return Traversal("random", _any_case(rng, path + "".join(climbs) + end))


_TOKENS: Final = (
    *(
        ".",
        "..",
        "...",
        "%2e",
        "%2E",
        "%2e%2e",
        ".%2e",
        "%252e",
        "%u002e",
        "%U002E",
        "%2%65",
        "%%32%65",
        "%%32e",
    ),
    *("/", "/", "/", "//", "\\", "%2f", "%2F", "%5c", "%5C", "%252f", "%255C", "%u002f", "%u005C"),
    *(
        ";",
        ";x=1",
        "..;",
        ".;",
        "%2e;",
        "%3b",
        "%253B",
        "%u003b",
        "%3f",
        "%23",
        "%00",
        "%2500",
        "%20",
        "%09",
        "%0A",
        "%25%092e",
        "%252%0DE",
    ),
    *(
        "x",
        "a",
        "b",
        "1",
        "%",
        "%%",
        "%2",
        "%u",
        "%25",
        "%2525",
        "~",
        "%7e",
        "%41",
        "%61",
        "%30",
        "%C3%A9",
        "%c0%ae",
    ),
    *(
        '"',
        "<",
        ">",
        "^",
        "`",
        "{",
        "|",
        "}",
        "%22",
        "%7C",
        "=",
        "+",
        "('",
        "')",
        ",",
        "*",
        "!",
        "@",
        ":",
        "&",
        "$",
    ),
)


def random_paths(seed: int, count: int) -> list[str]:
    """Paths, without an endpoint, of the characters that a rule about paths could read in its own way."""
    rng = random.Random(seed)  # noqa: S311 - to be repeatable
    return [_random_path(rng) for _ in range(count)]


def _random_path(rng: random.Random) -> str:
    start = rng.choice(("/", "/", "/", ""))
    query = rng.choice(("", "", "", "?", "?q=/../"))
    return start + "".join(rng.choices(_TOKENS, k=rng.randint(1, 7))) + query


def _any_case(rng: random.Random, spelling: str) -> str:
    """The spelling with its letters, which the hexadecimal digits are among, in a random case."""
    return "".join(rng.choice((character.lower(), character.upper())) for character in spelling)


def _flat(parts: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in parts.items() for value in values]


TRAVERSALS: Final = tuple({one.spelling: one for one in _deterministic()}.values())
"""Thousands of spellings, each once, and each a way out by some native service's rule."""
