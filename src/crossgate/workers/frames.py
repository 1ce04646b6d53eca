"""What the pool and the fork server send to each other, over two kinds of Unix sockets.

Control socket, pool to server: frames with a kind and a length. A job's frame is empty and carries the
server's end of the job's own socket. When the control socket is closed, the server kills its workers and
ends.

Job socket: the pool sends one frame, the job. The worker sends its answer, with its length. The last byte of
the stream is from the server, and says how the worker ended. Closing the pool's end kills the worker.
"""

from __future__ import annotations

import socket
import struct
from enum import Enum
from typing import Final

_HEAD: Final = struct.Struct("!cI")
_LENGTH: Final = struct.Struct("!Q")
_LARGEST_READ: Final = 2**20


class FrameKind(Enum):
    """The content of a frame."""

    JOB = b"J"
    UPDATE = b"U"
    """New state for the workers of all later jobs."""


class WorkerEnd(Enum):
    """How a worker ended."""

    ANSWERED = b"0"
    CPU = b"c"
    """Its processor time was used up; its output may name what it was busy with."""
    SECONDS = b"s"
    MEMORY = b"m"
    CRASHED = b"x"


class WorkFailedError(Exception):
    """A worker ended without the answer; ``output`` is what it sent instead."""

    def __init__(self, end: WorkerEnd, output: bytes) -> None:
        super().__init__(end.name)
        self.end = end
        self.output = output


def encode_answer(answer: bytes) -> bytes:
    """What the worker sends."""
    return _LENGTH.pack(len(answer)) + answer


def decode_answer(stream: bytes) -> bytes:
    """The answer in everything that came from a job's socket.

    Raises:
        WorkFailedError: there is none, or not all of it.

    """
    end = next((one for one in WorkerEnd if one.value == stream[-1:]), WorkerEnd.CRASHED)
    if end is not WorkerEnd.ANSWERED:
        raise WorkFailedError(end, stream[:-1])
    answer = stream[_LENGTH.size : -1]
    # Both may have been killed while the answer was sent: then its last byte is nobody's report.
    if len(stream) <= _LENGTH.size or _LENGTH.unpack_from(stream)[0] != len(answer):
        raise WorkFailedError(WorkerEnd.CRASHED, b"")
    return answer


def encode_head(kind: FrameKind, length: int) -> bytes:
    """What precedes the content of a frame."""
    return _HEAD.pack(kind.value, length)


def receive_frame(sock: socket.socket) -> tuple[FrameKind, bytes, list[int]] | None:
    """The next frame with the file descriptors that it carries; None at the end of the stream. Blocks."""
    head, descriptors, _, _ = socket.recv_fds(sock, _HEAD.size, 1)
    if not head:
        return None
    rest = _receive(sock, _HEAD.size - len(head))
    if rest is None:
        return None
    kind, length = _HEAD.unpack(head + rest)
    content = _receive(sock, length)
    return None if content is None else (FrameKind(kind), content, descriptors)


def _receive(sock: socket.socket, size: int) -> bytes | None:
    parts = []
    while size:
        part = sock.recv(min(size, _LARGEST_READ))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
