"""Row 4: port 8083 sends the size of the output first, so that the client knows when it has all of it."""

import socket
import unittest

from tests.conformance.plain_client import connect, receive_exactly, receive_size, receive_to_end
from tests.harness.stack import Stack

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("exec")


def receive_reply(client):
    return receive_exactly(client, receive_size(client))


class SizedReplyTest(unittest.TestCase):
    def setUp(self):
        self.client = connect(stack.address("exec", "sized"))
        self.addCleanup(self.client.close)

    def ask(self, request):
        self.client.sendall(request)
        return receive_reply(self.client)

    def test_size_is_signed_little_endian_32_bits(self):
        self.client.sendall(b"echo hello")
        self.assertEqual(receive_exactly(self.client, 10), b"\x06\0\0\0hello\n")

    def test_empty_output_is_size_0(self):
        self.assertEqual(self.ask(b"true"), b"")

    def test_loop_of_commands(self):
        for number in range(50):
            self.assertEqual(self.ask(b"echo %d" % number), b"%d\n" % number)

    def test_merged_lines_are_answered_one_by_one(self):
        self.client.sendall(b"echo one\n\r\ntrue\necho three")
        self.assertEqual([receive_reply(self.client) for _ in range(3)], [b"one\n", b"", b"three\n"])

    def test_all_of_stdout_then_all_of_stderr(self):
        self.assertEqual(self.ask(b"echo e >&2; echo o"), b"o\ne\n")

    def test_output_larger_than_any_buffer(self):
        """Beyond 1 MiB output is kept in a file instead of memory; nobody can tell."""
        reply = self.ask(b"i=0; while [ $i -lt 300000 ]; do echo $i; i=$((i+1)); done")
        self.assertEqual(reply, b"".join(b"%d\n" % number for number in range(300000)))

    def test_two_large_streams_keep_their_order(self):
        reply = self.ask(b"head -c 2000000 /dev/zero | tr '\\0' e >&2; head -c 2000000 /dev/zero | tr '\\0' o")
        self.assertTrue(reply == b"o" * 2000000 + b"e" * 2000000)

    def test_half_close_still_answered(self):
        self.client.sendall(b"sleep 0.2; echo one\necho two")
        self.client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_to_end(self.client), b"\x04\0\0\0one\n\x04\0\0\0two\n")

    def test_client_that_reads_late_gets_all(self):
        requests = [b"echo %d\n" % number for number in range(100)]
        self.client.sendall(b"".join(requests))
        for number in range(100):
            self.assertEqual(receive_reply(self.client), b"%d\n" % number)


if __name__ == "__main__":
    unittest.main()
