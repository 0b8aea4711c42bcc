"""1,000 idle watches through the gateway, each of a client with a connection of its own: they take little memory each,
no processor, and still tell what happens."""

import itertools
import resource
import unittest

from tests.conformance.plain_client import connect, datagram_socket, receive_exactly
from tests.harness import rpc
from tests.harness.deadlines import PATIENCE
from tests.harness.stack import LISTENERS, Stack

control = rpc.control

WATCHES = 1000
# Of user memory, in each process, for each watch.
COST_MAX = 64 << 10
QUIET_SECONDS = 10
# Of one processor.
SHARE_MAX = 0.01

stack = None


def setUpModule():
    global stack
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_all()
    rpc.client_of(stack).close()


class Watches:
    """Each of another client. None has been told anything yet but how things stand."""

    def __init__(self, count):
        # Otherwise gRPC gives all channels of a process one connection.
        self.clients = [rpc.Client(stack.gateway_target, [("grpc.use_local_subchannel_pool", 1)]) for _ in range(count)]
        self.calls = {"services": [], "events": [], "messages": []}
        for client, (kind, calls) in zip(self.clients, itertools.cycle(self.calls.items())):
            calls.append(getattr(self, f"open_{kind}")(client))
        for call in itertools.chain(*self.calls.values()):
            next(call)

    @staticmethod
    def open_services(client):
        return client.control.WatchServices(control.WatchServicesRequest())

    @staticmethod
    def open_events(client):
        return client.control.WatchEvents(control.WatchEventsRequest())

    @staticmethod
    def open_messages(client):
        return client.chat.WatchMessages(rpc.chat.WatchMessagesRequest())

    def close(self):
        for client in self.clients:
            client.close()


def memory():
    return {name: program.anonymous_bytes() for name, program in stack.programs.items()}


def processor_time():
    return {name: program.cpu_seconds() for name, program in stack.programs.items()}


def let_seconds_pass(count):
    """By the time service's clock."""
    client = rpc.Client(stack.programs["time"].rpc_target)
    request = rpc.time.WatchTimeRequest()
    request.interval.FromSeconds(1)
    ticks = client.time.WatchTime(request, timeout=PATIENCE)
    for _ in range(count + 1):
        next(ticks)
    ticks.cancel()
    client.close()


class IdleWatchesTest(unittest.TestCase):
    def test_a_thousand(self):
        before = memory()
        watches = Watches(WATCHES)
        self.addCleanup(watches.close)
        costs = {name: (size - before[name]) // WATCHES for name, size in memory().items()}
        shares = self.shares_of_a_processor()
        print(f"bytes for each watch: {costs}; share of a processor: {shares}")
        for name in ("gateway", *LISTENERS):
            with self.subTest(process=name):
                self.assertLess(costs[name], COST_MAX)
                self.assertLess(shares[name], SHARE_MAX)
        self.assert_all_are_told(watches)

    def shares_of_a_processor(self):
        before = processor_time()
        let_seconds_pass(QUIET_SECONDS)
        return {name: round((spent - before[name]) / QUIET_SECONDS, 4) for name, spent in processor_time().items()}

    def assert_all_are_told(self, watches):
        with connect(stack.address("echo", "tcp")) as raw:
            raw.sendall(b"x")
            self.assertEqual(receive_exactly(raw, 1), b"X")
        with datagram_socket(stack.address("chat", "udp")) as visitor:
            visitor.send(b"hello")
            for watch in watches.calls["messages"]:
                self.assertEqual(next(watch).message.body, b"hello")
        for watch in watches.calls["events"]:
            self.read_until(watch, lambda message: any(event.service == "echo" for event in message.events))
        watches.clients[0].stop("time", "udp")
        for watch in watches.calls["services"]:
            self.read_until(watch, lambda message: any(service.name == "time" for service in message.services))

    def read_until(self, watch, wanted):
        while not wanted(next(watch)):
            pass


if __name__ == "__main__":
    unittest.main()
