"""Row 5: port 8084 sends the size of a JSON header, the header, and then the output that the header describes."""

import hashlib
import unittest

from tests.conformance.exec_client import receive_reply
from tests.conformance.plain_client import connect
from tests.harness.stack import Stack

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("exec")


class HeaderReplyTest(unittest.TestCase):
    def setUp(self):
        self.client = connect(stack.address("exec", "header"))
        self.addCleanup(self.client.close)

    def ask(self, request):
        self.client.sendall(request)
        return receive_reply(self.client)

    def test_keys_that_classic_clients_read(self):
        header, body = self.ask(b"echo hello")
        self.assertEqual(body, b"hello\n")
        self.assertEqual(header["total_size"], 6)
        self.assertEqual(header["md5"], hashlib.md5(b"hello\n").hexdigest())
        self.assertIsInstance(header["file_name"], str)
        self.assertTrue(header["file_name"])

    def test_sizes_of_both_streams(self):
        header, body = self.ask(b"printf err >&2; printf output")
        self.assertEqual((header["stdout_size"], header["stderr_size"]), (6, 3))
        self.assertEqual(body, b"outputerr")
        self.assertEqual(header["md5"], hashlib.md5(b"outputerr").hexdigest())

    def test_exit_code(self):
        self.assertEqual(self.ask(b"exit 0")[0]["exit_code"], 0)
        self.assertEqual(self.ask(b"exit 3")[0]["exit_code"], 3)
        self.assertEqual(self.ask(b"no-such-command-here")[0]["exit_code"], 127)

    def test_signal_takes_the_place_of_the_exit_code(self):
        header, _ = self.ask(b"kill -KILL $$")
        self.assertIn("signal", header)
        self.assertNotIn("exit_code", header)

    def test_outcome_of_an_ordinary_command(self):
        header, _ = self.ask(b"true")
        self.assertFalse(header["truncated"])
        self.assertFalse(header["timed_out"])
        self.assertGreaterEqual(header["duration_ms"], 0)

    def test_duration_covers_the_command(self):
        header, _ = self.ask(b"sleep 0.25")
        self.assertGreaterEqual(header["duration_ms"], 250)

    def test_empty_output(self):
        header, body = self.ask(b"true")
        self.assertEqual((header["total_size"], body), (0, b""))
        self.assertEqual(header["md5"], hashlib.md5(b"").hexdigest())

    def test_large_output(self):
        header, body = self.ask(b"head -c 3000000 /dev/zero")
        self.assertEqual(body, bytes(3000000))
        self.assertEqual(header["md5"], hashlib.md5(body).hexdigest())

    def test_binary_output(self):
        header, body = self.ask(rb"printf '\000\377\n\200'")
        self.assertEqual(body, b"\0\xff\n\x80")
        self.assertEqual(header["md5"], hashlib.md5(body).hexdigest())

    def test_file_name_is_unique_per_connection(self):
        """Classic clients save each output under this name: two must not collide, none may leave the folder."""
        names = [self.ask(b"echo %d" % number)[0]["file_name"] for number in range(20)]
        self.assertEqual(len(set(names)), 20)
        for name in names:
            self.assertNotIn("/", name)
            self.assertNotIn(name, (".", ".."))

    def test_merged_lines_are_answered_one_by_one(self):
        self.client.sendall(b"echo one\necho two\n")
        self.assertEqual([receive_reply(self.client)[1] for _ in range(2)], [b"one\n", b"two\n"])


if __name__ == "__main__":
    unittest.main()
