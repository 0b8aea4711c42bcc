"""Row 9: TCP keeps no message boundaries. What a sender sent in two pieces or one, and what the receiver's reads made
of it, is visible in the size of every chunk as it was received."""

import socket
import unittest

from tests.conformance.plain_client import connect, receive_exactly
from tests.harness import rpc
from tests.harness.stack import Stack

control = rpc.control
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


class CoalescingTest(unittest.TestCase):
    def chunks_of(self, conversation):
        """The chunks that the service received from a client that did `conversation`."""
        request = control.WatchEventsRequest(services=["echo"], include_chunks=True, sample_bytes=256)
        watch = client.control.WatchEvents(request, timeout=rpc.PATIENCE)
        self.addCleanup(watch.cancel)
        next(watch)
        with connect(stack.address("echo", "tcp")) as raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = "tcp://%s:%d" % raw.getsockname()
            conversation(raw)
        return self.collect(watch, peer)

    def collect(self, watch, peer):
        connection, chunks = None, []
        for batch in watch:
            for event in batch.events:
                if event.connection_opened.peer == peer:
                    connection = event.connection_id
                elif event.connection_id == connection and event.WhichOneof("kind") == "chunk_received":
                    chunks.append(event.chunk_received)
                elif event.connection_id == connection and event.WhichOneof("kind") == "connection_closed":
                    return chunks
        self.fail("the watch ended by itself")

    def test_two_quick_sends(self):
        """One chunk or two: the network's choice. Never a byte more or less."""
        def conversation(raw):
            raw.send(b"hello")
            raw.send(b"world")
            receive_exactly(raw, 10)

        chunks = self.chunks_of(conversation)
        self.assertEqual(sum(chunk.size for chunk in chunks), 10)
        self.assertEqual(b"".join(chunk.sample for chunk in chunks), b"helloworld")

    def test_sends_that_wait_for_each_other_are_never_merged(self):
        def conversation(raw):
            for word in (b"hello", b"world"):
                raw.send(word)
                receive_exactly(raw, 5)

        self.assertEqual([chunk.sample for chunk in self.chunks_of(conversation)], [b"hello", b"world"])

    def test_sends_that_the_sender_merged_arrive_as_one(self):
        """TCP_CORK does on purpose what Nagle's algorithm does by chance."""
        def conversation(raw):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            raw.send(b"hello")
            raw.send(b"world")
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
            receive_exactly(raw, 10)

        self.assertEqual([chunk.sample for chunk in self.chunks_of(conversation)], [b"helloworld"])

    def test_long_message_is_read_in_pieces(self):
        size = 3_000_000

        def conversation(raw):
            raw.setblocking(False)
            message, received = memoryview(b"m" * size), 0
            while message or received < size:
                message, received = self.pump(raw, message, received)

        chunks = self.chunks_of(conversation)
        self.assertEqual(sum(chunk.size for chunk in chunks), size)
        self.assertGreater(len(chunks), 1)

    def pump(self, raw, message, received):
        """Sends what can be sent and receives what has come."""
        try:
            message = message[raw.send(message):] if message else message
        except BlockingIOError:
            pass
        try:
            received += len(raw.recv(1 << 20))
        except BlockingIOError:
            pass
        return message, received


if __name__ == "__main__":
    unittest.main()
