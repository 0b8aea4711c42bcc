"""Does what flows say, blocking."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

import grpc

from rawgate import _flow
from rawgate._flow import Flow, Items
from rawgate._methods import Stubs
from rawgate.errors import Cancelled, FailedPrecondition, from_rpc

T = TypeVar("T")


class _Outgoing:
    """The requests of one call, which gRPC takes in a thread of its own: one waits at most, so that a far side that reads
    slowly slows the writer down."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[Any] = []
        self._closed = False
        self._over = False

    def __iter__(self) -> _Outgoing:
        return self

    def __next__(self) -> Any:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed or self._over)
            if self._over or not self._waiting:
                raise StopIteration
            self._changed.notify_all()
            return self._waiting.pop()

    def put(self, message: Any) -> bool:
        """Whether the call still takes any."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting or self._over)
            if self._over:
                return False
            self._waiting.append(message)
            self._changed.notify_all()
            return True

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def end(self) -> None:
        """The call has ended, whatever is left."""
        with self._changed:
            self._over = True
            self._changed.notify_all()


class _Stream:
    """A call in which either side sends several messages."""

    def __init__(self, stub: Any, effect: _flow.Open, metadata: Any) -> None:
        self._outgoing: _Outgoing | None = None
        if effect.request is not None:
            self.call = stub(effect.request, timeout=effect.timeout, metadata=metadata)
            return
        self._outgoing = outgoing = _Outgoing()
        self.call = stub.future(outgoing, timeout=effect.timeout, metadata=metadata)
        self.call.add_done_callback(lambda _: outgoing.end())

    def read(self) -> Any:
        try:
            return next(self.call)
        except StopIteration:
            return None

    def write(self, message: Any) -> bool:
        assert self._outgoing is not None
        return self._outgoing.put(message)

    def finish(self) -> Any:
        assert self._outgoing is not None
        self._outgoing.close()
        try:
            return self.call.result()
        except grpc.FutureCancelledError:
            raise Cancelled("the call was cancelled") from None

    def cancel(self) -> None:
        self.call.cancel()
        if self._outgoing:
            self._outgoing.end()


class _Task:
    """A flow in a thread of its own."""

    def __init__(self, driver: Driver, flow: Flow[None]) -> None:
        self._cancelled = threading.Event()
        threading.Thread(target=driver.run, args=(flow, self._cancelled), daemon=True).start()

    def cancel(self) -> None:
        self._cancelled.set()


class Driver:
    """One channel and what is sent with every call. Any thread."""

    def __init__(self, channel: grpc.Channel, metadata: tuple[tuple[str, str], ...]) -> None:
        self._channel = channel
        self._stubs = Stubs(channel)
        self._metadata = metadata
        self._closed = False

    def close(self) -> None:
        self._closed = True
        self._channel.close()

    def run(self, flow: Flow[T], stop: threading.Event | None = None) -> T:
        """The flow's result. Once `stop` is set it ends with Cancelled at its next effect."""
        resume: Callable[[], Any] = lambda: next(flow)
        while True:
            try:
                effect = resume()
            except StopIteration as end:
                result: T = end.value
                return result
            resume = self.perform(flow, effect, stop)

    def perform(self, flow: Flow[Any], effect: Any, stop: threading.Event | None = None) -> Callable[[], Any]:
        """How the flow goes on after the effect."""
        try:
            if stop is not None and stop.is_set():
                raise Cancelled("it was cancelled")
            result = self._do(effect, stop)
        except grpc.RpcError as error:
            failure: BaseException = from_rpc(error)
            failure.__cause__ = error
            return lambda: flow.throw(failure)
        except BaseException as error:  # pylint: disable=broad-except
            unexpected = error
            return lambda: flow.throw(unexpected)
        return lambda: flow.send(result)

    def _do(self, effect: Any, stop: threading.Event | None) -> Any:
        if self._closed and isinstance(effect, (_flow.Unary, _flow.Open)):
            raise FailedPrecondition("the client is closed", reason="CLIENT_CLOSED")
        match effect:
            case _flow.Unary(method, request, timeout):
                return self._stubs.find(method)(request, timeout=timeout, metadata=self._metadata)
            case _flow.Open(method):
                return _Stream(self._stubs.find(method), effect, self._metadata)
            case _flow.Read(stream):
                return stream.read()
            case _flow.Write(stream, message):
                return stream.write(message)
            case _flow.Finish(stream):
                return stream.finish()
            case _flow.Sleep(seconds):
                return stop.wait(seconds) if stop is not None else time.sleep(seconds)
            case _flow.Blocking(function):
                return function()
            case _flow.Spawn(flow):
                return _Task(self, flow)
        raise AssertionError(effect)

    def items(self, flow: Items, kind: type[T] | None = None) -> Stream[T]:
        return Stream(self, flow)

    def watch(self, flow: Items) -> Stream[Any]:
        """Items of a flow that emits READY."""
        return Stream(self, flow, begins=True)


class Stream(Generic[T], Iterator[T]):
    """Items as they come, for one thread. Its end, close(), leaving its `with` block or forgetting it ends the call. A watch
    begins with its first item, or with its `with` block: nothing that happens in the block is missed."""

    def __init__(self, driver: Driver, flow: Items, begins: bool = False) -> None:
        self._driver = driver
        self._flow = flow
        self._begins = begins
        self._resume: Callable[[], Any] = lambda: next(flow)

    def __iter__(self) -> Stream[T]:
        return self

    def __next__(self) -> T:
        while True:
            item = self._next_item()
            if item is not _flow.READY:
                result: T = item
                return result

    def _next_item(self) -> Any:
        while True:
            effect = self._resume()  # StopIteration is the end of both
            if isinstance(effect, _flow.Emit):
                self._resume = lambda: next(self._flow)
                return effect.item
            self._resume = self._driver.perform(self._flow, effect)

    def close(self) -> None:
        self._flow.close()

    def __del__(self) -> None:
        self._flow.close()

    def __enter__(self) -> Stream[T]:
        if self._begins:
            self._begins = False
            self._next_item()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
