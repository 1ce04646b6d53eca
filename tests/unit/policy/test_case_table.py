"""The engine does what the case table says; the table is sound."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.case_table import Case, load_cases
from tests.visible_result import expected_result

from crossgate.policy import Reason, decide


@pytest.mark.parametrize("case", load_cases("engine"), ids=lambda case: case.id)
def test_the_engine_decides_as_the_table_says(case: Case) -> None:
    decision = decide(case.prepared(), case.request.parsed())
    assert case.expect.differences(expected_result(decision, case.native)) == []


def test_every_case_has_a_name_of_its_own() -> None:
    assert [name for name, count in Counter(case.id for case in load_cases()).items() if count > 1] == []


def test_every_reason_has_a_case() -> None:
    assert {case.expect.reason for case in load_cases()} == {reason.value for reason in Reason}


def test_every_header_value_can_go_over_the_wire() -> None:
    for case in load_cases():
        for name, value in case.request.headers:
            assert name.isascii(), case.id
            assert not set("\r\n\0") & set(value), case.id
            value.encode("latin-1")
            assert value == value.strip(" \t") or case.request.http == "2", case.id
