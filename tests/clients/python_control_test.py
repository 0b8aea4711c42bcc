"""Echo, time, services and connections with clients/python."""

import datetime
import socket
import unittest
from unittest import mock

from tests.clients.both import classes_of, collected
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.fault_proxy import RESET, TO_CLIENT, Cut, FaultProxy
from tests.harness.gated_relay import GatedRelay
from tests.harness.program import clean_environment
from tests.harness.stack import Stack

# pylint: disable=wrong-import-order
import rawgate

stack = None


def setUpModule():
    global stack
    stack = Stack(stable_ports=True)
    unittest.addModuleCleanup(stack.stop)
    for name in ("echo", "time"):
        stack.start_service(name)
    stack.start_gateway()
    await_services()


def await_services():
    with rawgate.connect(stack.gateway_target) as client:
        wait_until(lambda: all(each.state == rawgate.ServiceState.RUNNING for each in client.services.list()), "the services")


def raw_client():
    client = socket.create_connection(stack.address("echo", "tcp"), PATIENCE)
    client.sendall(b"x")
    client.recv(1)
    return client


class ControlCases:
    def client(self, **options):
        return self.connect(stack.gateway_target, **options)

    async def test_echo(self):
        client = self.client()
        self.assertEqual(await client.echo(b"hello\xff"), b"HELLO\xff")
        self.assertEqual(await client.echo(b"hello", transform=rawgate.Transform.IDENTITY), b"hello")
        with self.assertRaises(rawgate.InvalidArgument) as raised:
            await client.echo(bytes((1 << 20) + 1))
        self.assertEqual(raised.exception.reason, "PAYLOAD_TOO_LARGE")

    async def test_time(self):
        client = self.client()
        reading = await client.time(format="%H:%M", zone="Asia/Shanghai")
        self.assertEqual((reading.time_zone, reading.utc_offset_seconds), ("Asia/Shanghai", 8 * 3600))
        there = reading.time.astimezone(datetime.timezone(datetime.timedelta(hours=8)))
        self.assertEqual(reading.formatted, f"{there:%H:%M}")
        # One and the same clock: what differs is on the way.
        self.assertGreaterEqual(reading.delay, 0)
        self.assertLessEqual(abs(reading.offset), reading.delay / 2 + 0.001)
        with self.assertRaises(rawgate.InvalidArgument) as raised:
            await client.time(zone="Mars/Phobos")
        self.assertEqual(raised.exception.reason, "UNKNOWN_TIME_ZONE")

    async def test_ticks(self):
        ticks = []
        async for tick in self.connect(stack.gateway_target).ticks(0.1, format="%s", timeout=PATIENCE):
            ticks.append(tick)
            if len(ticks) == 3:
                break
        for tick in ticks:
            self.assertEqual(tick.time.microsecond % 100_000, 0)
            self.assertEqual(int(tick.formatted), int(tick.time.timestamp()))
            self.assertGreaterEqual(tick.server_send_time, tick.time)
        with self.assertRaises(rawgate.InvalidArgument) as raised:
            await anext(self.connect(stack.gateway_target).ticks(0.001))
        self.assertEqual(raised.exception.reason, "BAD_INTERVAL")

    async def test_services_stop_and_start(self):
        client = self.client()
        self.assertEqual([each.name for each in await client.services.list()], ["echo", "time"])
        async with client.services.watch(timeout=PATIENCE) as changes:
            first = await anext(changes)
            self.assertEqual((first.snapshot, [each.name for each in first.services]), (True, ["echo", "time"]))
            stopped = await client.services.stop("echo", grace=0)
            self.assertEqual(stopped.state, rawgate.ServiceState.STOPPED)
            with self.assertRaises(rawgate.FailedPrecondition) as raised:
                await client.echo(b"x")
            self.assertEqual(raised.exception.reason, "SERVICE_STOPPED")
            started = await client.services.start("echo")
            self.assertEqual(started.listener("tcp").bound_address, first.services[0].listener("tcp").bound_address)
            states = []
            while rawgate.ServiceState.STOPPED not in states or states[-1] != rawgate.ServiceState.RUNNING:
                states.append((await anext(changes)).services[0].state)
        with self.assertRaises(rawgate.NotFound) as raised:
            await client.services.get("no such service")
        self.assertEqual(raised.exception.reason, "SERVICE_NOT_FOUND")
        with self.assertRaises(KeyError):
            started.listener("no such listener")

    async def test_a_watch_of_services_goes_on(self):
        relay = GatedRelay(stack.programs["gateway"].address("grpc"))
        self.addCleanup(relay.close)
        client = self.connect(relay.address)
        async with client.services.watch(timeout=PATIENCE) as changes:
            await anext(changes)
            relay.cut()
            await self.client().services.stop("echo", listener="udp", grace=0)
            change = await anext(changes)
            self.assertFalse(change.snapshot, "it is told after what was told")
            self.assertEqual(change.services[0].name, "echo")
            await self.client().services.start("echo")

    async def test_connections(self):
        client = self.client()
        with raw_client() as raw:
            mine = f"tcp://127.0.0.1:{raw.getsockname()[1]}"
            connection, = [each for each in await collected(client.services.connections("echo")) if each.peer == mine]
            self.assertEqual((connection.listener, connection.transport, connection.bytes_received),
                             ("tcp", rawgate.Transport.TCP, 1))
            await client.services.close("echo", connection.id, instance=connection.instance)
            raw.settimeout(PATIENCE)
            with self.assertRaises((ConnectionResetError, AssertionError)):
                self.assertTrue(raw.recv(1), "closed")
            with self.assertRaises(rawgate.NotFound) as raised:
                await client.services.close("echo", connection.id)
            self.assertEqual(raised.exception.reason, "CONNECTION_NOT_FOUND")

    async def test_calls_that_change_nothing_are_tried_again(self):
        proxy = FaultProxy(stack.programs["gateway"].address("grpc"))
        self.addCleanup(proxy.close)
        proxy.cut_next(*[Cut(TO_CLIENT, 100, RESET)] * 3)
        client = self.connect("%s:%d" % proxy.address)
        self.assertEqual(await client.echo(b"at last"), b"AT LAST")

    async def test_a_gateway_that_is_not_there(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            nobody = "127.0.0.1:%d" % listener.getsockname()[1]
        with self.assertRaises(rawgate.Unavailable):
            await self.connect(nobody, retries=0).echo(b"x")
        with socket.create_server(("127.0.0.1", 0)) as mute:
            with self.assertRaises((rawgate.DeadlineExceeded, rawgate.Unavailable)):
                await self.connect("127.0.0.1:%d" % mute.getsockname()[1], timeout=0.5).echo(b"x")

    async def test_where_the_environment_says(self):
        with mock.patch.dict("os.environ", clean_environment(RAWGATE_GATEWAY=stack.gateway_target), clear=True):
            self.assertEqual(await self.connect(None).echo(b"x"), b"X")


globals().update(classes_of(ControlCases))

if __name__ == "__main__":
    unittest.main()
