"""A command that runs over there, for blocking callers."""

from __future__ import annotations

from types import TracebackType

from rawgate import _command_flows, _command_input
from rawgate._followed_job import FollowedJob, JobView
from rawgate._retry import How
from rawgate._sync import Driver, Stream
from rawgate.commands import JobInfo, Outcome, Output, OutputLost, Signal


class Job(JobView):
    """What start() and attach() return. One thread reads; any may write or signal."""

    def __init__(self, driver: Driver, job: FollowedJob, how: How, stream: Stream[Output | OutputLost]) -> None:
        super().__init__(job)
        self._driver = driver
        self._how = how
        # Open from the beginning, for the first who reads.
        self._stream: Stream[Output | OutputLost] | None = stream

    @classmethod
    def begin(cls, driver: Driver, job: FollowedJob, how: How) -> Job:
        """Returns when the command has its job_id."""
        stream: Stream[Output | OutputLost] = driver.items(_command_flows.follow(job, how.endless(None)))
        next(stream, None)
        return cls(driver, job, how, stream)

    def output(self, *, timeout: float | None = None) -> Stream[Output | OutputLost]:
        """What was not read before, as it comes, until the command's end. Breaking out of it ends the call, not the command:
        the next call goes on there. A broken connection is gone on with. Raises OutcomeUnknown."""
        stream, self._stream = self._stream, None
        if stream is not None and timeout is None:
            return stream
        return self._driver.items(_command_flows.follow(self._job, self._how.endless(timeout)))

    def __iter__(self) -> Stream[Output | OutputLost]:
        return self.output()

    def wait(self, timeout: float | None = None) -> Outcome:
        """How the command ended. Output that was not read is skipped. Raises DeadlineExceeded when the command still runs
        after `timeout` seconds, OutcomeUnknown."""
        with self.output(timeout=timeout) as output:
            for _ in output:
                pass
        assert self._job.outcome is not None
        return self._job.outcome

    def write_stdin(self, data: bytes, *, end: bool = False, timeout: float | None = None) -> None:
        """Returns when the command's pipe has taken all; each byte once, whatever the connection does. With `end` nothing
        follows. Raises FailedPrecondition (JOB_ENDED, STDIN_CLOSED)."""
        self._driver.run(_command_input.write_stdin(self._job, data, end, self._how.endless(timeout)))

    def close_stdin(self) -> None:
        """Nothing follows."""
        self.write_stdin(b"", end=True)

    def send_signal(self, signal: Signal, *, timeout: float | None = None) -> None:
        """To the command and all that descends from it. Raises FailedPrecondition (JOB_ENDED)."""
        self._driver.run(_command_flows.send_signal(self.job_id, signal, self._how.within(timeout)))

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(Signal.TERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(Signal.KILL)

    def info(self, *, timeout: float | None = None) -> JobInfo:
        """As it is now."""
        return self._driver.run(_command_flows.get_job(self.job_id, self._how.within(timeout)))

    def close(self) -> None:
        """Follows it no more; the command goes on."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __enter__(self) -> Job:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
        if self._job.outcome is None:
            if error is None:
                self.wait()
            else:
                self._driver.run(_command_flows.end_command(self._job))
