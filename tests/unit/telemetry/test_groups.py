"""Groups of refused requests."""

from __future__ import annotations

from tests.unit.telemetry.samples import ALLOWED, NOON, sample

from crossgate.telemetry.groups import RefusalGroups


def test_requests_are_counted_by_group() -> None:
    groups = RefusalGroups(lambda _: None)
    for origin in ("https://a.example", "https://b.example", "https://a.example"):
        groups.add(sample(origin=origin))
    groups.add(sample(series=ALLOWED, status=200))
    refused, allowed = groups.take(NOON + 1)
    assert [(delta.key.origin, delta.count, delta.variance) for delta in refused] == [
        ("https://a.example", 2.0, 0.0),
        ("https://b.example", 1.0, 0.0),
    ]
    assert [(delta.key.origin, delta.count) for delta in allowed] == [("https://app.example", 1.0)]
    assert groups.take(NOON + 2) == ([], [])
