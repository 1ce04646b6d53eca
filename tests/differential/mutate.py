"""Near-misses: an allowed value with one thing wrong, or right in an unusual way."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from tests.differential.words import INSERTS, LOOK_ALIKES, upper

Mutation = Callable[[Random, str], str]


def mutate(random: Random, value: str) -> str:
    """The value after one mutation, sometimes two; it may also come out unchanged."""
    for _ in range(1 if random.random() < 0.8 else 2):
        value = random.choice(_MUTATIONS)(random, value)
    return value


def _flip_case(random: Random, value: str) -> str:
    if not value:
        return value
    at = random.randrange(len(value))
    return value[:at] + value[at].swapcase() + value[at + 1 :] if value[at].isascii() else value


def _insert(random: Random, value: str) -> str:
    at = random.choice((0, len(value), random.randint(0, len(value))))
    return value[:at] + random.choice(INSERTS) + value[at:]


def _delete(random: Random, value: str) -> str:
    at = random.randrange(len(value)) if value else 0
    return value[:at] + value[at + 1 :]


def _look_alike(random: Random, value: str) -> str:
    original, substitute = random.choice(LOOK_ALIKES)
    return value.replace(original, substitute, 1 if random.random() < 0.7 else -1)


def _truncate(random: Random, value: str) -> str:
    return value[: random.randint(0, len(value))]


def _double(random: Random, value: str) -> str:
    return value + random.choice((",", ", ", " ", "", ";", "\t")) + value


def _subdomain(random: Random, value: str) -> str:
    scheme, separator, rest = value.partition("://")
    return f"{scheme}{separator}{random.choice(('a.', 'a.b.', '.', 'x_y.', 'A.', 'evil', '0.', '-.'))}{rest}"


def _scheme(random: Random, value: str) -> str:
    _, separator, rest = value.partition("://")
    return f"{random.choice(('http', 'https', 'ftp', 'HTTPS', 'ws', 'wss', ''))}{separator}{rest}"


def _port(random: Random, value: str) -> str:
    return value + random.choice((":443", ":80", ":8443", ":0", ":65535", ":65536", ":", ":08", ":a"))


def _tail(random: Random, value: str) -> str:
    return value + random.choice(("/", ".", ".evil.org", "#", "?", "\\", "/path", "@evil.org", "\xff", "x"))


_MUTATIONS: Final[tuple[Mutation, ...]] = (
    _flip_case,
    lambda _, value: upper(value),
    _insert,
    _insert,
    _insert,
    _delete,
    _look_alike,
    _look_alike,
    _truncate,
    _double,
    _subdomain,
    _subdomain,
    _scheme,
    _port,
    _tail,
    lambda _, value: value,
)
