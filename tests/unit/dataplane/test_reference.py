"""The page for operators has the codes, times and limits of the code."""

import re
from pathlib import Path

import crossgate.dataplane
from crossgate.catalogue.limits import MAX_CONNECTIONS, Limits
from crossgate.dataplane.bootstrap import CLIENT_CONNECTIONS_LIMIT, HEAP_LIMIT_BYTES
from crossgate.dataplane.supervisor import Timeouts

PAGE = " ".join((Path(__file__).parents[3] / "docs/reference/data-plane.md").read_text().split())
SOURCES = Path(crossgate.dataplane.__file__).parent.glob("*.py")


def test_every_code_is_on_the_page_and_no_other() -> None:
    code = r"(?:envoy-(?:not|too)|listen|runtime|tls)-[a-z-]+"
    in_sources = {found for file in SOURCES for found in re.findall(rf'"({code})"', file.read_text())}

    assert in_sources == set(re.findall(rf"\| `({code})` \|", PAGE))


def test_the_times_are_those_of_the_code() -> None:
    timeouts = Timeouts()

    assert f"after {timeouts.ready:.0f} s, and again at growing intervals" in PAGE
    assert f"after {timeouts.first_restart} s, and twice as long" in PAGE
    assert f"up to {timeouts.longest_restart:.0f} s. After {timeouts.stable:.0f} s of serving" in PAGE
    assert f"at most {timeouts.drain:.0f} s later" in PAGE
    assert f"After {timeouts.terminate:.0f} s more it is killed" in PAGE


def test_the_limits_are_those_of_the_code() -> None:
    assert f"a heap of {HEAP_LIMIT_BYTES >> 30} GiB" in PAGE
    assert f"At most {Limits().max_connections:,} client connections" in PAGE
    assert f"In all, Envoy accepts {CLIENT_CONNECTIONS_LIMIT:,} connections" in PAGE
    assert f"at most {Limits().max_native_requests:,} requests at a time" in PAGE
    assert MAX_CONNECTIONS <= CLIENT_CONNECTIONS_LIMIT
