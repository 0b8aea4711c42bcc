"""Faults on purpose: what a listener does wrong because it was told to. What each field means: fault.proto."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class StreamFaults:
    """What happens to the bytes of a stream, one way. What is None or zero does nothing."""

    delay: timedelta | None = None
    jitter: timedelta | None = None
    bytes_per_second: int = 0
    split_bytes: int = 0
    merge_bytes: int = 0
    cut_after_bytes: int = 0
    cut_with_reset: bool = False


@dataclass(frozen=True, slots=True)
class DatagramFaults:
    """What happens to datagrams, one way; probabilities are from 0 to 1."""

    delay: timedelta | None = None
    jitter: timedelta | None = None
    bytes_per_second: int = 0
    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    corruption: float = 0.0


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of one listener; the same seed hits the same bytes and datagrams again."""

    seed: int = 0
    fail_first: int = 0
    stream_received: StreamFaults | None = None
    stream_sent: StreamFaults | None = None
    datagrams_received: DatagramFaults | None = None
    datagrams_sent: DatagramFaults | None = None


@dataclass(frozen=True, slots=True)
class FaultCounters:
    """What the faults of a listener have done since they were set."""

    failed_first: int
    connections_cut: int
    datagrams_lost: int
    datagrams_duplicated: int
    datagrams_reordered: int
    datagrams_corrupted: int
    datagrams_overflowed: int
