"""A watcher that does not read loses events, is told how many, and slows nobody."""

import unittest

from tests.conformance.plain_client import connect, receive_exactly
from tests.harness import rpc
from tests.harness.stack import Stack

control = rpc.control

# More than the ring, the flow control windows and all buffers on the way hold together.
EXCHANGES = 40_000

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


class SlowWatcherTest(unittest.TestCase):
    def test_losses_are_told_and_add_up(self):
        watch = self.watch()
        position = next(watch).positions[0].sequence
        with connect(stack.address("echo", "tcp")) as raw:
            for _ in range(EXCHANGES):
                raw.sendall(b"x" * 256)
                receive_exactly(raw, 256)
        got, lost, last = self.read_to_the_close(watch)
        self.assertGreater(lost, 0, "everything was kept: this test has become too gentle")
        self.assertEqual(got + lost, last - position)

    def watch(self):
        request = control.WatchEventsRequest(services=["echo"], include_chunks=True, sample_bytes=256)
        watch = client.control.WatchEvents(request, timeout=rpc.PATIENCE)
        self.addCleanup(watch.cancel)
        return watch

    def read_to_the_close(self, watch):
        """Events received, events told as lost, and the number of the last one: the end of the connection."""
        got = lost = 0
        for batch in watch:
            lost += sum(loss.count for loss in batch.lost)
            for event in batch.events:
                got += 1
                if event.WhichOneof("kind") == "connection_closed":
                    return got, lost, event.sequence
        self.fail("the watch ended by itself")


if __name__ == "__main__":
    unittest.main()
