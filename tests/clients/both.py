"""One text for both clients: cases are written for asyncio, and the blocking client is made to look like it."""

import asyncio
import functools
import inspect
import unittest

from tests.harness import python_client  # pylint: disable=unused-import
from tests.harness.deadlines import wait_until

# pylint: disable=wrong-import-position
import rawgate
import rawgate.aio
import rawgate.progress
from rawgate import _parts, _sync
from rawgate.aio import _parts as aio_parts

COUNTERPARTS = {rawgate.Client: rawgate.aio.Client, rawgate.Job: rawgate.aio.Job, _parts.Files: aio_parts.Files,
                _parts.Chat: aio_parts.Chat, _parts.Services: aio_parts.Services}


class Blocking:
    """A blocking client, or a part of it, whose methods run in threads and are awaited where their counterparts are."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        value = getattr(self.inner, name)
        if not callable(value):
            return wrapped(value)
        counterpart = getattr(COUNTERPARTS[type(self.inner)], name)
        if not inspect.iscoroutinefunction(counterpart):
            return lambda *arguments, **options: wrapped(value(*arguments, **options))

        async def awaited(*arguments, **options):
            return wrapped(await asyncio.to_thread(value, *arguments, **options))

        return awaited

    def __aiter__(self):
        return BlockingStream(iter(self.inner))

    async def __aenter__(self):
        self.inner.__enter__()
        return self

    async def __aexit__(self, *error):
        return await asyncio.to_thread(self.inner.__exit__, *error)


class BlockingStream:
    """Items of a blocking client."""

    def __init__(self, inner):
        self.inner = inner

    def __aiter__(self):
        return self

    async def __anext__(self):
        item = await asyncio.to_thread(next, self.inner, self)
        if item is self:
            raise StopAsyncIteration
        return item

    async def __aenter__(self):
        await asyncio.to_thread(self.inner.__enter__)
        return self

    async def __aexit__(self, *error):
        self.inner.close()

    async def aclose(self):
        self.inner.close()


def wrapped(value):
    if isinstance(value, _sync.Stream):
        return BlockingStream(value)
    return Blocking(value) if type(value) in COUNTERPARTS else value


async def collected(stream):
    return [item async for item in stream]


def restart(stack, name, end):
    """The service `end`s, and is back at the same addresses."""
    program = stack.programs.pop(name)
    listeners = [f"{each['name'].partition('-')[0]}={each['address']}" for each in program.ready["listeners"]]
    end(program)
    stack.start_service(name, listeners=listeners, rpc=program.ready["rpc"])


async def cut_short(relay, direction, transfer, arrived=lambda: True, meanwhile=lambda: None):
    """The result of the transfer, whose connection is cut once the relay has let 3 MiB through and what is on its way has
    arrived: gRPC drops what it has received and not delivered when a connection breaks."""
    relay.hold(direction, 3 << 20)
    task = asyncio.create_task(transfer)
    await asyncio.to_thread(wait_until, lambda: task.done() or (relay.holds(direction) and arrived()), "a transfer in its middle")
    meanwhile()
    relay.cut()
    relay.open()
    return await task


# One for all cases of a process: gRPC's completions of one loop may come to another, which does not survive its closed ones.
LOOP = asyncio.new_event_loop()


def in_loop(case):
    """A coroutine as a case for unittest."""

    @functools.wraps(case)
    def run(self):
        async def and_close():
            try:
                await case(self)
            finally:
                for client in self.clients:
                    await client.close()
                self.clients.clear()

        LOOP.run_until_complete(and_close())

    return run


class Cases(unittest.TestCase):
    """What cases have."""

    blocking = False

    def run(self, result=None):
        self.clients = []
        return super().run(result)

    def connect(self, target, **options):
        """A client, which is closed after the case."""
        client = Blocking(rawgate.connect(target, **options)) if self.blocking else rawgate.aio.connect(target, **options)
        self.clients.append(client)
        return client


def classes_of(mixin):
    """The test classes of a mixin, one for each client, for the namespace of its module."""
    name = mixin.__name__.removesuffix("Cases")
    cases = {each: in_loop(case) for each, case in vars(mixin).items() if inspect.iscoroutinefunction(case)}
    cases = {each: case for each, case in cases.items() if each.startswith("test_")}
    return {f"{name}{kind}Test": type(f"{name}{kind}Test", (mixin, Cases), {
        **cases, "blocking": kind == "Blocking", "__module__": mixin.__module__}) for kind in ("Blocking", "Asyncio")}
