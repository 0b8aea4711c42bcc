"""Operations as flows: generators that yield what is to be done, an effect at a time, and are sent its result.

A flow has all the logic of an operation (requests, answers, where to resume, when to try again) and does nothing by itself,
so that one text serves blocking callers (_sync.py) and asyncio (_async.py), whose drivers do what the effects say. An effect
that fails raises in the flow, where it can be caught. Flows never block and never yield once they are being closed: what
they have opened is ended by Stream.cancel(), which is no effect.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from rawgate._methods import Method
from rawgate._retry import How, Pacer
from rawgate.errors import DeadlineExceeded, Error

T = TypeVar("T")


class Stream(Protocol):
    """A call of several messages, as a driver has it."""

    def cancel(self) -> None:
        """Ends the call at once. Any thread, any number of times; never blocks."""


class Task(Protocol):
    """A flow that runs beside another."""

    def cancel(self) -> None:
        """It need not go on."""


@dataclass(frozen=True, slots=True)
class Unary:
    """One request, one response, which is the result."""

    method: Method
    request: Any
    timeout: float | None


@dataclass(frozen=True, slots=True)
class Open:
    """A call of several messages; the result is its Stream. Without a request the client sends several as well."""

    method: Method
    request: Any
    timeout: float | None


@dataclass(frozen=True, slots=True)
class Read:
    """The next message of the stream; None after the last."""

    stream: Any


@dataclass(frozen=True, slots=True)
class Write:
    """One more request. The result is whether the far side still takes any; where it does not, Finish tells why."""

    stream: Any
    message: Any


@dataclass(frozen=True, slots=True)
class Finish:
    """No more requests; the result is the response."""

    stream: Any


@dataclass(frozen=True, slots=True)
class Sleep:
    """Nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Blocking:
    """A function that may wait for a disk; its result is the effect's."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Spawn:
    """Runs another flow beside this one; the result is its Task."""

    flow: Generator[Any, Any, None]


@dataclass(frozen=True, slots=True)
class Emit:
    """The next item of an operation that has items."""

    item: Any


# Emitted by a watch once it is on: what happens from then on will be told. Streams do not pass it on.
READY = object()

Effect: TypeAlias = Unary | Open | Read | Write | Finish | Sleep | Blocking | Spawn | Emit
Flow: TypeAlias = Generator[Effect, Any, T]
# One that emits items of a type, which nobody checks but the caller who names it.
Items: TypeAlias = Generator[Effect, Any, None]


class Deadline:
    """When an operation is to have ended, however many calls it makes; `timeout` in seconds, None for no end."""

    def __init__(self, timeout: float | None) -> None:
        self._end = None if timeout is None else time.monotonic() + timeout

    def left(self) -> float | None:
        """Seconds that are left. Raises DeadlineExceeded when none are."""
        if self._end is None:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded("it took too long", reason="DEADLINE_EXCEEDED")
        return left

    def allows(self, seconds: float) -> bool:
        return self._end is None or time.monotonic() + seconds < self._end


def call(method: Method, request: Any, how: How, before: Callable[[], object] = lambda: None) -> Flow[Any]:
    """One unary call, tried again where that does no harm: the method may be repeated, or the far side asked for it. What
    is to happen right before each attempt is `before`."""
    deadline, pacer = Deadline(how.timeout), Pacer(how)
    while True:
        before()
        try:
            return (yield Unary(method, request, deadline.left()))
        except Error as error:
            yield from pause(pacer, error, deadline, harmless=method.idempotent)


def pause(pacer: Pacer, error: Error, deadline: Deadline, harmless: bool = True) -> Flow[None]:
    """Waits before the next attempt; raises `error` where there is to be none."""
    delay = pacer.delay_after(error, harmless)
    if delay is None or not deadline.allows(delay):
        raise error
    yield Sleep(delay)


def blocking(function: Callable[[], T]) -> Flow[T]:
    """The result of a function that may wait for a disk."""
    result: T = yield Blocking(function)
    return result


def drain(items: Items, take: Callable[[Any], object], until: Callable[[], bool] = lambda: False) -> Flow[None]:
    """Does what `items` wants done and gives what it emits to `take`, to its end, or to the item after which `until` holds."""
    resume: Callable[[], Effect] = lambda: next(items)
    while True:
        try:
            effect = resume()
        except StopIteration:
            return
        if isinstance(effect, Emit):
            take(effect.item)
            if until():
                return
            resume = lambda: next(items)
            continue
        try:
            result = yield effect
        except GeneratorExit:
            raise
        except BaseException as error:  # pylint: disable=broad-except
            resume = functools.partial(items.throw, error)
        else:
            resume = functools.partial(items.send, result)
