"""Events with clients/python: what is told, and that a broken connection loses none."""

import asyncio
import socket
import unittest

from tests.clients.both import classes_of, restart
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.gated_relay import TO_CLIENT, GatedRelay
from tests.harness.program import Program
from tests.harness.stack import Stack

# pylint: disable=wrong-import-order
import rawgate

stack = None


def setUpModule():
    global stack
    stack = Stack(stable_ports=True)
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")
    stack.start_gateway()
    with rawgate.connect(stack.gateway_target) as client:
        wait_until(lambda: client.services.get("echo").state == rawgate.ServiceState.RUNNING, "echo")


def talk(*messages):
    """A raw client, from its coming to its going."""
    with socket.create_connection(stack.address("echo", "tcp"), PATIENCE) as client:
        for message in messages:
            client.sendall(message)
            received = b""
            while len(received) < len(message):
                received += client.recv(len(message))


def is_end_of(event, size):
    """Whether a raw client that had sent so many bytes has gone."""
    kind = getattr(event, "kind", None)
    return isinstance(kind, rawgate.ConnectionClosed) and kind.bytes_received == size


class EventsCases:
    def setUp(self):
        self.relay = GatedRelay(stack.programs["gateway"].address("grpc"))
        self.addCleanup(self.relay.close)

    async def test_what_happens_to_a_connection(self):
        client = self.connect(stack.gateway_target)
        async with client.events("echo", chunks=True, sample=4, timeout=PATIENCE) as events:
            await asyncio.to_thread(talk, b"hello, world")
            seen = []
            while not (seen and is_end_of(seen[-1], 12)):
                seen.append(await anext(events))
        opened, closed = seen[0].kind, seen[-1].kind
        chunk = next(each.kind for each in seen if isinstance(each.kind, rawgate.ChunkReceived))
        self.assertEqual((opened.transport, chunk.size, chunk.sample), (rawgate.Transport.TCP, 12, b"hell"))
        self.assertEqual((closed.reason, closed.bytes_sent), (rawgate.CloseReason.PEER_CLOSED, 12))
        self.assertEqual({(each.service, each.listener, each.connection_id) for each in seen},
                         {("echo", "tcp", seen[0].connection_id)})

    async def test_no_event_is_missed_over_broken_connections(self):
        last = None
        # Of every kind: those that are not asked for are counted as well.
        async with self.connect(self.relay.address).events("echo", chunks=True, timeout=PATIENCE) as events:
            for _ in range(3):
                self.relay.cut()
                await asyncio.to_thread(talk, b"while nobody listens")
                event = None
                while not is_end_of(event, 20):
                    event = await anext(events)
                    self.assertIsInstance(event, rawgate.Event)
                    self.assertIn(last, (None, event.sequence - 1), "without a gap")
                    last = event.sequence

    async def test_what_a_restart_has_taken_along_is_told(self):
        with rawgate.connect(stack.gateway_target) as observer:
            instance = observer.services.get("echo").instance
            async with self.connect(self.relay.address).events("echo", timeout=PATIENCE) as events:
                self.relay.hold(TO_CLIENT, 0)
                restart(stack, "echo", Program.kill)
                wait_until(lambda: observer.services.get("echo").instance not in ("", instance), "the new process")
                self.relay.cut()
                self.relay.open()
                event = None
                while not isinstance(event, rawgate.Lost):
                    event = await anext(events)
            self.assertEqual((event.service, event.instance), ("echo", instance))

    async def test_a_timeout_ends_it(self):
        with self.assertRaises(rawgate.DeadlineExceeded):
            async for _ in self.connect(stack.gateway_target).events("echo", timeout=0.3):
                pass

    async def test_a_service_that_is_not_there(self):
        with self.assertRaises(rawgate.NotFound) as raised:
            async with self.connect(stack.gateway_target).events("no such service"):
                pass
        self.assertEqual(raised.exception.reason, "SERVICE_NOT_FOUND")


globals().update(classes_of(EventsCases))

if __name__ == "__main__":
    unittest.main()
