"""Random policies and hostile requests, the same for the same seed; for judging the engine against Envoy.

Every generated policy is valid, and every request is legal on the wire: values encode to Latin-1, hold no
control character but tab, neither begin nor end with a space (parsers trim them), and fit into a request
head.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from tests.case_table import CaseRequest
from tests.differential import words
from tests.differential.mutate import mutate

from crossgate.policy import EffectivePolicy, SameOrigin, build_policy

LONGEST_VALUE: Final = 4096


@dataclass(frozen=True, slots=True)
class Sample:
    """One API's policy as :func:`build_policy` takes it, with what bears on it."""

    policy: Mapping[str, Any] | None
    application_origins: tuple[str, ...] = ()
    public_origins: tuple[str, ...] = ()
    same_origin: SameOrigin = SameOrigin.DETECT
    near: tuple[str, ...] = ()
    """Origins that it allows or nearly allows: what requests are made from."""

    def prepared(self) -> EffectivePolicy | None:
        """The policy as :func:`crossgate.policy.decide` takes it."""
        if self.policy is None:
            return None
        return EffectivePolicy.of(
            build_policy(**self.policy), self.application_origins, self.public_origins, self.same_origin
        )

    def with_policy(self, **properties: object) -> Sample:
        """The sample with some properties of its policy set otherwise."""
        return replace(self, policy={**(self.policy or {}), **properties})


def random_pairs(seed: int, samples: int, requests: int) -> Iterator[tuple[Sample, tuple[CaseRequest, ...]]]:
    """That many samples, each with that many requests."""
    random = Random(seed)  # noqa: S311 - reproducible on purpose
    public = random_public_origins(random)
    same_origin = random.choice(tuple(SameOrigin))
    for _ in range(samples):
        sample = replace(random_sample(random, public), same_origin=same_origin)
        yield sample, tuple(random_request(random, sample) for _ in range(requests))


def random_public_origins(random: Random) -> tuple[str, ...]:
    """The gateway's own origins: one list for all samples that one gateway serves."""
    return tuple(dict.fromkeys(_exact(random) for _ in range(random.choice((0, 0, 1, 2)))))


def random_sample(random: Random, public_origins: tuple[str, ...] = ()) -> Sample:
    """A valid policy of any form; one in twenty is none at all."""
    # Envoy decides on many exact origins otherwise than on a few, and otherwise again beside patterns.
    many = random.choice((0, 0, 0, 0, 1, 3, 6, 25))
    applications = tuple(dict.fromkeys(_exact(random) for _ in range(many)))
    entries: list[object] = []
    near = list(applications + public_origins)
    for _ in range(random.choice((0, 1, 1, 2, 3, 5))):
        entry, examples = _origin_entry(random)
        entries.append(entry)
        near += examples
    if random.random() < 0.05:
        return Sample(None, applications, public_origins, near=tuple(near))
    policy: dict[str, Any] = {
        "allowed_origins": entries,
        "allowed_methods": _some(random, words.METHODS),
        "allow_headers": _some(random, words.HEADERS),
        "expose_headers": _some(random, words.HEADERS),
        "max_age": random.choice((None, None, 0, 1, 600, 2**31 - 1)),
        "plain_options": random.choice(("refuse", "refuse", "forward")),
        "mode": random.choice(("enforce", "enforce", "enforce", "enforce", "observe")),
    }
    stars = "*" in entries or "*" in policy["expose_headers"]
    policy["allow_credentials"] = not stars and random.random() < 0.5
    return Sample(policy, applications, public_origins, near=tuple(near))


def random_request(random: Random, sample: Sample) -> CaseRequest:
    """A request that the sample's policy may or may not allow, mostly by a hair."""
    lines: list[tuple[str, str]] = []
    if random.random() < 0.93:
        lines += _lines(random, "Origin", _origin_value(random, sample))
    if random.random() < 0.75:
        lines += _lines(random, "Access-Control-Request-Method", _method_value(random, sample))
    if random.random() < 0.6:
        names = _header_list(random, sample)
        lines += [("Access-Control-Request-Headers", _legal(line)) for line in names]
    if random.random() < 0.3:
        lines += [("Sec-Fetch-Site", site) for site in random.choice(words.SEC_FETCH_SITE_LINES)]
    if random.random() < 0.1:
        lines.append((random.choice(words.UNDERSCORED), _legal(_method_value(random, sample))))
    if random.random() < 0.03:
        lines += [("Host", host) for host in random.choice(words.HOST_LINES)]
    random.shuffle(lines)
    method = "OPTIONS" if random.random() < 0.7 else random.choice(words.WIRE_METHODS)
    path = random.choice(words.PATHS) if random.random() < 0.1 else ""
    return CaseRequest(method, tuple((_odd_case(random, name), value) for name, value in lines), None, path)


