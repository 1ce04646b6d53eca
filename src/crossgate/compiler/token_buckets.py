"""The token buckets that bound how many requests a node reports one by one.

They are resources of their own, so that a change of a number does not replace the listener. Without its
bucket, a filter admits nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from envoy.type.v3.token_bucket_pb2 import TokenBucket
from google.protobuf.wrappers_pb2 import UInt32Value

from crossgate.catalogue.telemetry import Telemetry
from crossgate.compiler.protobuf import resource, seconds
from crossgate.compiler.resource import Resource

REFUSALS_OF_BROWSERS: Final = "refusals-browsers"
REFUSALS: Final = "refusals"
"""Of clients that are no browsers."""
ALLOWED: Final = "allowed"
DRAWN_REFUSALS: Final = "drawn-refusals"
"""Of refused requests that are drawn at random, whether or not the buckets above admit them."""
DRAWN_ALLOWED: Final = "drawn-allowed"
"""Of allowed requests, likewise."""
DRAWN_LOG: Final = "drawn"
"""The name of their access log: by it the control plane knows them."""
DRAW_ONE_OF: Final = 32
"""With 1,000 a second, a node draws fairly from up to 32,000 refused requests in each second. Of
allowed ones it draws far fewer: nobody acts on their exact count, and each report costs."""


def bucket_rates(telemetry: Telemetry) -> Mapping[str, int]:
    """What each bucket admits in a second; it holds as much."""
    return {
        REFUSALS_OF_BROWSERS: telemetry.refusals_per_second,
        REFUSALS: telemetry.refusals_per_second,
        ALLOWED: telemetry.allowed_per_second,
        DRAWN_REFUSALS: telemetry.refusals_per_second,
        DRAWN_ALLOWED: telemetry.allowed_per_second,
    }


def compile_token_buckets(telemetry: Telemetry) -> list[Resource]:
    """The buckets; one that would admit nothing is left out."""
    if not telemetry.enabled:
        return []
    return [resource(name, _bucket(rate)) for name, rate in bucket_rates(telemetry).items() if rate]


def _bucket(per_second: int) -> TokenBucket:
    return TokenBucket(
        max_tokens=per_second,
        tokens_per_fill=UInt32Value(value=per_second),
        fill_interval=seconds(1),
    )
