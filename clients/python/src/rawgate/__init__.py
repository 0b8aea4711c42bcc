"""A typed client of rawgate's gateway. `rawgate.connect()` is the blocking one, `rawgate.aio.connect()` that of asyncio.

The stubs of the protos are here as well, under the protos' own names: `from rawgate.file.v1 import upload_pb2`.
"""

from rawgate._client import Client, connect
from rawgate._job import Job
from rawgate._sync import Stream
from rawgate.clock import ClockSynchronization, Tick, TimeReading
from rawgate.commands import CompletedRun, JobInfo, JobState, Outcome, Output, OutputLost, OutputStream, Signal
from rawgate.conversations import CaughtUp, ChatUpdate, Delivery, Direction, Message, MessagesLost, Sent, Session
from rawgate.echoing import Transform
from rawgate.errors import (Aborted, AlreadyExists, Cancelled, CommandFailed, DataLoss, DeadlineExceeded, Error,
                            FailedPrecondition, Internal, InvalidArgument, NotFound, OutcomeUnknown, OutOfRange,
                            PermissionDenied, ResourceExhausted, Unauthenticated, Unavailable, Unimplemented, Violation)
from rawgate.events import (ChunkReceived, CommandEnded, CommandStarted, ConnectionClosed, ConnectionOpened,
                            DatagramReceived, DatagramSent, Event, EventOrLost, FaultHit, ListenerStateChanged, Lost,
                            RequestServed, ServiceReachabilityChanged, TransferProgress)
from rawgate.faults import DatagramFaults, FaultCounters, Faults, StreamFaults
from rawgate.progress import Progress
from rawgate.states import (CloseReason, Connection, Counters, DesiredState, Listener, Service, ServicesChange,
                            ServiceState, Transport)
from rawgate.stored import Digests, EntryType, FileInfo, StoreLimits, UnfinishedUpload

__all__ = [
    "Aborted", "AlreadyExists", "Cancelled", "CaughtUp", "ChatUpdate", "ChunkReceived", "Client", "ClockSynchronization",
    "CloseReason", "CommandEnded", "CommandFailed", "CommandStarted", "CompletedRun", "Connection", "ConnectionClosed",
    "ConnectionOpened", "Counters", "DataLoss", "DatagramFaults", "DatagramReceived", "DatagramSent", "DeadlineExceeded",
    "Delivery", "DesiredState", "Digests", "Direction", "EntryType", "Error", "Event", "EventOrLost", "FailedPrecondition",
    "FaultCounters", "FaultHit", "Faults", "FileInfo", "Internal", "InvalidArgument", "Job", "JobInfo", "JobState", "Listener",
    "ListenerStateChanged", "Lost", "Message", "MessagesLost", "NotFound", "Outcome", "OutcomeUnknown", "OutOfRange",
    "Output", "OutputLost", "OutputStream", "PermissionDenied", "Progress", "RequestServed", "ResourceExhausted", "Sent",
    "Service", "ServiceReachabilityChanged", "ServicesChange", "ServiceState", "Session", "Signal", "StoreLimits",
    "Stream", "StreamFaults", "Tick", "TimeReading", "TransferProgress", "Transform", "Transport", "Unauthenticated", "Unavailable",
    "UnfinishedUpload", "Unimplemented", "Violation", "connect"]
