"""The client of asyncio: as rawgate.Client, whose methods say what each does, with `await`, `async for` and `async with`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType

import grpc.aio

from rawgate import _command_flows, _settings, _small_calls, _watches
from rawgate._async import Driver, Stream
from rawgate._command_flows import Command
from rawgate._command_input import Input
from rawgate._retry import How
from rawgate.aio._job import Job
from rawgate.aio._parts import Chat, Files, Services
from rawgate.clock import Tick, TimeReading
from rawgate.commands import CompletedRun, JobInfo
from rawgate.echoing import Transform
from rawgate.events import EventOrLost

__all__ = ["Client", "Job", "Stream", "connect"]


def connect(gateway: str | None = None, *, token: str | None = None, token_file: str | os.PathLike[str] | None = None,
            ca: _settings.Pem | None = None, cert: _settings.Pem | None = None, key: _settings.Pem | None = None,
            timeout: float | None = 30.0, retries: int = 5) -> Client:
    """As rawgate.connect(), for the running loop."""
    settings = _settings.load(gateway, token, token_file, ca, cert, key)
    credentials = settings.credentials
    channel = (grpc.aio.secure_channel(settings.target, credentials, options=_settings.CHANNEL_OPTIONS) if credentials else
               grpc.aio.insecure_channel(settings.target, options=_settings.CHANNEL_OPTIONS))
    return Client(Driver(channel, settings.metadata), How(retries, timeout))


class Client:
    """One connection to a gateway, for one loop. Progress callbacks are called in it, and are plain functions."""

    def __init__(self, driver: Driver, how: How) -> None:
        self._driver = driver
        self._how = how
        self.files = Files(driver, how)
        self.chat = Chat(driver, how)
        self.services = Services(driver, how)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the calls that there are."""
        await self._driver.close()

    async def echo(self, data: bytes, *, transform: Transform = Transform.UNSPECIFIED, timeout: float | None = None) -> bytes:
        """The bytes, upper-cased unless told otherwise."""
        return await self._driver.run(_small_calls.echo(data, transform, self._how.within(timeout)))

    async def time(self, *, format: str = "", zone: str = "", timeout: float | None = None) -> TimeReading:
        """The far side's time, and how far its clock is from ours."""
        return await self._driver.run(_small_calls.read_time(format, zone, self._how.within(timeout)))

    def ticks(self, interval: float = 1.0, *, format: str = "", zone: str = "", timeout: float | None = None) -> Stream[Tick]:
        """The far side's time again and again."""
        return self._driver.watch(_watches.watch_time(interval, format, zone, self._how.endless(timeout)))

    async def run(self, command: Command, *, stdin: Input = None, timeout: float | None = None, cwd: str = "",
                  env: Mapping[str, str] | None = None, check: bool = False, request_id: str | None = None) -> CompletedRun:
        """Runs a command to its end; cancelling the task ends it."""
        flow = _command_flows.run(command, stdin, cwd, env, timeout, request_id, check, self._how.endless(None))
        return await self._driver.run(flow)

    async def start(self, command: Command, *, timeout: float | None = None, cwd: str = "", env: Mapping[str, str] | None = None,
                    keep_stdin_open: bool = False, request_id: str | None = None) -> Job:
        """Starts a command, and returns when it runs."""
        job = _command_flows.new_job(command, cwd=cwd, env=env, timeout=timeout, request_id=request_id,
                                     keep_stdin_open=keep_stdin_open)
        return await Job.begin(self._driver, job, self._how)

    async def attach(self, job_id: str, *, stdout_offset: int = 0, stderr_offset: int = 0) -> Job:
        """A command that somebody started: its output from these offsets on, as far as it is kept."""
        return await Job.begin(self._driver, _command_flows.attached_job(job_id, stdout_offset, stderr_offset), self._how)

    def jobs(self, *, running_only: bool = False) -> Stream[JobInfo]:
        """The newest first."""
        return self._driver.items(_command_flows.list_jobs(running_only, self._how), JobInfo)

    def events(self, *services: str, chunks: bool = False, sample: int = 0, timeout: float | None = None) -> Stream[EventOrLost]:
        """What happens in these services, or in all, from now on."""
        return self._driver.watch(_watches.watch_events(services, chunks, sample, self._how.endless(timeout)))
