"""What type checkers and the program itself refuse in the arguments of a policy.

mypy refuses each marked line: it reports a ``type: ignore`` that nothing needs (``warn_unused_ignores``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from crossgate.diagnostics import InvalidInput
from crossgate.policy import CorsPolicy, EffectivePolicy, Mode, PlainOptions, build_policy

SHOP = "https://shop.example"
ORIGINS: list[str] = [SHOP]
MIXED = [SHOP, {"regex": "https://x"}]
SEQUENCE: Sequence[str] = ORIGINS
REGEXES = [{"regex": "https://pr-[0-9]+\\.example"}]


def test_lists_of_all_kinds_are_accepted() -> None:
    for policy in (
        build_policy(allowed_origins=ORIGINS),
        build_policy(allowed_origins=SEQUENCE, allowed_methods=(), mode="enforce"),
        build_policy(allowed_origins=(SHOP, *REGEXES), mode=Mode.ENFORCE, plain_options="refuse"),
        build_policy(allowed_origins=[*ORIGINS], plain_options=PlainOptions.REFUSE),
    ):
        assert policy == CorsPolicy(policy.allowed_origins)
    mixed = build_policy(allowed_origins=[*MIXED, *REGEXES, {"regex": "https://y"}], mode="observe")
    assert len(mixed.allowed_origins) == 4
    made = EffectivePolicy.of(mixed, {SHOP}, public_origins=dict.fromkeys(ORIGINS), same_origin="listed")
    assert made.public_origins == {SHOP}


WRONG: dict[str, tuple[Callable[[], object], str, str]] = {
    "a string of origins": (
        lambda: build_policy(allowed_origins=SHOP),  # type: ignore[arg-type]
        "$.allowed_origins",
        f'Write a list with one entry for each value: ["{SHOP}"]',
    ),
    "a string of methods": (
        lambda: build_policy(allowed_methods="GET, PUT"),  # type: ignore[arg-type]
        "$.allowed_methods",
        'Write a list with one entry for each value: ["GET", "PUT"]',
    ),
    "a string of request headers": (
        lambda: build_policy(allow_headers="*"),  # type: ignore[arg-type]
        "$.allow_headers",
        'Write a list with one entry for each value: ["*"]',
    ),
    "an empty string": (
        lambda: build_policy(expose_headers=""),  # type: ignore[arg-type]
        "$.expose_headers",
        "Write a list with one entry for each value",
    ),
    "bytes": (
        lambda: build_policy(allowed_methods=b"GET"),  # type: ignore[arg-type]
        "$.allowed_methods",
        "Write a list with one entry for each value",
    ),
    "a set, which has no order": (
        lambda: build_policy(allowed_methods={"PUT", "GET"}),  # type: ignore[arg-type]
        "$.allowed_methods",
        'Write a list with one entry for each value: ["GET", "PUT"]',
    ),
    "an entry alone": (
        lambda: build_policy(allowed_origins={"regex": "x"}),  # type: ignore[arg-type]
        "$.allowed_origins",
        'Write a list with one entry for each value: [{"regex": "x"}]',
    ),
    "a number among methods": (
        lambda: build_policy(allowed_methods=["GET", 7]),  # type: ignore[list-item]
        "$.allowed_methods[1]",
        "Write one method per entry, for example GET",
    ),
    "an unknown mode": (
        lambda: build_policy(mode="enforced"),  # type: ignore[arg-type]
        "$.mode",
        "Write one of enforce, observe",
    ),
    "an unknown choice for OPTIONS": (
        lambda: build_policy(plain_options="allow"),  # type: ignore[arg-type]
        "$.plain_options",
        "Write one of refuse, forward",
    ),
    "a word for a boolean": (
        lambda: build_policy(allow_credentials="yes"),  # type: ignore[arg-type]
        "$.allow_credentials",
        "Write true or false",
    ),
    "a string of public origins": (
        lambda: EffectivePolicy.of(CorsPolicy(), public_origins=SHOP),  # type: ignore[arg-type]
        "$.public_origins",
        "Write a list with one entry for each; [] if there is none",
    ),
    "an unknown way to recognise the own pages": (
        lambda: EffectivePolicy.of(CorsPolicy(), same_origin="off"),  # type: ignore[arg-type]
        "$.same_origin",
        "Write detect or listed",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_error_says_what_to_write(name: str) -> None:
    build, path, remedy = WRONG[name]
    with pytest.raises(InvalidInput) as refused:
        build()
    (found,) = refused.value.diagnostics
    assert (found.place.json_path, found.remedy) == (path, remedy)


def test_a_long_string_is_shortened() -> None:
    with pytest.raises(InvalidInput) as refused:
        build_policy(allowed_methods="GET," * 2**20)  # type: ignore[arg-type]
    assert len(str(refused.value)) < 2000
