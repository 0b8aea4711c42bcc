"""What can go wrong, by gRPC's canonical codes. Programs switch on the class, or on `reason`, which each method's comment in
the protos lists; people read the message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError

from rawgate._details import error_details_pb2, status_pb2

if TYPE_CHECKING:
    from rawgate.commands import CompletedRun

_DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class Violation:
    """One field of a request that was wrong."""

    field: str
    description: str


class Error(Exception):
    """Every error of this package; local files raise OSError besides."""

    code = "UNKNOWN"

    def __init__(self, message: str, *, reason: str = "", metadata: dict[str, str] | None = None,
                 retry_after: float | None = None, violations: tuple[Violation, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        # UPPER_SNAKE_CASE and constant for one cause, such as "FILE_NOT_FOUND"; empty where only gRPC spoke.
        self.reason = reason
        # Further facts by name, such as "committed_size".
        self.metadata = metadata or {}
        # Seconds after which the far side wants to be asked again; None where it does not say.
        self.retry_after = retry_after
        self.violations = violations

    def __str__(self) -> str:
        return f"{self.message} ({self.reason})" if self.reason else self.message


class Cancelled(Error):
    """The call was cancelled: by this client, or by an operator (CLOSED_BY_OPERATOR)."""

    code = "CANCELLED"


class InvalidArgument(Error):
    """The request makes no sense, whatever the state of the far side."""

    code = "INVALID_ARGUMENT"


class DeadlineExceeded(Error):
    """It took too long. What was asked for may have been done."""

    code = "DEADLINE_EXCEEDED"


class NotFound(Error):
    """There is no such thing."""

    code = "NOT_FOUND"


class AlreadyExists(Error):
    """There is such a thing already."""

    code = "ALREADY_EXISTS"


class PermissionDenied(Error):
    """The caller's role does not allow it, or a policy."""

    code = "PERMISSION_DENIED"


class ResourceExhausted(Error):
    """Something is full or busy."""

    code = "RESOURCE_EXHAUSTED"


class FailedPrecondition(Error):
    """Not in this state; asking again does not help before that changes."""

    code = "FAILED_PRECONDITION"


class Aborted(Error):
    """Somebody else was at it at the same time."""

    code = "ABORTED"


class OutOfRange(Error):
    """Past the end."""

    code = "OUT_OF_RANGE"


class Unimplemented(Error):
    """The far side is no rawgate gateway, or one of another version."""

    code = "UNIMPLEMENTED"


class Internal(Error):
    """Something broke over there."""

    code = "INTERNAL"


class Unavailable(Error):
    """The gateway or the service cannot be reached at the moment."""

    code = "UNAVAILABLE"


class DataLoss(Error):
    """What came, or was stored, is not what was sent."""

    code = "DATA_LOSS"


class Unauthenticated(Error):
    """The gateway does not know who calls."""

    code = "UNAUTHENTICATED"


class OutcomeUnknown(Error):
    """A command's stream ended without its outcome: it may have run, or not, or be running still. Never a success."""

    def __init__(self, message: str, *, job_id: str = "") -> None:
        super().__init__(message, reason="OUTCOME_UNKNOWN")
        # Empty where not even a start was told.
        self.job_id = job_id


class CommandFailed(Error):
    """run(check=True): the command did not end with exit code 0."""

    def __init__(self, completed: CompletedRun) -> None:
        super().__init__(f"the command {completed.outcome.describe()}", reason="COMMAND_FAILED")
        self.completed = completed


_BY_CODE: dict[str, type[Error]] = {kind.code: kind for kind in (
    Cancelled, InvalidArgument, DeadlineExceeded, NotFound, AlreadyExists, PermissionDenied, ResourceExhausted,
    FailedPrecondition, Aborted, OutOfRange, Unimplemented, Internal, Unavailable, DataLoss, Unauthenticated)}


def from_rpc(error: Any) -> Error:
    """`error` is a grpc.RpcError or grpc.aio.AioRpcError. Bytes that make no sense leave the code and the message."""
    kind = _BY_CODE.get(error.code().name, Error)
    message = error.details() or error.code().name.lower().replace("_", " ")
    info, retry_after, violations = error_details_pb2.ErrorInfo(), None, []
    try:
        for detail in status_pb2.Status.FromString(_packed(error)).details:
            name = detail.type_url.rpartition("/")[2]
            if name == "google.rpc.ErrorInfo":
                info = error_details_pb2.ErrorInfo.FromString(detail.value)
            elif name == "google.rpc.RetryInfo":
                delay = error_details_pb2.RetryInfo.FromString(detail.value).retry_delay
                retry_after = delay.seconds + delay.nanos / 1e9
            elif name == "google.rpc.BadRequest":
                for each in error_details_pb2.BadRequest.FromString(detail.value).field_violations:
                    violations.append(Violation(each.field, each.description))
    except DecodeError:
        pass
    return kind(message, reason=info.reason, metadata=dict(info.metadata), retry_after=retry_after,
                violations=tuple(violations))


def _packed(error: Any) -> bytes:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            return bytes(value)
    return b""
