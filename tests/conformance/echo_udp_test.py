"""Row 2: every datagram is answered by one datagram `hi` to its sender."""

import unittest

from tests.conformance.plain_client import datagram_socket
from tests.harness.stack import Stack

LARGEST_DATAGRAM = 65507

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")


class GreetingTest(unittest.TestCase):
    def setUp(self):
        self.client = datagram_socket(stack.address("echo", "udp"))
        self.addCleanup(self.client.close)

    def ask(self, payload):
        self.client.send(payload)
        return self.client.recv(65536)

    def test_greeting(self):
        self.assertEqual(self.ask(b"hello"), b"hi")

    def test_empty_datagram(self):
        self.assertEqual(self.ask(b""), b"hi")

    def test_largest_datagram(self):
        self.assertEqual(self.ask(b"x" * LARGEST_DATAGRAM), b"hi")

    def test_any_bytes(self):
        self.assertEqual(self.ask(bytes(range(256))), b"hi")

    def test_one_answer_for_each_datagram(self):
        for _ in range(100):
            self.assertEqual(self.ask(b"again"), b"hi")
        # An answer too many would be waiting by now: the one to this datagram is the only one left.
        self.client.send(b"last")
        self.assertEqual(self.client.recv(64), b"hi")
        self.client.setblocking(False)
        with self.assertRaises(BlockingIOError):
            self.client.recv(64)

    def test_each_sender_gets_its_own_answer(self):
        clients = [datagram_socket(stack.address("echo", "udp")) for _ in range(50)]
        for client in clients:
            client.send(b"hello")
        for client in clients:
            with client:
                self.assertEqual(client.recv(64), b"hi")

    def test_ipv6(self):
        with datagram_socket(stack.address("echo", "udp-2")) as client:
            client.send(b"hello")
            self.assertEqual(client.recv(64), b"hi")


class OtherRepliesTest(unittest.TestCase):
    def start(self, reply):
        own = Stack()
        self.addCleanup(own.stop)
        own.start_service("echo", f"--udp_reply={reply}")
        client = datagram_socket(own.address("echo", "udp"))
        self.addCleanup(client.close)
        return client

    def test_identity(self):
        client = self.start("identity")
        client.send(b"Hello\0")
        self.assertEqual(client.recv(64), b"Hello\0")

    def test_upper(self):
        client = self.start("upper")
        client.send(b"Hello\0\xff")
        self.assertEqual(client.recv(64), b"HELLO\0\xff")


if __name__ == "__main__":
    unittest.main()
