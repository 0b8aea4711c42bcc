"""Flows that follow something without end, and go on after what they told last when a connection breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from rawgate._convert import from_proto
from rawgate._flow import READY, Deadline, Emit, Items, Open, Read, Stream, pause
from rawgate._methods import Method, method
from rawgate._retry import How, Pacer
from rawgate.chat.v1 import chat_service_pb2 as chat_pb
from rawgate.clock import Tick
from rawgate.control.v1 import control_service_pb2 as control_pb
from rawgate.conversations import CaughtUp, Message, MessagesLost
from rawgate.errors import Error, Unavailable
from rawgate.events import Event, Lost
from rawgate.states import ServicesChange
from rawgate.time.v1 import time_service_pb2 as time_pb

_WATCH_EVENTS = method("ControlService", "WatchEvents")
_WATCH_SERVICES = method("ControlService", "WatchServices")
_WATCH_MESSAGES = method("ChatService", "WatchMessages")
_WATCH_TIME = method("TimeService", "WatchTime")


def _follow(watch: Method, next_request: Callable[[], Any], items_of: Callable[[Any], Iterable[Any]], how: How) -> Items:
    """READY, then the items of every message. `next_request` asks for what follows the last message that `items_of` was
    given."""
    deadline, pacer, ready = Deadline(how.timeout), Pacer(how), False
    while True:
        stream: Stream | None = None
        try:
            stream = yield Open(watch, next_request(), deadline.left())
            while (message := (yield Read(stream))) is not None:
                pacer.note_progress()
                if not ready:
                    ready = True
                    yield Emit(READY)
                for item in items_of(message):
                    yield Emit(item)
            # Ended in good order, which no watch is: whoever ended it is on the way out.
            raise Unavailable("the watch ended", reason="DRAINING")
        except Error as error:
            yield from pause(pacer, error, deadline)
        finally:
            if stream is not None:
                stream.cancel()


# More are not taken by WatchEvents; those not heard of for longest go first.
_POSITIONS_MAX = 1024


class _EventPositions:
    """How far each instance's events were told."""

    def __init__(self, services: tuple[str, ...], chunks: bool, sample: int) -> None:
        self._request = control_pb.WatchEventsRequest(services=services, include_chunks=chunks, sample_bytes=sample)
        self._positions: dict[tuple[str, str], int] = {}

    def next_request(self) -> control_pb.WatchEventsRequest:
        del self._request.after[:]
        for (service, instance), sequence in self._positions.items():
            self._request.after.add(service=service, instance=instance, sequence=sequence)
        return self._request

    def items_of(self, message: Any) -> Iterable[Event | Lost]:
        for lost in message.lost:
            # An instance that is gone was told of for the last time.
            if lost.count == 0:
                self._positions.pop((lost.service, lost.instance), None)
            yield from_proto(Lost, lost)
        for event in message.events:
            # The gateway's own are not counted.
            if event.sequence > 0:
                self._note(event)
            yield from_proto(Event, event)
        for position in message.positions:
            # Of others what lies before has been asked for, and has not come yet.
            if (position.service, position.instance) not in self._positions:
                self._note(position)

    def _note(self, told: Any) -> None:
        self._positions.pop((told.service, told.instance), None)
        self._positions[(told.service, told.instance)] = told.sequence
        if len(self._positions) > _POSITIONS_MAX:
            del self._positions[next(iter(self._positions))]


def watch_events(services: tuple[str, ...], chunks: bool, sample: int, how: How) -> Items:
    """Event and Lost."""
    positions = _EventPositions(services, chunks, sample)
    return _follow(_WATCH_EVENTS, positions.next_request, positions.items_of, how)


def watch_services(how: How) -> Items:
    """ServicesChange, the first of them a snapshot."""
    request = control_pb.WatchServicesRequest()

    def items_of(message: Any) -> Iterable[ServicesChange]:
        request.instance, request.after_sequence = message.instance, message.sequence
        yield from_proto(ServicesChange, message)

    return _follow(_WATCH_SERVICES, lambda: request, items_of, how)


def watch_messages(after: int, session: str, how: How) -> Items:
    """Message, MessagesLost, and CaughtUp once."""
    request = chat_pb.WatchMessagesRequest(after_number=after, session_id=session)
    caught_up = False

    def items_of(message: Any) -> Iterable[Message | MessagesLost | CaughtUp]:
        nonlocal caught_up
        match message.WhichOneof("update"):
            case "message":
                request.after_number = message.message.number
                yield from_proto(Message, message.message)
            case "lost_messages":
                yield MessagesLost(message.lost_messages)
            case "caught_up" if not caught_up:
                caught_up = True
                yield CaughtUp()

    return _follow(_WATCH_MESSAGES, lambda: request, items_of, how)


def watch_time(interval: float, format_: str, zone: str, how: How) -> Items:
    """Tick."""
    request = time_pb.WatchTimeRequest(format=format_, time_zone=zone)
    request.interval.FromTimedelta(timedelta(seconds=interval))
    return _follow(_WATCH_TIME, lambda: request, lambda message: (from_proto(Tick, message),), how)
