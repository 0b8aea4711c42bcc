"""Flows of remote commands. A command is started once, whatever the network does: it has a request_id, and what was told of
it so far is the offset from which the next attempt goes on."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO, TypeAlias

from rawgate._command_input import Input, feed, split_input
from rawgate._convert import from_proto
from rawgate._flow import Deadline, Emit, Flow, Items, Open, Read, Spawn, Stream, Task, Unary, call, drain, pause
from rawgate._followed_job import FollowedJob
from rawgate._methods import Method, method
from rawgate._retry import How, Pacer, is_passing
from rawgate._small_calls import pages
from rawgate.commands import CompletedRun, JobInfo, Outcome, Output, OutputLost, OutputStream, Signal
from rawgate.errors import DataLoss, Error, OutcomeUnknown
from rawgate.exec.v1 import command_pb2, exec_service_pb2

_RUN = method("ExecService", "Run")
_ATTACH = method("ExecService", "Attach")
_SIGNAL_JOB = method("ExecService", "SignalJob")
_GET_JOB = method("ExecService", "GetJob")
_LIST_JOBS = method("ExecService", "ListJobs")

_LAST_WORD_TIMEOUT = 2.0

Command: TypeAlias = str | Sequence[str]


@dataclass(frozen=True, slots=True)
class Begun:
    """The first item: the command has its job_id."""


def new_job(command: Command, *, cwd: str = "", env: Mapping[str, str] | None = None, timeout: float | None = None,
            request_id: str | None = None, stdin: bytes = b"", keep_stdin_open: bool = False) -> FollowedJob:
    """A command that is to be started: a string is for a shell, a sequence is a program and its arguments. It is kept when
    its call ends: that may be the network's doing."""
    request = exec_service_pb2.RunRequest(
        working_directory=cwd, stdin=stdin, keep_stdin_open=keep_stdin_open, request_id=request_id or uuid.uuid4().hex,
        on_disconnect=command_pb2.ON_DISCONNECT_KEEP)
    if isinstance(command, str):
        request.shell_command = command
    else:
        request.argv.arguments.extend(command)
    for name, value in (env or {}).items():
        request.environment.add(name=name, value=value)
    if timeout is not None:
        request.timeout.FromTimedelta(timedelta(seconds=timeout))
    return FollowedJob(request, input_offset=len(stdin))


def attached_job(job_id: str, stdout_offset: int, stderr_offset: int) -> FollowedJob:
    """A command that was started before, whose input goes behind what it got."""
    return FollowedJob(job_id=job_id, offsets={OutputStream.STDOUT: stdout_offset, OutputStream.STDERR: stderr_offset},
               input_offset=None)


def follow(job: FollowedJob, how: How) -> Items:
    """Begun, Output and OutputLost, until the outcome is known, which is then job's. Raises OutcomeUnknown when it cannot
    be."""
    deadline, pacer = Deadline(how.timeout), Pacer(how)
    while job.outcome is None:
        stream: Stream | None = None
        try:
            stream = yield _open(job, deadline)
            while (message := (yield Read(stream))) is not None:
                pacer.note_progress()
                news = _take(job, message)
                if job.job_id and not job.begun:
                    job.begun = True
                    yield Emit(Begun())
                for item in news:
                    yield Emit(item)
            if job.outcome is None:
                raise OutcomeUnknown("the far side went without telling how the command ended; it may have done its work",
                                     job_id=job.job_id)
        except Error as error:
            if job.outcome is not None:  # the last word, whatever the connection did after it
                return
            yield from _wait_or_give_up(job, error, pacer, deadline)
        finally:
            if stream is not None:
                stream.cancel()


def _open(job: FollowedJob, deadline: Deadline) -> Open:
    if not job.job_id:
        return Open(_RUN, job.request, deadline.left())
    request = exec_service_pb2.AttachRequest(job_id=job.job_id, stdout_offset=job.offsets[OutputStream.STDOUT],
                                             stderr_offset=job.offsets[OutputStream.STDERR])
    return Open(_ATTACH, request, deadline.left())


def _wait_or_give_up(job: FollowedJob, error: Error, pacer: Pacer, deadline: Deadline) -> Flow[None]:
    try:
        yield from pause(pacer, error, deadline)
    except Error:
        started = bool(job.job_id) and job.request is not None
        if started and (is_passing(error) or error.reason == "NO_SUCH_JOB"):
            raise OutcomeUnknown(f"how the command ended is not known: {error}", job_id=job.job_id) from error
        raise


