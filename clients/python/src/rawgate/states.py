"""What a service is at one moment: its state, its listeners, its totals, and who is connected to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from rawgate.faults import FaultCounters, Faults


class DesiredState(IntEnum):
    """What was last asked for."""

    UNSPECIFIED = 0
    RUNNING = 1
    STOPPED = 2


class ServiceState(IntEnum):
    """What a service, or one listener, is doing."""

    UNSPECIFIED = 0
    STARTING = 1
    RUNNING = 2
    DRAINING = 3
    STOPPED = 4
    FAILED = 5
    UNREACHABLE = 6


class Transport(IntEnum):
    """How a client came in."""

    UNSPECIFIED = 0
    TCP = 1
    UDP = 2
    UNIX = 3
    RPC = 4
    UNIX_DATAGRAM = 5
    TLS = 6


class CloseReason(IntEnum):
    """Why a connection ended."""

    UNSPECIFIED = 0
    PEER_CLOSED = 1
    RESET = 2
    IDLE = 3
    HEADER_DEADLINE = 4
    STALLED = 5
    PROTOCOL_ERROR = 6
    LIMIT = 7
    STOPPED = 8
    OPERATOR = 9
    LOCAL_ERROR = 10
    REFUSED = 11
    CROSS_PROTOCOL = 12


@dataclass(frozen=True, slots=True)
class Counters:
    """Totals since the process started."""

    connections_opened: int
    connections_open: int
    bytes_received: int
    bytes_sent: int
    datagrams_received: int
    datagrams_sent: int
    datagrams_dropped: int
    send_failures: int
    requests: int
    request_errors: int
    closed: dict[str, int]
    dropped: dict[str, int]
    datagrams_overflowed: int


@dataclass(frozen=True, slots=True)
class Listener:
    """One way into a service."""

    name: str
    transport: Transport
    configured_address: str
    # With the port that was picked; empty while not bound.
    bound_address: str
    desired_state: DesiredState
    state: ServiceState
    state_time: datetime | None
    last_error: str
    counters: Counters | None
    faults: Faults | None
    fault_counters: FaultCounters | None


@dataclass(frozen=True, slots=True)
class Service:
    """One service process."""

    name: str
    # New at every start of the process; empty while it was never reached.
    instance: str
    desired_state: DesiredState
    state: ServiceState
    state_time: datetime | None
    last_error: str
    listeners: tuple[Listener, ...]
    counters: Counters | None
    pid: int
    process_start_time: datetime | None
    version: str
    address: str

    def listener(self, name: str) -> Listener:
        """Raises KeyError when there is none of that name."""
        for each in self.listeners:
            if each.name == name:
                return each
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class ServicesChange:
    """One step of a watch of services: all of them in a snapshot, which replaces what was known; else the one that changed."""

    services: tuple[Service, ...]
    snapshot: bool
    # Only in a snapshot: changes that were not told one by one.
    skipped_changes: int


@dataclass(frozen=True, slots=True)
class Connection:
    """One client of a service, or of the gateway."""

    id: int
    service: str
    listener: str
    transport: Transport
    peer: str
    open_time: datetime | None
    bytes_received: int
    bytes_sent: int
    requests: int
    instance: str
    user: str
