"""Clients that go by the hundred with a reset, in the middle of whatever they were saying, and leave nothing behind."""

import os
import unittest

from tests.conformance.file_client import download, packed_request, upload
from tests.conformance.plain_client import connect, packed_size, receive_exactly, vanish
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.processes import command_lines_with
from tests.harness.stack import Stack

HUNDREDS = 300

# Nobody else on this machine sleeps for exactly so long.
MARKER = b"86399.%d" % os.getpid()

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_all()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)
    with connect(stack.address("file", "tcp")) as raw:
        upload(raw, "large", bytes(4_000_000))


class VanishingClientTest(unittest.TestCase):
    def vanish_while(self, service, listener, messages, kept="nothing"):
        """Each of HUNDREDS of clients sends one of the messages and is gone; then nothing of them may be left. The
        service may keep descriptors of the kind `kept` from one client to the next."""
        program = stack.programs[service]
        counters = client.listener(service, listener).counters
        descriptors = program.descriptor_count(kept)
        for number in range(HUNDREDS):
            raw = connect(stack.address(service, listener))
            raw.sendall(messages[number % len(messages)])
            vanish(raw)
        self.assert_all_closed(service, listener, counters)
        wait_until(lambda: program.descriptor_count(kept) <= descriptors, "every descriptor closed")

    def assert_all_closed(self, service, listener, before):
        """A connection that was reset before it was accepted may never have been seen: at most all were opened."""
        def now():
            return client.listener(service, listener).counters

        def opened():
            return now().connections_opened - before.connections_opened

        def closed():
            return sum(now().closed.values()) - sum(before.closed.values())

        with connect(stack.address(service, listener)):  # accepted after all of the others
            wait_until(lambda: now().connections_open == 1 and opened() == closed() + 1, "every connection closed")
        self.assertLessEqual(opened(), HUNDREDS + 1)
        # Whom exec cannot ask any more whose it is, it refuses.
        self.assertGreater(sum(now().closed[reason] - before.closed[reason] for reason in ("reset", "refused")), 0)

    def test_echo_in_mid_exchange(self):
        self.vanish_while("echo", "tcp", [b"", b"half a mess", b"x" * 100_000])
        with connect(stack.address("echo", "tcp")) as raw:
            raw.sendall(b"still here")
            self.assertEqual(receive_exactly(raw, 10), b"STILL HERE")

    def test_exec_with_commands_running(self):
        for listener in ("raw", "sized", "header"):
            with self.subTest(listener=listener):
                self.vanish_while("exec", listener, [
                    b"", b"echo hal", b"sleep %s\n" % MARKER, b"(setsid sleep %s &); sleep %s\n" % (MARKER, MARKER),
                    b"x" * 70_000, b"echo one\necho two\nsleep %s\n" % MARKER])
                wait_until(lambda: not command_lines_with(MARKER), "the end of every command")
        with connect(stack.address("exec", "raw")) as raw:
            raw.sendall(b"echo still here\n")
            self.assertEqual(receive_exactly(raw, 11), b"still here\n")

    def test_file_in_mid_header_and_mid_payload(self):
        whole = packed_request({"filename": "vanished", "filesize": 1_000_000})
        self.vanish_while("file", "tcp", [
            b"", b"\x10", packed_size(100), whole[:20], whole, whole + b"x" * 1000, whole + b"x" * 999_999,
            packed_request({"op": "download", "filename": "large"}), packed_size(-5)],
            kept="pipe:")
        self.assertFalse((stack.file_root / "vanished").exists())
        with connect(stack.address("file", "tcp")) as raw:
            self.assertEqual(len(download(raw, "large")[1]), 4_000_000)


if __name__ == "__main__":
    unittest.main()
