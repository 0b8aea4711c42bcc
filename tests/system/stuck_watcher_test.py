"""One of a hundred watchers reads nothing: the others are told everything, in order, while it is stuck; it costs the
gateway little, and once it reads on it is told how much it lost."""

import concurrent.futures
import unittest

from tests.conformance.plain_client import connect, receive_exactly
from tests.harness import rpc
from tests.harness.stack import Stack

control = rpc.control

WATCHERS = 99
CONNECTIONS = 10
# Each is less than the service keeps for watchers who are behind; all of them are more than that, the flow control
# windows and all buffers on the way.
BURSTS = 10
EXCHANGES = 2500
GROWTH_MAX = 32 << 20

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")
    stack.start_gateway()
    rpc.client_of(stack).close()


class Watcher:
    """A WatchEvents stream that knows how far it has read."""

    def __init__(self, client, sample_bytes=0):
        request = control.WatchEventsRequest(services=["echo"], include_chunks=True, sample_bytes=sample_bytes)
        self.stream = client.control.WatchEvents(request, timeout=rpc.PATIENCE)
        self.got = self.lost = 0
        self.start = self.last = next(self.stream).positions[0].sequence

    def read_to(self, sequence):
        """Every number must be there, or told as lost just before the next one that is."""
        self._read_until(lambda _: self.last >= sequence)

    def read_to_the_close(self):
        """The number of the event that tells the end of a connection."""
        self._read_until(lambda event: event.WhichOneof("kind") == "connection_closed")
        return self.last

    def _read_until(self, is_last):
        event = None
        while event is None or not is_last(event):
            batch = next(self.stream)
            lost = sum(gap.count for gap in batch.lost)
            self.lost += lost
            for event in batch.events:
                if event.sequence != self.last + lost + 1:
                    raise AssertionError(f"event {event.sequence} after {self.last}, with {lost} told as lost")
                self.last, lost = event.sequence, 0
                self.got += 1


class StuckWatcherTest(unittest.TestCase):
    def test_one_of_a_hundred(self):
        clients = [self.client() for _ in range(CONNECTIONS)]
        # It shares its connection with some of the others.
        stuck = Watcher(clients[0], sample_bytes=256)
        others = [Watcher(clients[number % CONNECTIONS]) for number in range(WATCHERS)]
        memory = stack.programs["gateway"].anonymous_bytes()
        with concurrent.futures.ThreadPoolExecutor(WATCHERS) as pool:
            for _ in range(BURSTS):
                last = self.burst(others[0])
                list(pool.map(lambda watcher: watcher.read_to(last), others[1:]))
        self.assertLess(stack.programs["gateway"].anonymous_bytes() - memory, GROWTH_MAX)
        for watcher in others:
            self.assertEqual((watcher.got, watcher.lost), (last - watcher.start, 0))
        self.assert_losses_are_told(stuck, last)

    def client(self):
        client = rpc.Client(stack.gateway_target, [("grpc.use_local_subchannel_pool", 1)])
        self.addCleanup(client.close)
        return client

    def burst(self, watcher):
        """Bytes and answers; the number of the last event of it, as this watcher is told."""
        with connect(stack.address("echo", "tcp")) as raw:
            for _ in range(EXCHANGES):
                raw.sendall(b"x" * 256)
                receive_exactly(raw, 256)
        return watcher.read_to_the_close()

    def assert_losses_are_told(self, stuck, last):
        self.assertEqual(stuck.last, stuck.start)
        stuck.read_to(last)
        self.assertGreater(stuck.lost, 0, "everything was kept: this test has become too gentle")
        self.assertEqual(stuck.got + stuck.lost, last - stuck.start)


if __name__ == "__main__":
    unittest.main()
