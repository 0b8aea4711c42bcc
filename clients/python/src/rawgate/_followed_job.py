"""What is known here of a command that runs over there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rawgate.commands import Outcome, OutputStream


@dataclass(slots=True)
class FollowedJob:
    """Changed by the command's flows alone."""

    # The RunRequest; absent for a command that somebody else has started.
    request: Any = None
    # Empty until it is told.
    job_id: str = ""
    # Of the next byte of each output.
    offsets: dict[int, int] = field(default_factory=lambda: {OutputStream.STDOUT: 0, OutputStream.STDERR: 0})
    # Of the next byte of standard input; absent where others may have sent some.
    input_offset: int | None = 0
    # Why standard input could not be sent.
    input_failure: Exception | None = None
    # The first item of follow() was told.
    begun: bool = False
    # How it ended, once that is known.
    outcome: Outcome | None = None


class JobView:
    """What the jobs of both clients tell without asking."""

    def __init__(self, job: FollowedJob) -> None:
        self._job = job

    @property
    def job_id(self) -> str:
        return self._job.job_id

    @property
    def outcome(self) -> Outcome | None:
        """Once it was read: after the last output."""
        return self._job.outcome
