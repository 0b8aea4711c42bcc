"""Port 8085: requests behind their size, in JSON, with standard input; replies as on 8084."""

import hashlib
import struct
import unittest

from tests.conformance.exec_client import packed_request, receive_reply
from tests.conformance.plain_client import connect
from tests.harness.stack import Stack

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("exec")


class FramedTest(unittest.TestCase):
    def setUp(self):
        self.client = connect(stack.address("exec", "framed"))
        self.addCleanup(self.client.close)

    def ask(self, stdin=b"", **request):
        self.client.sendall(packed_request(stdin, **request))
        return receive_reply(self.client)

    def test_command(self):
        header, body = self.ask(command="printf out; printf err >&2; exit 5")
        self.assertEqual(body, b"outerr")
        self.assertEqual((header["exit_code"], header["stdout_size"], header["stderr_size"]), (5, 3, 3))
        self.assertEqual(header["md5"], hashlib.md5(body).hexdigest())

    def test_arguments_meet_no_shell(self):
        self.assertEqual(self.ask(argv=["printf", "[%s]", "$HOME", "a  b", "", "*"])[1], b"[$HOME][a  b][][*]")

    def test_program_that_is_not_there(self):
        header, _ = self.ask(argv=["no-such-program-here"])
        self.assertEqual(header["error"]["code"], "START_FAILED")
        self.assertNotIn("exit_code", header)

    def test_standard_input(self):
        data = bytes(range(256)) * 1000
        self.assertEqual(self.ask(data, argv=["cat"])[1], data)
        self.assertEqual(self.ask(argv=["cat"])[1], b"")

    def test_input_that_the_command_does_not_read(self):
        self.assertEqual(self.ask(bytes(1 << 20), command="echo done")[1], b"done\n")

    def test_folder_environment_and_timeout(self):
        self.assertEqual(self.ask(command="pwd", cwd="/usr")[1], b"/usr\n")
        self.assertEqual(self.ask(command='echo "$WORD"', env={"WORD": "a b"})[1], b"a b\n")
        self.assertTrue(self.ask(command="sleep 1000", timeout_ms=200)[0]["timed_out"])

    def test_commands_sent_ahead(self):
        self.client.sendall(b"".join(packed_request(command=f"echo {number}") for number in range(50)))
        self.assertEqual([receive_reply(self.client)[1] for _ in range(50)], [b"%d\n" % number for number in range(50)])

    def test_every_split_of_two_requests(self):
        request = packed_request(b"one", argv=["cat"]) + packed_request(command="echo two")
        for border in range(1, len(request)):
            with self.subTest(border=border):
                self.client.sendall(request[:border])
                self.client.sendall(request[border:])
                self.assertEqual([receive_reply(self.client)[1] for _ in range(2)], [b"one", b"two\n"])

    def test_refusal_leaves_the_connection_open(self):
        for request, code in (({}, "NO_COMMAND"), ({"command": "a", "argv": ["a"]}, "NO_COMMAND"),
                              ({"command": ["a"]}, "BAD_FIELD"), ({"command": "a", "cwd": "here"}, "BAD_WORKING_DIRECTORY"),
                              ({"command": "a" * 65537}, "COMMAND_TOO_LONG"), ({"command": "a\0"}, "BAD_COMMAND"),
                              ({"command": "a", "timeout_ms": 10**12}, "BAD_TIMEOUT")):
            with self.subTest(code=code):
                header, body = self.ask(b"input", **request)
                self.assertEqual((header["error"]["code"], body), (code, b""))
        self.assertEqual(self.ask(command="echo still here")[1], b"still here\n")

    def test_lying_sizes_are_answered_and_closed(self):
        for size in (0, -1, 1 << 19 | 1, 2**31 - 1, -2**31):
            with self.subTest(size=size), connect(stack.address("exec", "framed")) as client:
                client.sendall(struct.pack("<i", size))
                self.assertEqual(receive_reply(client)[0]["error"]["code"], "BAD_LENGTH")
                self.assertEqual(client.recv(1), b"")

    def test_half_close_is_still_answered(self):
        self.client.sendall(packed_request(command="sleep 0.2; echo late"))
        self.client.shutdown(1)
        self.assertEqual(receive_reply(self.client)[1], b"late\n")
        self.assertEqual(self.client.recv(1), b"")


if __name__ == "__main__":
    unittest.main()
