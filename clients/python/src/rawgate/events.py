"""What happens in the services, as it is told to watchers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from rawgate.states import CloseReason, ServiceState, Transport


@dataclass(frozen=True, slots=True)
class ConnectionOpened:
    """A stream connection was accepted."""

    peer: str
    transport: Transport


@dataclass(frozen=True, slots=True)
class ConnectionClosed:
    """A stream connection ended, with its totals."""

    reason: CloseReason
    detail: str
    bytes_received: int
    bytes_sent: int
    requests: int


@dataclass(frozen=True, slots=True)
class ChunkReceived:
    """Exactly what one recv(2) returned."""

    size: int
    sample: bytes


@dataclass(frozen=True, slots=True)
class DatagramReceived:
    """One datagram came."""

    peer: str
    size: int
    sample: bytes
    # Why it was not served; empty when it was.
    dropped: str


@dataclass(frozen=True, slots=True)
class DatagramSent:
    """One datagram was answered."""

    peer: str
    size: int


@dataclass(frozen=True, slots=True)
class RequestServed:
    """A request was answered, raw or typed."""

    summary: str
    # Empty on success, else the canonical code.
    error_code: str
    duration: timedelta | None


@dataclass(frozen=True, slots=True)
class CommandStarted:
    """A command was started, or tried to."""

    job_id: str
    pid: int
    summary: str


@dataclass(frozen=True, slots=True)
class CommandEnded:
    """A command ended, however it did."""

    job_id: str
    outcome: str
    duration: timedelta | None


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """A file is on its way."""

    filename: str
    upload: bool
    transferred_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class ListenerStateChanged:
    """A listener went into another state."""

    state: ServiceState
    bound_address: str
    last_error: str


@dataclass(frozen=True, slots=True)
class FaultHit:
    """A fault on purpose has hit a connection or a datagram."""

    fault: str
    peer: str
    received: bool


@dataclass(frozen=True, slots=True)
class ServiceReachabilityChanged:
    """Told by the gateway: a service process came, or went."""

    reachable: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened in a service."""

    service: str
    instance: str
    sequence: int
    time: datetime | None
    # Empty, or 0, where none is concerned.
    listener: str
    connection_id: int
    # None when this version does not know it.
    kind: (ConnectionOpened | ConnectionClosed | ChunkReceived | DatagramReceived | DatagramSent | RequestServed |
           CommandStarted | CommandEnded | TransferProgress | ListenerStateChanged | FaultHit |
           ServiceReachabilityChanged | None)


@dataclass(frozen=True, slots=True)
class Lost:
    """Events that this watcher does not get: it was too slow, or came back after more than what is kept."""

    service: str
    instance: str
    # 0 when it cannot be known: the instance is gone.
    count: int


EventOrLost: TypeAlias = Event | Lost
