"""Lines about refusals: bounded, escaped, one for each group and interval."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from tests.unit.telemetry.samples import NOON, PETS

from crossgate.service import hyperloglog
from crossgate.service.log import LINES_AT_ONCE, Log
from crossgate.service.refusals import GroupDelta, GroupKey, OtherRefusals
from crossgate.telemetry.refusal_log import INTERVAL, MAX_GROUPS, MAX_LINES, RefusalLog

AT = datetime.fromtimestamp(NOON, UTC)


def _delta(
    origin: str = "https://a.example", count: float = 1.0, variance: float = 0.0, client: int = 1
) -> GroupDelta:
    registers = hyperloglog.empty()
    hyperloglog.add(registers, client * 0x9E3779B97F4A7C15 & (1 << 64) - 1)
    key = GroupKey(PETS, origin, "header-refused", preflight=True, method="PUT", headers=("x-a",))
    return GroupDelta(key, AT, round(count), count, variance, AT, AT, bytes(registers))


class _Lines:
    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        caplog.set_level(logging.INFO, "crossgate")

    def take(self) -> list[tuple[str, Mapping[str, object]]]:
        lines = [(record.getMessage(), record.__dict__["fields"]) for record in self._caplog.records]
        self._caplog.clear()
        return lines


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> _Lines:
    return _Lines(caplog)


@pytest.fixture
def log() -> RefusalLog:
    return RefusalLog(Log("refusals"))


def test_a_new_group_has_a_line_at_once(log: RefusalLog, lines: _Lines) -> None:
    delta = _delta(count=34.4, variance=25.0)
    log.record([delta], (), NOON)
    assert lines.take() == [
        (
            "Requests of an origin refused",
            {
                "event": "requests-refused",
                "api": PETS,
                "origin": "https://a.example",
                "reason": "header-refused",
                "method": "PUT",
                "headers": ["x-a"],
                "count": 34,
                "error": 10,
                "clients": 1,
                "observed": False,
                "group": delta.key.id,
            },
        )
    ]


def test_later_requests_are_one_line_of_the_interval(log: RefusalLog, lines: _Lines) -> None:
    log.record([_delta()], (), NOON)
    lines.take()
    for second in range(1, 300, 5):
        log.record([_delta(count=2, client=second)], (), NOON + second)
    assert lines.take() == []
    log.record([], (), NOON + INTERVAL)
    [(_, fields)] = lines.take()
    assert fields["count"] == 120
    assert fields["clients"] == pytest.approx(60, rel=0.1)
    log.record([], (), NOON + 2 * INTERVAL)
    assert lines.take() == []


def test_a_flood_of_new_groups_has_few_lines(log: RefusalLog, lines: _Lines) -> None:
    for second in range(int(INTERVAL)):
        log.record([_delta(f"https://{second}-{n}.example") for n in range(20)], (), NOON + second)
    assert len(lines.take()) <= LINES_AT_ONCE + INTERVAL / 10
    assert len(log._unlogged) == MAX_GROUPS
    log.record([], [OtherRefusals(PETS, "origin-refused", False, 5, 70.0, 0.0, AT)], NOON + INTERVAL)
    written = lines.take()
    assert len(written) == MAX_LINES + 1
    assert written[-1][0] == "Requests of other groups refused"


def test_every_refusal_is_in_some_line(log: RefusalLog, lines: _Lines) -> None:
    deltas = [_delta(f"https://{number}.example", count=number) for number in range(1, 3000)]
    log.record(deltas, [OtherRefusals(PETS, "origin-refused", False, 5, 70.0, 0.0, AT)], NOON)
    log.record([], (), NOON + INTERVAL)
    counts = [fields["count"] for _, fields in lines.take()]
    assert sum(count for count in counts if isinstance(count, int)) == sum(range(1, 3000)) + 70


def test_values_are_escaped(log: RefusalLog, lines: _Lines) -> None:
    log.record([_delta('https://a\x1b[31m\n\u202e"=cmd()')], (), NOON)
    [(_, fields)] = lines.take()
    assert fields["origin"] == r"https://a\x1b[31m\n\u202e" + '"=cmd()'


def test_observed_requests_have_a_message_of_their_own(log: RefusalLog, lines: _Lines) -> None:
    key = GroupKey(PETS, "null", "origin-refused", preflight=False, method="GET", observed=True)
    log.record([GroupDelta(key, AT, 1, 1.0, 0.0, AT, AT)], (), NOON)
    [(message, fields)] = lines.take()
    assert message == "Requests of an origin would be refused"
    assert (fields["observed"], fields["event"]) == (True, "requests-observed")


def test_a_clock_that_is_set_back_silences_nothing(log: RefusalLog, lines: _Lines) -> None:
    log.record([_delta()], (), NOON + 3600)
    log.record([_delta()], (), NOON)
    log.record([_delta()], (), NOON + INTERVAL)
    assert sum(bool(message) for message, _ in lines.take()) == 3
    log.record([_delta(f"https://{n}.example") for n in range(LINES_AT_ONCE - 1)], (), NOON + INTERVAL)
    assert len(lines.take()) == LINES_AT_ONCE - 1
