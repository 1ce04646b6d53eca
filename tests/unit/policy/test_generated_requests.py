"""What the differential test is fed with is reproducible, legal on the wire, and reaches every branch."""

from __future__ import annotations

from collections import Counter

from tests.differential.generate import random_pairs

from crossgate.policy import Reason, decide


def test_the_same_seed_gives_the_same_pairs() -> None:
    assert list(random_pairs(7, 20, 5)) == list(random_pairs(7, 20, 5))
    assert list(random_pairs(7, 20, 5)) != list(random_pairs(8, 20, 5))


def test_every_request_is_legal_on_the_wire() -> None:
    for _, requests in random_pairs(1, 200, 20):
        for request in requests:
            assert request.method.isupper()
            for name, value in request.headers:
                assert name.isascii()
                encoded = value.encode("latin-1")
                assert encoded == encoded.strip(b" \t")
                assert all((byte >= 0x20 and byte != 0x7F) or byte == 0x09 for byte in encoded)


def test_every_reason_is_common() -> None:
    reasons = Counter(
        decide(sample.prepared(), request.parsed()).reason
        for sample, requests in random_pairs(1, 400, 25)
        for request in requests
    )
    for reason in set(Reason) - {Reason.HOST_REFUSED}:
        assert reasons[reason] >= 50, reasons
