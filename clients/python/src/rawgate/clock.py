"""The time of the far side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum


class ClockSynchronization(IntEnum):
    """Where the kernel says its clock stands."""

    UNSPECIFIED = 0
    SYNCHRONIZED = 1
    UNSYNCHRONIZED = 2


@dataclass(frozen=True, slots=True)
class TimeReading:
    """One reading of the service's clock, and how far to trust it."""

    time: datetime
    # In the format that was asked for.
    formatted: str
    time_zone: str
    utc_offset_seconds: int
    clock_source: str
    synchronization: ClockSynchronization
    uptime: timedelta | None
    # A test clock told this time, not the machine's.
    test_clock: bool
    # Seconds by which the service's clock is ahead of this machine's, and the time on the way, there and back without what
    # the service took, as in RFC 5905 section 8. The offset is right to within half the delay.
    offset: float
    delay: float


@dataclass(frozen=True, slots=True)
class Tick:
    """The service's clock has reached a whole multiple of the interval."""

    time: datetime
    # In the format that was asked for.
    formatted: str
    time_zone: str
    utc_offset_seconds: int
    # Ticks since the one before that were not told: nobody read, or the clock was set forward or runs too fast.
    missed: int
    # When it was told, by the same clock.
    server_send_time: datetime
    test_clock: bool
