"""Flows of a command's standard input: each byte once, whatever the connection does."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any, BinaryIO, TypeAlias

from rawgate._flow import Deadline, Flow, Unary, blocking, pause
from rawgate._followed_job import FollowedJob
from rawgate._methods import method
from rawgate._retry import How, Pacer
from rawgate.errors import Cancelled, Error, FailedPrecondition
from rawgate.exec.v1 import exec_service_pb2

_WRITE_STDIN = method("ExecService", "WriteStdin")

# What goes along with the request, and in each WriteStdin.
_PIECE = 1 << 20

Input: TypeAlias = bytes | str | BinaryIO | None


def split_input(stdin: Input) -> tuple[bytes, BinaryIO | None]:
    """What goes along with the request, and what is sent once the command runs; None for nothing."""
    if stdin is None or isinstance(stdin, (bytes, str)):
        data = stdin.encode() if isinstance(stdin, str) else stdin or b""
        return data[:_PIECE], io.BytesIO(data[_PIECE:]) if len(data) > _PIECE else None
    return b"", stdin


def feed(job: FollowedJob, source: BinaryIO, how: How, give_up: Callable[[FollowedJob], Flow[None]]) -> Flow[None]:
    """All of the file, and its end. What goes wrong is the job's input_failure, and the command, which would wait for the
    rest, is given up."""
    try:
        while True:
            piece = yield from blocking(lambda: source.read(_PIECE))
            yield from write_stdin(job, piece, not piece, how)
            if not piece:
                return
    except FailedPrecondition:
        pass  # it has ended, or has closed its input: nobody wants the rest
    except Cancelled:
        pass
    except Exception as failure:  # pylint: disable=broad-except
        job.input_failure = failure
        yield from give_up(job)


def write_stdin(job: FollowedJob, data: bytes, end: bool, how: How) -> Flow[None]:
    """Returns when the command's pipe has taken all of `data`."""
    for begin in range(0, max(len(data), 1), _PIECE):
        yield from _write_piece(job, data[begin:begin + _PIECE], end and begin + _PIECE >= len(data), how)


def _write_piece(job: FollowedJob, piece: bytes, end: bool, how: How) -> Flow[None]:
    deadline, pacer = Deadline(how.timeout), Pacer(how)
    request = exec_service_pb2.WriteStdinRequest(job_id=job.job_id, data=piece, end=end)
    if job.input_offset is not None:
        request.offset = job.input_offset
    again = False
    while True:
        try:
            response = yield Unary(_WRITE_STDIN, request, deadline.left())
            job.input_offset = response.committed_size
            return
        except Error as error:
            if again and error.reason == "STDIN_CLOSED" and end:
                return  # by the attempt before, whose answer was lost
            if error.reason == "WRONG_OFFSET":
                if not again or not _leave_out_what_was_taken(request, error):
                    raise
                continue
            # Without an offset nobody knows whether a repeated call writes its bytes twice.
            yield from pause(pacer, error, deadline, harmless=request.HasField("offset"))
            again = True


def _leave_out_what_was_taken(request: Any, error: Error) -> bool:
    """Whether the error tells of bytes that the attempt before, whose answer was lost, has written."""
    told = re.search(r"\d+$", error.message)
    taken = int(told[0]) - request.offset if told else 0
    if not 0 < taken <= len(request.data):
        return False
    request.offset += taken
    request.data = request.data[taken:]
    return True
