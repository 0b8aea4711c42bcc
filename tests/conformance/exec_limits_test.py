"""Rows 3 to 5, the hostile half: commands that never end, never stop printing, refuse to die or are too long."""

import unittest

from tests.conformance.exec_client import receive_reply
from tests.conformance.plain_client import closed_unanswered, connect, receive_exactly, receive_size, receive_to_end
from tests.harness.processes import read_pids, wait_for_exit_of
from tests.harness.stack import Stack

OUTPUT_LIMIT = 2_000_000

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("exec", "--command_timeout=2s", f"--output_max_bytes={OUTPUT_LIMIT}")


def ask_with_header(command):
    with connect(stack.address("exec", "header")) as client:
        client.sendall(command + b"\n")
        return receive_reply(client)


class TimeLimitTest(unittest.TestCase):
    def test_command_that_never_ends(self):
        header, body = ask_with_header(b"echo before; sleep 1000")
        self.assertTrue(header["timed_out"])
        self.assertEqual(body, b"before\n")

    def test_command_that_ignores_term(self):
        header, body = ask_with_header(b"trap '' TERM HUP INT; echo stubborn; while :; do sleep 1; done")
        self.assertTrue(header["timed_out"])
        self.assertEqual(body, b"stubborn\n")

    def test_whole_tree_is_ended(self):
        """Background children, a child in a session of its own, and one whose parent is gone."""
        pids = stack.scratch / "timeout-tree"
        ask_with_header(
            b"cd %s; sleep 1000 & echo $! >> timeout-tree;"
            b" setsid sh -c 'echo $$ >> timeout-tree; exec sleep 1000' &"
            b" (setsid sh -c 'echo $$ >> timeout-tree; trap \"\" TERM; sleep 1000; sleep 1000' &) ;"
            b" wait; sleep 1000" % bytes(stack.scratch))
        for pid in read_pids(pids, 3):
            wait_for_exit_of(pid)

    def test_raw_and_sized_clients_are_released_too(self):
        with connect(stack.address("exec", "raw")) as raw, connect(stack.address("exec", "sized")) as sized:
            raw.sendall(b"sleep 1000\necho next\n")
            sized.sendall(b"sleep 1000\necho next\n")
            self.assertEqual(receive_exactly(raw, 6), b"\nnext\n")
            self.assertEqual(receive_size(sized), 0)
            self.assertEqual(receive_exactly(sized, receive_size(sized)), b"next\n")


class OutputLimitTest(unittest.TestCase):
    def test_gigabytes_of_output_are_truncated(self):
        header, body = ask_with_header(b"yes")
        self.assertTrue(header["truncated"])
        self.assertEqual(len(body), OUTPUT_LIMIT)
        self.assertEqual(body[:6], b"y\ny\ny\n")

    def test_gigabytes_of_errors_are_truncated(self):
        header, body = ask_with_header(b"echo first; yes >&2")
        self.assertTrue(header["truncated"])
        self.assertEqual(len(body), OUTPUT_LIMIT)
        self.assertEqual(body[:10], b"first\ny\ny\n")

    def test_output_at_the_limit_is_whole(self):
        header, body = ask_with_header(b"head -c %d /dev/zero" % OUTPUT_LIMIT)
        self.assertFalse(header["truncated"])
        self.assertEqual(len(body), OUTPUT_LIMIT)

    def test_connection_serves_on_after_a_truncated_command(self):
        with connect(stack.address("exec", "sized")) as client:
            client.sendall(b"yes\necho next\n")
            self.assertEqual(len(receive_exactly(client, receive_size(client))), OUTPUT_LIMIT)
            self.assertEqual(receive_exactly(client, receive_size(client)), b"next\n")


class CommandLengthTest(unittest.TestCase):
    LIMIT = 65536

    def test_longest_command(self):
        with connect(stack.address("exec", "sized")) as client:
            command = b"echo " + b"x" * (self.LIMIT - 5)
            client.sendall(command + b"\n")
            self.assertEqual(receive_exactly(client, receive_size(client)), b"x" * (self.LIMIT - 5) + b"\n")

    def test_longer_command_is_not_run(self):
        marker = stack.scratch / "too-long"
        command = b"touch %s; : " % bytes(marker)
        with connect(stack.address("exec", "raw")) as client:
            client.sendall(command + b"x" * (self.LIMIT + 1 - len(command)) + b"\n")
            receive_to_end(client)  # a word of explanation, perhaps
        self.assertFalse(marker.exists())

    def test_longer_command_is_told_so_in_the_header(self):
        with connect(stack.address("exec", "header")) as client:
            client.sendall(b"echo " + b"x" * self.LIMIT + b"\n")
            header, _ = receive_reply(client)
            self.assertIn("error", header)
            self.assertTrue(closed_unanswered(client))


class CommandTextTest(unittest.TestCase):
    def test_nul_in_a_command(self):
        """No shell can be given one. The client is answered or closed, never left waiting, and nothing is cut off and
        run: what stands before the NUL is another command than the one that was sent."""
        marker = stack.scratch / "before-nul"
        with connect(stack.address("exec", "raw")) as client:
            client.sendall(b"touch %s \0 /no/such/file\n" % bytes(marker))
            client.recv(4096)
        self.assertFalse(marker.exists())

    def test_any_other_bytes(self):
        with connect(stack.address("exec", "sized")) as client:
            client.sendall(b"printf %s '" + bytes(range(1, 10)) + bytes(range(128, 256)) + b"'\n")
            self.assertEqual(receive_exactly(client, receive_size(client)), bytes(range(1, 10)) + bytes(range(128, 256)))


if __name__ == "__main__":
    unittest.main()
