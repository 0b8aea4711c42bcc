"""Row 8: the clients' side of the chat with nothing but a socket. tests/grpc/chat_test.py sits at the desk."""

import unittest

from tests.conformance.plain_client import datagram_socket
from tests.harness.stack import Stack

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("chat", "--auto_reply=The desk opens at nine. 九点见。", "--auto_reply_interval=1h")


class AutomaticAnswerTest(unittest.TestCase):
    ANSWER = "The desk opens at nine. 九点见。".encode()

    def test_answered_once_per_session_and_interval(self):
        with datagram_socket(stack.address("chat", "udp")) as client:
            client.send(b"anybody there?")
            self.assertEqual(client.recv(4096), self.ANSWER)
            client.send(b"hello?")
            # A second answer to this session would come before the first one to the next.
            with datagram_socket(stack.address("chat", "udp")) as next_client:
                next_client.send(b"hello")
                self.assertEqual(next_client.recv(4096), self.ANSWER)
            client.setblocking(False)
            with self.assertRaises(BlockingIOError):
                client.recv(4096)

    def test_ipv6(self):
        with datagram_socket(stack.address("chat", "udp-2")) as client:
            client.send(b"anybody there?")
            self.assertEqual(client.recv(4096), self.ANSWER)


if __name__ == "__main__":
    unittest.main()
