"""A command that runs over there, for asyncio: as rawgate._job, which says what each method does."""

from __future__ import annotations

from types import TracebackType

from rawgate import _command_flows, _command_input
from rawgate._async import Driver, Stream
from rawgate._followed_job import FollowedJob, JobView
from rawgate._retry import How
from rawgate.commands import JobInfo, Outcome, Output, OutputLost, Signal


class Job(JobView):
    """What start() and attach() return."""

    def __init__(self, driver: Driver, job: FollowedJob, how: How, stream: Stream[Output | OutputLost]) -> None:
        super().__init__(job)
        self._driver = driver
        self._how = how
        self._stream: Stream[Output | OutputLost] | None = stream

    @classmethod
    async def begin(cls, driver: Driver, job: FollowedJob, how: How) -> Job:
        """Returns when the command has its job_id."""
        stream: Stream[Output | OutputLost] = driver.items(_command_flows.follow(job, how.endless(None)))
        await anext(stream, None)
        return cls(driver, job, how, stream)

    def output(self, *, timeout: float | None = None) -> Stream[Output | OutputLost]:
        """What was not read before, as it comes, until the command's end."""
        stream, self._stream = self._stream, None
        if stream is not None and timeout is None:
            return stream
        return self._driver.items(_command_flows.follow(self._job, self._how.endless(timeout)))

    def __aiter__(self) -> Stream[Output | OutputLost]:
        return self.output()

    async def wait(self, timeout: float | None = None) -> Outcome:
        """How the command ended."""
        async with self.output(timeout=timeout) as output:
            async for _ in output:
                pass
        assert self._job.outcome is not None
        return self._job.outcome

    async def write_stdin(self, data: bytes, *, end: bool = False, timeout: float | None = None) -> None:
        """Returns when the command's pipe has taken all."""
        await self._driver.run(_command_input.write_stdin(self._job, data, end, self._how.endless(timeout)))

    async def close_stdin(self) -> None:
        """Nothing follows."""
        await self.write_stdin(b"", end=True)

    async def send_signal(self, signal: Signal, *, timeout: float | None = None) -> None:
        """To the command and all that descends from it."""
        await self._driver.run(_command_flows.send_signal(self.job_id, signal, self._how.within(timeout)))

    async def terminate(self) -> None:
        """SIGTERM."""
        await self.send_signal(Signal.TERM)

    async def kill(self) -> None:
        """SIGKILL."""
        await self.send_signal(Signal.KILL)

    async def info(self, *, timeout: float | None = None) -> JobInfo:
        """As it is now."""
        return await self._driver.run(_command_flows.get_job(self.job_id, self._how.within(timeout)))

    async def close(self) -> None:
        """Follows it no more; the command goes on."""
        if self._stream is not None:
            await self._stream.aclose()
            self._stream = None

    async def __aenter__(self) -> Job:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()
        if self._job.outcome is None:
            if error is None:
                await self.wait()
            else:
                await self._driver.run(_command_flows.end_command(self._job))
