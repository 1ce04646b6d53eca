import pytest

from crossgate.dataplane.log import LONGEST_LINE, LineSplitter, LogLine, LogTail, parse_line
from crossgate.service.log import LogLevel

STAMP = "2026-11-22T10:09:01.962+00:00"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            f"{STAMP}|warning|main|caught SIGTERM",
            LogLine(LogLevel.WARNING, "main", "caught SIGTERM"),
        ),
        (
            f"{STAMP}|critical|main|a \\'b\\' \\n c",
            LogLine(LogLevel.ERROR, "main", "a 'b' \n c"),
        ),
        (f"{STAMP}|trace|http|a|b", LogLine(LogLevel.DEBUG, "http", "a|b")),
        (f"{STAMP}|info|main|caf\\303\\251", LogLine(LogLevel.INFO, "main", "café")),
        (f"{STAMP}|info|main|ends in \\", LogLine(LogLevel.INFO, "main", "ends in \\")),
        (
            f"{STAMP}|shout|main|no level",
            LogLine(LogLevel.ERROR, "", f"{STAMP}|shout|main|no level"),
        ),
        ("envoy: error while loading", LogLine(LogLevel.ERROR, "", "envoy: error while loading")),
        ("", LogLine(LogLevel.ERROR, "", "")),
    ],
)
def test_lines_are_parsed(line: str, expected: LogLine) -> None:
    assert parse_line(line) == expected


def test_lines_are_whole_however_the_bytes_come() -> None:
    text = "one\ntwo é\n\nthree".encode()
    for cut in range(len(text)):
        splitter = LineSplitter()
        assert [*splitter.feed(text[:cut]), *splitter.feed(text[cut:]), *splitter.flush()] == [
            "one",
            "two é",
            "three",
        ]


def test_a_line_without_end_takes_bounded_memory() -> None:
    splitter = LineSplitter()
    for _ in range(10):
        assert splitter.feed(b"x" * LONGEST_LINE) == []

    assert [len(line) for line in splitter.feed(b"x\nnext\n")] == [LONGEST_LINE, 4]


def test_errors_come_before_raw_output_and_warnings() -> None:
    tail = LogTail()
    tail.add(LogLine(LogLevel.WARNING, "config", "a warning"))
    assert tail.lines == ("a warning",)
    tail.add(LogLine(LogLevel.ERROR, "", "raw output"))
    assert tail.lines == ("raw output",)
    tail.add(LogLine(LogLevel.ERROR, "main", "an error"))
    assert tail.lines == ("an error",)


def test_of_a_long_message_the_end_is_kept() -> None:
    tail = LogTail()
    tail.add(LogLine(LogLevel.ERROR, "main", "error `" + "field {\n}\n" * 1000 + "PortValue: too large"))
    (line,) = tail.lines

    assert line.startswith("error `")
    assert line.endswith("PortValue: too large")
    assert len(line) == 600
