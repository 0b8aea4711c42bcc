"""Row 3: port 8082 runs each command and returns its output alone, so what ends a request must be exact."""

import socket
import unittest

from tests.conformance.plain_client import connect, receive_exactly, receive_to_end, vanish
from tests.harness.stack import Stack

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("exec")


class RawCommandTest(unittest.TestCase):
    def setUp(self):
        self.client = connect(stack.address("exec", "raw"))
        self.addCleanup(self.client.close)

    def ask(self, request, expected):
        """Sends the text of a command and reads as many bytes as its output must have."""
        self.client.sendall(request)
        self.assertEqual(receive_exactly(self.client, len(expected)), expected)

    def test_command_without_newline(self):
        """The classic client: one short command in one send()."""
        self.ask(b"echo hello", b"hello\n")

    def test_command_with_newline(self):
        self.ask(b"echo hello\n", b"hello\n")

    def test_command_with_carriage_return_and_newline(self):
        self.ask(b"printf %s hello\r\n", b"hello")

    def test_only_one_carriage_return_is_dropped(self):
        self.ask(b"printf %s hello\r\r\n", b"hello\r")

    def test_commands_one_after_another(self):
        for number in range(50):
            self.ask(b"echo %d" % number, b"%d\n" % number)

    def test_several_lines_are_several_commands_in_order(self):
        self.ask(b"echo one\necho two\necho three\n", b"one\ntwo\nthree\n")

    def test_last_of_several_lines_needs_no_newline(self):
        self.ask(b"echo one\necho two", b"one\ntwo\n")

    def test_blank_lines_are_ignored(self):
        self.ask(b"\n\r\n   \necho hello\n\n", b"hello\n")

    def test_merged_newline_terminated_commands(self):
        """What Nagle's algorithm may make of two sends; the newline keeps them apart."""
        self.ask(b"printf a\n" + b"printf b\n", b"ab")

    def test_merged_commands_without_newline_are_one(self):
        """Two commands that nothing separates cannot be told apart: the newline and the framings are the cure."""
        self.ask(b"echo one" + b"echo two", b"oneecho two\n")

    def test_lengths_around_1024(self):
        """The classic server reads 1024 bytes at a time; at that size the end is a newline, FIN or silence."""
        for length in (1022, 1023, 1024, 1025, 2047, 2048, 2049, 5000):
            with self.subTest(length=length):
                text = b"x" * (length - len(b"echo "))
                self.ask(b"echo " + text, text + b"\n")

    def test_long_command_ended_by_half_close(self):
        text = b"y" * 3000
        self.client.sendall(b"echo " + text)
        self.client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_to_end(self.client), text + b"\n")

    def test_empty_output_is_one_newline(self):
        """A client that waits for something is released."""
        self.ask(b"true", b"\n")
        self.ask(b"echo after", b"after\n")

    def test_all_of_stdout_then_all_of_stderr(self):
        self.ask(b"echo e1 >&2; echo o1; echo e2 >&2; echo o2\n", b"o1\no2\ne1\ne2\n")

    def test_output_bytes_are_unchanged(self):
        self.ask(rb"printf '\000\001\377\r\n\342\202\254'", b"\0\1\xff\r\n\xe2\x82\xac")

    def test_standard_input_is_empty(self):
        self.ask(b"cat; echo done\n", b"done\n")

    def test_command_is_run_by_a_shell(self):
        self.ask(b"for i in 1 2 3; do echo $i; done | sort -r | head -n 2", b"3\n2\n")

    def test_unknown_command_says_so_on_stderr(self):
        self.client.sendall(b"no-such-command-here\n")
        self.assertIn(b"not found", self.client.recv(4096))

    def test_half_close_still_answered(self):
        self.client.sendall(b"sleep 0.2; echo slow")
        self.client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_to_end(self.client), b"slow\n")

    def test_nothing_asked_nothing_answered(self):
        self.client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_to_end(self.client), b"")

    def test_slow_command_delays_no_other_client(self):
        self.client.sendall(b"sleep 60")
        with connect(stack.address("exec", "raw")) as other:
            other.sendall(b"echo quick")
            self.assertEqual(receive_exactly(other, 6), b"quick\n")
        vanish(self.client)

    def test_large_output(self):
        self.client.sendall(b"head -c 5000000 /dev/zero | tr '\\0' z")
        self.client.shutdown(socket.SHUT_WR)
        received = receive_to_end(self.client)
        self.assertEqual(len(received), 5000000)
        self.assertEqual(received.count(b"z"), 5000000)


if __name__ == "__main__":
    unittest.main()