def _exact(random: Random) -> str:
    if random.random() < 0.05:
        return random.choice(words.HOSTLESS)
    scheme = random.choice(words.SCHEMES)
    port = random.choice(words.PORTS)
    if (scheme, port) in {("http", ":80"), ("https", ":443")}:
        port = ""
    return f"{scheme}://{random.choice(words.HOSTS)}{port}"


def _origin_entry(random: Random) -> tuple[object, list[str]]:
    """An entry of allowed_origins, and origins that it admits or nearly admits."""
    kind = random.choices(
        ("exact", "subdomain", "port", "both", "regex", "null", "star"), (30, 20, 12, 8, 20, 6, 4)
    )[0]
    scheme = random.choice(("https", "https", "http", "capacitor"))
    host = random.choice(words.NAMED_HOSTS)
    match kind:
        case "subdomain":
            examples = [f"{scheme}://{label}.{host}" for label in ("a", "a.b", "x_y", "0")]
            return f"{scheme}://*.{host}", [*examples, f"{scheme}://{host}"]
        case "port":
            base = f"{scheme}://{random.choice(words.HOSTS)}"
            return f"{base}:*", [base, *(base + port for port in words.PORTS)]
        case "both":
            base = f"{scheme}://a.{host}"
            return f"{scheme}://*.{host}:*", [base, *(base + port for port in words.PORTS)]
        case "regex":
            regex, matching = random.choice(words.REGEXES)
            return {"regex": regex}, list(matching)
        case "null":
            return "null", ["null"]
        case "star":
            return "*", ["https://anything.example", "null"]
        case _:
            value = _exact(random)
            return value, [value]


def _some(random: Random, known: tuple[str, ...]) -> list[str]:
    chosen = random.sample(known, random.choice((0, 1, 2, 4)))
    if random.random() < 0.2:
        chosen.insert(random.randint(0, len(chosen)), "*")
    return chosen


def _origin_value(random: Random, sample: Sample) -> str:
    roll = random.random()
    if roll < 0.1 or not sample.near:
        return random.choice(words.JUNK)
    value = random.choice(sample.near)
    return value if roll < 0.6 else mutate(random, value)


def _method_value(random: Random, sample: Sample) -> str:
    configured = sample.policy["allowed_methods"] if sample.policy else []
    value: str = random.choice(configured or words.ASKED_METHODS)
    roll = random.random()
    if roll < 0.7:
        return value
    return random.choice(words.ASKED_METHODS) if roll < 0.8 else mutate(random, value)


def _header_list(random: Random, sample: Sample) -> list[str]:
    """The value lines of one list of names, mostly of such as are allowed."""
    configured = sample.policy["allow_headers"] if sample.policy else []
    names: list[str] = []
    for _ in range(random.choice((0, 1, 1, 2, 3, 40))):
        name: str = random.choice(configured or words.HEADERS)
        roll = random.random()
        if roll > 0.96:
            name = random.choice(words.HEADERS)
        elif roll > 0.88:
            name = mutate(random, name)
        names.append(random.choice((name, name.lower(), words.upper(name))))
    joints = (",", ", ", " , ", "\t,", ",,", ", ,", ",\t \t,") if random.random() < 0.7 else (",",)
    text = ""
    for name in names:
        text += (random.choice(joints) if text else random.choice(("", "", ",", ", "))) + name
    text += random.choice(("", "", "", ",", ",,,", ", \t"))
    if "," in text and random.random() < 0.2:
        at = text.index(",")
        return [text[:at], text[at + 1 :]]
    return [text]


def _lines(random: Random, name: str, value: str) -> list[tuple[str, str]]:
    """Mostly one line; else the value twice, split at a random place, or beside an empty or foreign line."""
    roll = random.random()
    if roll < 0.92:
        return [(name, _legal(value))]
    at = random.randint(0, len(value))
    values = random.choice(
        ([value, value], [value[:at], value[at:]], ["", value], [value, ""], [value, "https://evil.org"])
    )
    return [(name, _legal(line)) for line in values]


def _odd_case(random: Random, name: str) -> str:
    return random.choice((name, name, name.lower(), name.upper()))


def _legal(value: str) -> str:
    return value[:LONGEST_VALUE].strip(" \t")
