"""The blocking client."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType

import grpc

from rawgate import _command_flows, _settings, _small_calls, _watches
from rawgate._command_flows import Command
from rawgate._command_input import Input
from rawgate._job import Job
from rawgate._parts import Chat, Files, Services
from rawgate._retry import How
from rawgate._sync import Driver, Stream
from rawgate.clock import Tick, TimeReading
from rawgate.commands import CompletedRun, JobInfo
from rawgate.echoing import Transform
from rawgate.events import EventOrLost


def connect(gateway: str | None = None, *, token: str | None = None, token_file: str | os.PathLike[str] | None = None,
            ca: _settings.Pem | None = None, cert: _settings.Pem | None = None, key: _settings.Pem | None = None,
            timeout: float | None = 30.0, retries: int = 5) -> Client:
    """A client of the gateway at `gateway`: HOST, HOST:PORT, unix:///PATH. What is not given comes from the environment, as
    for the command line: RAWGATE_GATEWAY (else 127.0.0.1:50051), RAWGATE_TOKEN_FILE or RAWGATE_TOKEN, RAWGATE_TLS_CA,
    RAWGATE_CLIENT_CERTIFICATE and RAWGATE_CLIENT_KEY. `ca`, `cert` and `key` are paths, or PEM as bytes.

    `timeout`, in seconds, is for each operation that does not last by its nature, and each may be given another; `retries`
    says how often in a row a call without success is repeated where that does no harm. Nothing is connected before the first
    call. Raises OSError, InvalidArgument (BAD_TOKEN, BAD_PEM), FailedPrecondition (TOKEN_IN_THE_CLEAR).
    """
    settings = _settings.load(gateway, token, token_file, ca, cert, key)
    credentials = settings.credentials
    channel = (grpc.secure_channel(settings.target, credentials, options=_settings.CHANNEL_OPTIONS) if credentials else
               grpc.insecure_channel(settings.target, options=_settings.CHANNEL_OPTIONS))
    return Client(Driver(channel, settings.metadata), How(retries, timeout))


class Client:
    """One connection to a gateway. Any thread. Every method raises rawgate.Error; see the protos for the reasons."""

    def __init__(self, driver: Driver, how: How) -> None:
        self._driver = driver
        self._how = how
        self.files = Files(driver, how)
        self.chat = Chat(driver, how)
        self.services = Services(driver, how)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the calls that there are, with Cancelled; later ones raise FailedPrecondition (CLIENT_CLOSED)."""
        self._driver.close()

    def echo(self, data: bytes, *, transform: Transform = Transform.UNSPECIFIED, timeout: float | None = None) -> bytes:
        """The bytes, upper-cased unless told otherwise; at most 1 MiB."""
        return self._driver.run(_small_calls.echo(data, transform, self._how.within(timeout)))

    def time(self, *, format: str = "", zone: str = "", timeout: float | None = None) -> TimeReading:
        """The far side's time, told by a strftime `format` in an IANA `zone`, and how far its clock is from ours."""
        return self._driver.run(_small_calls.read_time(format, zone, self._how.within(timeout)))

    def ticks(self, interval: float = 1.0, *, format: str = "", zone: str = "", timeout: float | None = None) -> Stream[Tick]:
        """The far side's time again and again, each time that its clock reaches a whole multiple of `interval` seconds."""
        return self._driver.watch(_watches.watch_time(interval, format, zone, self._how.endless(timeout)))

    def run(self, command: Command, *, stdin: Input = None, timeout: float | None = None, cwd: str = "",
            env: Mapping[str, str] | None = None, check: bool = False, request_id: str | None = None) -> CompletedRun:
        """Runs a command to its end, as subprocess.run does: a list is a program and its arguments, a string is for a shell.
        After `timeout` seconds the service ends it (exit code 124). With `check`, what did not exit with 0 raises
        CommandFailed. It is started once, and a lost connection does not end it: it is gone on with. Ctrl-C ends it.
        Raises OutcomeUnknown when it cannot be told how the command ended.
        """
        flow = _command_flows.run(command, stdin, cwd, env, timeout, request_id, check, self._how.endless(None))
        return self._driver.run(flow)

    def start(self, command: Command, *, timeout: float | None = None, cwd: str = "", env: Mapping[str, str] | None = None,
              keep_stdin_open: bool = False, request_id: str | None = None) -> Job:
        """Starts a command, and returns when it runs. It goes on when nobody follows it, and after this client's end; in a
        `with` block it is awaited at the end, or killed when the block ends by an exception. `timeout` is the command's."""
        job = _command_flows.new_job(command, cwd=cwd, env=env, timeout=timeout, request_id=request_id,
                                     keep_stdin_open=keep_stdin_open)
        return Job.begin(self._driver, job, self._how)

    def attach(self, job_id: str, *, stdout_offset: int = 0, stderr_offset: int = 0) -> Job:
        """A command that somebody started: its output from these offsets on, as far as it is kept."""
        return Job.begin(self._driver, _command_flows.attached_job(job_id, stdout_offset, stderr_offset), self._how)

    def jobs(self, *, running_only: bool = False) -> Stream[JobInfo]:
        """The newest first: those that wait and run, and the last thousand of those that have ended."""
        return self._driver.items(_command_flows.list_jobs(running_only, self._how), JobInfo)

    def events(self, *services: str, chunks: bool = False, sample: int = 0, timeout: float | None = None) -> Stream[EventOrLost]:
        """What happens in these services, or in all, from now on. With `chunks` there is an event for each read that brought
        bytes; `sample` is how many bytes of each chunk and datagram are told, at most 256. After a broken connection it goes
        on after the last event; what is not kept any more is told as Lost."""
        return self._driver.watch(_watches.watch_events(services, chunks, sample, self._how.endless(timeout)))
