"""The UDP chat as its operators see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import TypeAlias


class Direction(IntEnum):
    """Which way a message went."""

    UNSPECIFIED = 0
    INBOUND = 1
    OUTBOUND = 2
    AUTOMATIC = 3


@dataclass(frozen=True, slots=True)
class Session:
    """One peer and what is known of its conversation."""

    id: str
    peer: str
    first_seen: datetime | None
    last_seen: datetime | None
    messages_received: int
    messages_sent: int
    messages_refused: int
    messages_unseen: int


@dataclass(frozen=True, slots=True)
class Message:
    """One datagram of a conversation."""

    number: int
    session_id: str
    direction: Direction
    time: datetime | None
    # As it came; may hold control bytes: never print it to a terminal raw.
    body: bytes
    body_is_valid_utf8: bool
    operator_name: str
    request_id: str

    @property
    def text(self) -> str:
        """The body, decoded; what is no UTF-8 is replaced. May hold control characters all the same."""
        return self.body.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class MessagesLost:
    """So many were not kept, or came faster than they were read."""

    count: int


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """All that was kept has been told; what follows is live. Once in a watch."""


ChatUpdate: TypeAlias = Message | MessagesLost | CaughtUp


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a message to everybody went for one session."""

    session_id: str
    message_number: int
    # Empty when it was sent.
    failure_reason: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The answer went out; UDP does not tell whether it arrived."""

    # None when it was sent to all.
    message: Message | None
    deliveries: tuple[Delivery, ...]