def _take(job: FollowedJob, message: Any) -> list[Output | OutputLost]:
    """What is new in a message of Run or Attach."""
    match message.WhichOneof("event"):
        case "started":
            job.job_id = message.started.job_id
        case "attached":
            return [*_skipped(job, OutputStream.STDOUT, message.attached.stdout_offset),
                    *_skipped(job, OutputStream.STDERR, message.attached.stderr_offset)]
        case "output":
            output = message.output
            stream = OutputStream.STDERR if output.stream == OutputStream.STDERR else OutputStream.STDOUT
            lost = _skipped(job, stream, output.offset)
            known = job.offsets[stream] - output.offset
            if known >= len(output.data):  # told before
                return list(lost)
            job.offsets[stream] = output.offset + len(output.data)
            return [*lost, Output(stream, output.offset + known, output.data[known:])]
        case "outcome":
            job.outcome = from_proto(Outcome, message.outcome)
    return []


def _skipped(job: FollowedJob, stream: OutputStream, offset: int) -> list[OutputLost]:
    """What lies between here and `offset` is not kept any more."""
    gap = offset - job.offsets[stream]
    if gap <= 0:
        return []
    job.offsets[stream] = offset
    return [OutputLost(stream, gap)]


def run(command: Command, stdin: Input, cwd: str, env: Mapping[str, str] | None, timeout: float | None,
        request_id: str | None, check: bool, how: How) -> Flow[CompletedRun]:
    """A command from start to end."""
    first, rest = split_input(stdin)
    job = new_job(command, cwd=cwd, env=env, timeout=timeout, request_id=request_id, stdin=first,
                  keep_stdin_open=rest is not None)
    completed = yield from _complete(job, rest, how)
    return completed.check() if check else completed


def _complete(job: FollowedJob, stdin: BinaryIO | None, how: How) -> Flow[CompletedRun]:
    """Who stops waiting (Ctrl-C, a cancelled task) does not want the command any more: it is ended."""
    output = {OutputStream.STDOUT: bytearray(), OutputStream.STDERR: bytearray()}
    lost = 0

    def take(item: Begun | Output | OutputLost) -> None:
        nonlocal lost
        if isinstance(item, Output):
            output[item.stream] += item.data
        elif isinstance(item, OutputLost):
            lost += item.size

    items = follow(job, how)
    feeder: Task | None = None
    try:
        yield from drain(items, take, until=lambda: bool(job.job_id))
        if stdin is not None:
            feeder = yield Spawn(feed(job, stdin, how, end_command))
        yield from drain(items, take)
    except (Error, GeneratorExit):
        raise
    except BaseException:
        yield from end_command(job)
        raise
    finally:
        items.close()
        if feeder is not None:
            feeder.cancel()
    if job.input_failure is not None:
        raise job.input_failure
    if lost:
        raise DataLoss(f"{lost} bytes of output of the command {job.job_id} are not kept any more", reason="OUTPUT_LOST")
    assert job.outcome is not None
    return CompletedRun(job.job_id, job.outcome.exit_code, bytes(output[OutputStream.STDOUT]),
                        bytes(output[OutputStream.STDERR]), job.outcome)


def end_command(job: FollowedJob) -> Flow[None]:
    """As well as it goes, while something else is being raised."""
    if job.outcome is not None:
        return
    try:
        if not job.job_id:  # it may have been started all the same: its request_id tells
            yield from _ask_for_id(job)
        yield Unary(_SIGNAL_JOB, exec_service_pb2.SignalJobRequest(job_id=job.job_id, signal=command_pb2.SIGNAL_KILL),
                    _LAST_WORD_TIMEOUT)
    except Error:
        pass


def _ask_for_id(job: FollowedJob) -> Flow[None]:
    stream: Stream = yield Open(_RUN, job.request, _LAST_WORD_TIMEOUT)
    try:
        message = yield Read(stream)
        if message is not None:
            _take(job, message)
    finally:
        stream.cancel()


def send_signal(job_id: str, signal: Signal, how: How) -> Flow[None]:
    # Repeated when nobody knows whether it was sent: a signal twice is a signal.
    repeatable = Method(_SIGNAL_JOB.service, _SIGNAL_JOB.name, idempotent=True)
    number: Any = signal.value
    yield from call(repeatable, exec_service_pb2.SignalJobRequest(job_id=job_id, signal=number), how)


def get_job(job_id: str, how: How) -> Flow[JobInfo]:
    response = yield from call(_GET_JOB, exec_service_pb2.GetJobRequest(job_id=job_id), how)
    return from_proto(JobInfo, response.job)


def list_jobs(running_only: bool, how: How) -> Items:
    request = exec_service_pb2.ListJobsRequest(page_size=1000, running_only=running_only)
    return pages(_LIST_JOBS, request, "jobs", JobInfo, how)
