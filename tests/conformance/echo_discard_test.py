"""RFC 863: whatever is sent is thrown away, over TCP, over Unix sockets and over UDP, and nothing ever comes back."""

import socket
import unittest

from tests.conformance.plain_client import connect, datagram_socket, receive_exactly, receive_to_end
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo", listeners=["discard=tcp://127.0.0.1:0", f"discard=unix://{stack.directory}/discard.sock",
                                           "discard=udp://127.0.0.1:0", "tcp=tcp://127.0.0.1:0"])
    client = rpc.Client(stack.programs["echo"].rpc_target)
    unittest.addModuleCleanup(client.close)


class StreamTest(unittest.TestCase):
    def test_everything_is_taken_and_nothing_comes_back(self):
        for listener in ("discard", "discard-2"):
            with self.subTest(listener=listener), connect(stack.address("echo", listener)) as raw:
                before = client.listener("echo", listener).counters
                raw.sendall(b"hello\0\xff" * 1_000_000)
                raw.shutdown(socket.SHUT_WR)
                self.assertEqual(receive_to_end(raw), b"")
                after = client.listener("echo", listener).counters
                self.assertEqual(after.bytes_received - before.bytes_received, 7_000_000)
                self.assertEqual(after.bytes_sent, 0)
                self.assertGreater(after.requests, before.requests)
                self.assertEqual(after.request_errors, 0)

    def test_a_connection_stays_open_until_the_client_ends_it(self):
        with connect(stack.address("echo", "discard")) as raw:
            for number in range(1, 101):
                before = client.listener("echo", "discard").counters.requests
                raw.sendall(b"%d" % number)
                wait_until(lambda: client.listener("echo", "discard").counters.requests == before + 1, "the request")
            raw.setblocking(False)
            with self.assertRaises(BlockingIOError):
                raw.recv(1)

    def test_client_that_sends_without_end_harms_nobody(self):
        with connect(stack.address("echo", "discard")) as hose, connect(stack.address("echo", "tcp")) as good:
            hose.setblocking(False)
            for number in range(200):
                for _ in range(50):
                    try:
                        hose.send(b"x" * 65536)
                    except BlockingIOError:
                        break
                good.sendall(b"still here")
                self.assertEqual(receive_exactly(good, 10), b"STILL HERE")
        # What it sent last is still being taken, and counted.
        wait_until(lambda: client.listener("echo", "discard").counters.connections_open == 0, "the end of the hose")


class DatagramTest(unittest.TestCase):
    def test_datagrams_are_counted_and_not_answered(self):
        before = client.listener("echo", "discard-3").counters
        with datagram_socket(stack.address("echo", "discard-3")) as raw:
            for payload in (b"", b"x", b"hello\0\xff", b"y" * 65507):
                raw.send(payload)
            wait_until(lambda: client.listener("echo", "discard-3").counters.datagrams_received
                       == before.datagrams_received + 4, "the datagrams")
            after = client.listener("echo", "discard-3").counters
            self.assertEqual(after.bytes_received - before.bytes_received, 0 + 1 + 7 + 65507)
            self.assertEqual(after.requests - before.requests, 4)
            self.assertEqual((after.datagrams_sent, after.datagrams_dropped), (0, 0))
            raw.setblocking(False)
            with self.assertRaises(BlockingIOError):
                raw.recv(1)


if __name__ == "__main__":
    unittest.main()
