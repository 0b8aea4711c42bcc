"""Rows 3 to 5: a web page can make a browser post text to a loopback port; no line of it may become a command."""

import unittest

from tests.conformance.plain_client import closed_unanswered, connect, receive_exactly
from tests.harness.stack import Stack

LISTENERS = ("raw", "sized", "header")

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("exec")


class BrowserTest(unittest.TestCase):
    def assert_refused(self, listener, template):
        """Sends the text with %s replaced by a command; it must be refused and the command not run."""
        marker = stack.scratch / "marker"
        with connect(stack.address("exec", listener)) as client:
            client.sendall(template % (b"touch " + bytes(marker)))
            self.assertTrue(closed_unanswered(client), "it was answered")
        # Whatever was run before the connection closed has left its mark by now: commands run in order.
        self.assertFalse(marker.exists(), "it was run")

    def test_post_with_commands_as_body(self):
        for listener in LISTENERS:
            with self.subTest(listener=listener):
                self.assert_refused(
                    listener, b"POST / HTTP/1.1\r\nHost: 127.0.0.1:8082\r\nContent-Type: text/plain\r\n\r\n%s\n")

    def test_every_method(self):
        for method in (b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"CONNECT", b"TRACE"):
            with self.subTest(method=method):
                self.assert_refused("raw", method + b" /x HTTP/1.1\r\n\r\n%s\n")

    def test_http_1_0_without_host(self):
        self.assert_refused("raw", b"GET / HTTP/1.0\n%s\n")

    def test_host_line_anywhere(self):
        """A request whose first line was hidden in something else still has its Host: line."""
        self.assert_refused("raw", b"%s\nHost: 127.0.0.1\n")
        self.assert_refused("raw", b": nothing\nHost: 127.0.0.1\r\n%s\n")

    def test_blank_lines_first(self):
        self.assert_refused("raw", b"\r\n\r\nPOST / HTTP/1.1\r\n\r\n%s\n")

    def test_commands_that_only_look_like_it_are_run(self):
        for command, expected in ((b"echo GET / HTTP/1.1", b"GET / HTTP/1.1\n"), (b"echo Host: x", b"Host: x\n")):
            with self.subTest(command=command), connect(stack.address("exec", "raw")) as client:
                client.sendall(command + b"\n")
                self.assertEqual(receive_exactly(client, len(expected)), expected)


if __name__ == "__main__":
    unittest.main()
