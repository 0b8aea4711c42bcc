"""TCP's urgent byte (RFC 6093): it comes in its place among the others, and holds nothing up."""

import json
import socket
import struct
import unittest

from tests.conformance.plain_client import connect, receive_exactly, receive_size
from tests.harness.stack import Stack

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")
    stack.start_service("file")


def send_with_urgent_byte(client):
    client.sendall(b"ab")
    client.send(b"c", socket.MSG_OOB)
    client.sendall(b"de")


class UrgentByteTest(unittest.TestCase):
    def test_echo_returns_it_in_order(self):
        for _ in range(20):
            with connect(stack.address("echo", "tcp")) as client:
                send_with_urgent_byte(client)
                self.assertEqual(receive_exactly(client, 5), b"ABCDE")

    def test_upload_contains_it(self):
        for number in range(20):
            with connect(stack.address("file", "tcp")) as client:
                header = json.dumps({"filename": f"urgent-{number}", "filesize": 5}).encode()
                client.sendall(struct.pack("<i", len(header)) + header)
                send_with_urgent_byte(client)
                self.assertEqual(json.loads(receive_exactly(client, receive_size(client)))["status"], "ok")
            self.assertEqual((stack.file_root / f"urgent-{number}").read_bytes(), b"abcde")


if __name__ == "__main__":
    unittest.main()
