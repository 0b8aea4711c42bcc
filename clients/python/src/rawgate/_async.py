"""Does what flows say, with asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

import grpc
import grpc.aio

from rawgate import _flow
from rawgate._flow import Flow, Items
from rawgate._methods import Stubs
from rawgate.errors import FailedPrecondition, from_rpc

T = TypeVar("T")


async def _unless_ended(call: Any, wanted: Any) -> Any:
    """What is wanted of the call. To gRPC a call that the far side cancels is as if this task had been cancelled."""
    try:
        return await wanted
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if (task is not None and task.cancelling()) or not call.done():
            raise
        raise grpc.aio.AioRpcError(await call.code(), await call.initial_metadata(), await call.trailing_metadata(),
                                   await call.details()) from None


class _Stream:
    """A call of several messages."""

    def __init__(self, stub: Any, effect: _flow.Open, metadata: Any) -> None:
        options = {"timeout": effect.timeout, "metadata": metadata}
        self.call = stub(**options) if effect.request is None else stub(effect.request, **options)

    async def read(self) -> Any:
        message = await _unless_ended(self.call, self.call.read())
        return None if message is grpc.aio.EOF else message

    async def write(self, message: Any) -> bool:
        try:
            await self.call.write(message)
        except (grpc.RpcError, asyncio.InvalidStateError):
            return False  # the end of the call tells why
        return True

    async def finish(self) -> Any:
        try:
            await self.call.done_writing()
        except asyncio.InvalidStateError:
            pass
        return await _unless_ended(self.call, self.call)

    def cancel(self) -> None:
        with contextlib.suppress(RuntimeError):  # its loop has ended, and so has the call
            self.call.cancel()


class _Task:
    """A flow in a task of its own."""

    def __init__(self, driver: Driver, flow: Flow[None]) -> None:
        self.task = asyncio.get_running_loop().create_task(driver.run(flow))

    def cancel(self) -> None:
        self.task.cancel()


class Driver:
    """One channel and what is sent with every call. For the loop in which it was made."""

    def __init__(self, channel: Any, metadata: tuple[tuple[str, str], ...]) -> None:
        self._channel = channel
        self._stubs = Stubs(channel)
        self._metadata = metadata
        self._closed = False
        # Those that are not forgotten: gRPC itself finds only some of them when a channel is closed.
        self._calls: weakref.WeakSet[Any] = weakref.WeakSet()

    async def close(self) -> None:
        self._closed = True
        for call in list(self._calls):
            call.cancel()
        await self._channel.close()

    async def run(self, flow: Flow[T]) -> T:
        """The flow's result. Cancelling the task cancels what the flow has open."""
        resume: Callable[[], Any] = lambda: next(flow)
        while True:
            try:
                effect = resume()
            except StopIteration as end:
                result: T = end.value
                return result
            resume = await self.perform(flow, effect)

    async def perform(self, flow: Flow[Any], effect: Any) -> Callable[[], Any]:
        """How the flow goes on after the effect."""
        try:
            result = await self._do(effect)
        except grpc.RpcError as error:
            failure: BaseException = from_rpc(error)
            failure.__cause__ = error
            return lambda: flow.throw(failure)
        except BaseException as error:  # pylint: disable=broad-except
            unexpected = error
            return lambda: flow.throw(unexpected)
        return lambda: flow.send(result)

    async def _do(self, effect: Any) -> Any:
        if self._closed and isinstance(effect, (_flow.Unary, _flow.Open)):
            raise FailedPrecondition("the client is closed", reason="CLIENT_CLOSED")
        match effect:
            case _flow.Unary(method, request, timeout):
                call = self._stubs.find(method)(request, timeout=timeout, metadata=self._metadata)
                self._calls.add(call)
                return await _unless_ended(call, call)
            case _flow.Open(method):
                stream = _Stream(self._stubs.find(method), effect, self._metadata)
                self._calls.add(stream.call)
                return stream
            case _flow.Read(stream):
                return await stream.read()
            case _flow.Write(stream, message):
                return await stream.write(message)
            case _flow.Finish(stream):
                return await stream.finish()
            case _flow.Sleep(seconds):
                return await asyncio.sleep(seconds)
            case _flow.Blocking(function):
                return await asyncio.to_thread(function)
            case _flow.Spawn(flow):
                return _Task(self, flow)
        raise AssertionError(effect)

    def items(self, flow: Items, kind: type[T] | None = None) -> Stream[T]:
        return Stream(self, flow)

    def watch(self, flow: Items) -> Stream[Any]:
        """Items of a flow that emits READY."""
        return Stream(self, flow, begins=True)


class Stream(Generic[T], AsyncIterator[T]):
    """Items as they come, for one task. Its end, aclose(), leaving its `async with` block or forgetting it ends the call. A
    watch begins with its first item, or with its `async with` block: nothing that happens in the block is missed."""

    def __init__(self, driver: Driver, flow: Items, begins: bool = False) -> None:
        self._driver = driver
        self._flow = flow
        self._begins = begins
        self._resume: Callable[[], Any] = lambda: next(flow)

    def __aiter__(self) -> Stream[T]:
        return self

    async def __anext__(self) -> T:
        while True:
            item = await self._next_item()
            if item is not _flow.READY:
                result: T = item
                return result

    async def _next_item(self) -> Any:
        while True:
            try:
                effect = self._resume()
            except StopIteration:
                raise StopAsyncIteration from None
            if isinstance(effect, _flow.Emit):
                self._resume = lambda: next(self._flow)
                return effect.item
            self._resume = await self._driver.perform(self._flow, effect)

    async def aclose(self) -> None:
        self._flow.close()

    def __del__(self) -> None:
        self._flow.close()

    async def __aenter__(self) -> Stream[T]:
        if self._begins:
            self._begins = False
            await self._next_item()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        self._flow.close()
