"""Every header that the compiler sets or removes is one whose look-alikes with underscores are removed."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import re2

from crossgate.catalogue.underscore_headers import DROPPED_PATTERN, PROTECTED_HEADERS, is_dropped
from crossgate.compiler.headers import LOOKUP_HEADER, UNTRUSTED_FORWARDING_HEADERS
from crossgate.policy.request import HEADERS

GOLDENS = Path(__file__).parents[2] / "golden" / "compiler"
SET_BY_ENVOY = ("x-forwarded-for", "x-forwarded-proto", "x-request-id", "x-envoy-external-address")


def lookalikes(name: str) -> Iterator[str]:
    parts = name.split("-")
    for separators in itertools.product("-_", repeat=len(parts) - 1):
        if "_" in separators:
            yield "".join(itertools.chain(*zip(parts, (*separators, ""), strict=True)))


def changed_request_headers(value: object) -> Iterator[str]:
    """The names that compiled resources set on requests and remove from them."""
    if isinstance(value, list):
        for one in value:
            yield from changed_request_headers(one)
    if isinstance(value, dict):
        yield from (one["header"]["key"] for one in value.get("request_headers_to_add", ()))
        yield from value.get("request_headers_to_remove", ())
        for one in value.values():
            yield from changed_request_headers(one)


NAMES = {
    *PROTECTED_HEADERS,
    *UNTRUSTED_FORWARDING_HEADERS,
    *SET_BY_ENVOY,
    *map(str.lower, HEADERS),
    LOOKUP_HEADER,
    *(
        name
        for path in GOLDENS.glob("*.json")
        for name in changed_request_headers(json.loads(path.read_text()))
    ),
}


def test_the_goldens_have_such_headers() -> None:
    assert {"x-forwarded-prefix", *UNTRUSTED_FORWARDING_HEADERS} <= NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_look_alike_is_dropped(name: str) -> None:
    assert not is_dropped(name)
    assert [one for one in lookalikes(name.lower()) if not is_dropped(one)] == []


@pytest.mark.parametrize(
    "name", ["api_key", "_", "x-my_header", "xx_y", "my_content_type", "content_typ", "content_type_"]
)
def test_other_names_are_kept(name: str) -> None:
    assert not is_dropped(name)


def test_re2_reads_the_expression_as_python_does() -> None:
    names = [one for name in NAMES for one in (name, *lookalikes(name), f"{name}_", f"_{name}")]
    dropped = re.compile(DROPPED_PATTERN)
    for name in names:
        assert (dropped.fullmatch(name) is None) == (re2.fullmatch(DROPPED_PATTERN, name) is None)
