"""Remote commands: what they write, how they end, what is known of them."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TypeAlias

from rawgate.errors import CommandFailed

# As timeout(1), shells and ssh(1) have them.
_EXIT_TIMED_OUT, _EXIT_CANNOT_EXECUTE, _EXIT_NOT_FOUND, _EXIT_SIGNAL_BASE, _EXIT_OTHER = 124, 126, 127, 128, 255


class Signal(IntEnum):
    """What a command can be sent."""

    UNSPECIFIED = 0
    HUP = 1
    INT = 2
    QUIT = 3
    TERM = 4
    KILL = 5
    USR1 = 6
    USR2 = 7


class OutputStream(IntEnum):
    """Where a command wrote to."""

    UNSPECIFIED = 0
    STDOUT = 1
    STDERR = 2


class JobState(IntEnum):
    """Where a command stands."""

    UNSPECIFIED = 0
    QUEUED = 1
    RUNNING = 2
    ENDED = 3


@dataclass(frozen=True, slots=True)
class Output:
    """A piece of what a command wrote; the pieces of one stream come in order, each byte once."""

    stream: OutputStream
    # Of the first byte in its stream.
    offset: int
    data: bytes

    @property
    def is_stderr(self) -> bool:
        return self.stream == OutputStream.STDERR


@dataclass(frozen=True, slots=True)
class OutputLost:
    """Output that the service no longer keeps: the stream goes on so many bytes later."""

    stream: OutputStream
    size: int


@dataclass(frozen=True, slots=True)
class Exited:
    """It ended by itself."""

    code: int


@dataclass(frozen=True, slots=True)
class Signalled:
    """A signal ended it that the service did not send."""

    name: str
    number: int
    core_dumped: bool


@dataclass(frozen=True, slots=True)
class TimedOut:
    """It ran for too long."""

    timeout: timedelta | None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The caller, an operator or a stopping service ended it."""


@dataclass(frozen=True, slots=True)
class StartFailed:
    """There never was a process of it."""

    errno_value: int
    message: str


@dataclass(frozen=True, slots=True)
class OutputLimitReached:
    """It wrote too much."""

    limit_bytes: int


Result: TypeAlias = Exited | Signalled | TimedOut | Cancelled | StartFailed | OutputLimitReached


@dataclass(frozen=True, slots=True)
class ResourceUsage:
    """What the command cost, with those of its descendants that it waited for."""

    user_time: timedelta | None
    system_time: timedelta | None
    max_resident_bytes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    # None when it ended in a way that this version does not know: no success.
    result: Exited | Signalled | TimedOut | Cancelled | StartFailed | OutputLimitReached | None
    stdout_size: int
    stderr_size: int
    start_time: datetime | None
    end_time: datetime | None
    resource_usage: ResourceUsage | None
    # A process that outlived the command still held its output.
    output_may_be_incomplete: bool

    @property
    def exit_code(self) -> int:
        """The command's own; 128+N when signal N ended it, 124 when its time was up, 127 when it was not found, 126 when it
        could not be started, 255 otherwise. As `rawgate run` has it."""
        match self.result:
            case Exited(code):
                return code
            case Signalled(_, number):
                return _EXIT_SIGNAL_BASE + number
            case TimedOut():
                return _EXIT_TIMED_OUT
            case StartFailed(errno_value):
                return _EXIT_NOT_FOUND if errno_value == errno.ENOENT else _EXIT_CANNOT_EXECUTE
        return _EXIT_OTHER

    def describe(self) -> str:
        """In a few words, to go behind "the command"."""
        match self.result:
            case Exited(code):
                return f"exited with {code}"
            case Signalled(name):
                return f"was ended by SIG{name}"
            case TimedOut(timeout):
                return f"was ended after its time limit of {timeout}"
            case Cancelled():
                return "was ended by the service"
            case StartFailed(_, message):
                return f"could not be started: {message}"
            case OutputLimitReached(limit):
                return f"was ended after {limit} bytes of output"
        return "ended in a way that this version does not know"


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """A command that has ended, with all that it wrote."""

    job_id: str
    exit_code: int
    stdout: bytes
    stderr: bytes
    outcome: Outcome

    @property
    def text(self) -> str:
        """Standard output, decoded; what is no UTF-8 is replaced."""
        return self.stdout.decode(errors="replace")

    def check(self) -> CompletedRun:
        """Itself. Raises CommandFailed unless the command ended with exit code 0."""
        if not isinstance(self.outcome.result, Exited) or self.exit_code != 0:
            raise CommandFailed(self)
        return self


@dataclass(frozen=True, slots=True)
class KeptOutput:
    """What is kept of one output stream: bytes from `kept_from` to `size`."""

    size: int
    kept_from: int


@dataclass(frozen=True, slots=True)
class JobInfo:
    """One command, whoever had it run: clients of the raw listeners too."""

    job_id: str
    state: JobState
    command: str
    listener: str
    connection_id: int
    start_time: datetime | None
    pid: int
    standard_output: KeptOutput | None
    standard_error: KeptOutput | None
    stdin_open: bool
    terminal: bool
    request_id: str
    outcome: Outcome | None
