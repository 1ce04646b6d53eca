"""What those who run an Envoy are told about it. Each change says itself in one line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Started:
    """The process exists; it does not serve yet."""

    pid: int

    def __str__(self) -> str:
        return f"Envoy started (pid {self.pid})"


@dataclass(frozen=True, slots=True)
class Ready:
    """Envoy serves what the control plane told it to, ``seconds`` after it was started."""

    pid: int
    seconds: float

    def __str__(self) -> str:
        return f"Envoy is ready (pid {self.pid}, after {self.seconds:.2f} s)"


@dataclass(frozen=True, slots=True)
class NotReadyYet:
    """Envoy runs, but waits: mostly for a control plane that does not answer."""

    pid: int
    seconds: float
    said: tuple[str, ...]

    def __str__(self) -> str:
        return _with_output(
            f"Envoy is not ready after {self.seconds:.0f} s; is the control plane reachable?", self.said
        )


@dataclass(frozen=True, slots=True)
class Ended:
    """Envoy ended although nobody asked it to; ``said`` are the last things it complained about."""

    reason: str
    said: tuple[str, ...]

    def __str__(self) -> str:
        return _with_output(f"Envoy {self.reason}", self.said)


@dataclass(frozen=True, slots=True)
class Restarting:
    """Envoy will be started again in ``seconds``, after ``failures`` ends in a row."""

    seconds: float
    failures: int

    def __str__(self) -> str:
        return f"Envoy will be started again in {self.seconds:.1f} s (attempt {self.failures + 1})"


@dataclass(frozen=True, slots=True)
class Draining:
    """Envoy accepts no connection any more, and has ``seconds`` to answer what it has begun."""

    seconds: float

    def __str__(self) -> str:
        return f"Envoy is finishing its requests, for at most {self.seconds:.0f} s"


@dataclass(frozen=True, slots=True)
class CutShort:
    """Requests were still being answered when the time to drain was over."""

    seconds: float

    def __str__(self) -> str:
        return f"Envoy was still answering requests after {self.seconds:.0f} s; they are cut off"


@dataclass(frozen=True, slots=True)
class Stopped:
    """Envoy ended, and stays so."""

    def __str__(self) -> str:
        return "Envoy stopped"


Change = Started | Ready | NotReadyYet | Ended | Restarting | Draining | CutShort | Stopped


def _with_output(sentence: str, said: tuple[str, ...]) -> str:
    return sentence + "".join(f"\n  envoy: {line}" for line in said)
