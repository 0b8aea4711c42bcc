"""Limits of every stream listener: how many, how idle, how slow. Each end of a connection has one counted reason."""

import unittest

from tests.conformance.file_client import packed_request, upload
from tests.conformance.plain_client import connect, packed_size, receive_exactly, receive_to_end
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack


class LimitTest(unittest.TestCase):
    def start(self, service, *flags):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        program = self.stack.start_service(service, *flags)
        self.client = rpc.Client(program.rpc_target)
        self.addCleanup(self.client.close)
        self.service = service

    def connect(self, listener="tcp"):
        client = connect(self.stack.address(self.service, listener))
        self.addCleanup(client.close)
        return client

    def await_closed(self, reason, count=1):
        wait_until(lambda: self.client.service(self.service).counters.closed[reason] == count,
                   f"{count} closed as {reason}")


class ConnectionsMaxTest(LimitTest):
    def test_full_listener_waits_and_recovers_by_itself(self):
        self.start("echo", "--connections_max=5")
        inside = [self.connect() for _ in range(5)]
        for client in inside:
            client.sendall(b"x")
            self.assertEqual(receive_exactly(client, 1), b"X")
        outside = [self.connect() for _ in range(5)]  # the kernel's queue takes them
        for client in outside:
            client.sendall(b"y")
        self.assertEqual(self.client.listener("echo", "tcp").counters.connections_open, 5)
        for gone, served in zip(inside, outside):
            gone.close()
            self.assertEqual(receive_exactly(served, 1), b"Y")
        self.assertLessEqual(self.client.listener("echo", "tcp").counters.connections_open, 5)

    def test_limit_is_each_listeners_own(self):
        self.start("echo", "--connections_max=1")
        first, second = self.connect("tcp"), self.connect("tcp-2")
        for client in (first, second):
            client.sendall(b"x")
            self.assertEqual(receive_exactly(client, 1), b"X")


class IdleTest(LimitTest):
    def test_idle_connection_is_closed(self):
        for service, listener in (("echo", "tcp"), ("exec", "raw"), ("file", "tcp")):
            with self.subTest(service=service):
                self.start(service, "--idle_timeout=300ms")
                self.assertEqual(receive_to_end(self.connect(listener)), b"")
                self.await_closed("idle")

    def test_command_that_says_nothing_is_not_idle(self):
        self.start("exec", "--idle_timeout=300ms")
        client = self.connect("raw")
        client.sendall(b"sleep 1; echo done\n")
        self.assertEqual(receive_exactly(client, 5), b"done\n")


class HeaderDeadlineTest(LimitTest):
    def test_one_slow_byte_after_another_does_not_extend_the_deadline(self):
        self.start("file", "--header_timeout=500ms", "--idle_timeout=1h")
        slow = self.connect()
        slow.setblocking(False)
        header = iter(packed_request({"filename": "slow", "filesize": 1, "padding": "x" * 60_000}))
        wait_until(lambda: self.is_closed_while_dripping(slow, header), "the end of the slow connection")
        self.await_closed("header_deadline")

    def is_closed_while_dripping(self, client, source):
        """Sends one byte; tells whether the other side has had enough."""
        try:
            client.send(bytes([next(source)]))
            while client.recv(4096):
                pass  # an error reply, before the end
            return True
        except BlockingIOError:
            return False
        except (ConnectionResetError, BrokenPipeError):
            return True

    def test_deadline_is_of_the_header_not_of_the_connection(self):
        self.start("file", "--header_timeout=500ms", "--idle_timeout=1h")
        client = self.connect()
        before = self.client.service("file").counters.closed["header_deadline"]
        slow = self.connect()
        slow.sendall(packed_size(100))
        self.await_closed("header_deadline", before + 1)
        # The deadline has passed for a header that was begun, so it would have for this one too.
        self.assertEqual(upload(client, "late", b"x")["status"], "ok")


class StallTest(LimitTest):
    def test_upload_that_stops_half_way(self):
        self.start("file", "--stall_timeout=300ms")
        client = self.connect()
        client.sendall(packed_request({"filename": "stalled", "filesize": 1000}) + b"half")
        self.await_closed("stalled")
        self.assertFalse((self.stack.file_root / "stalled").exists())

    def test_reader_that_stops_reading(self):
        self.start("file", "--stall_timeout=300ms")
        upload(self.connect(), "large", bytes(30_000_000))
        client = self.connect()
        client.sendall(packed_request({"op": "download", "filename": "large"}))
        self.await_closed("stalled")

    def test_echo_client_that_never_reads(self):
        self.start("echo", "--stall_timeout=300ms")
        client = self.connect()
        client.setblocking(False)
        wait_until(lambda: self.service_has_had_enough(client), "the end of a client that never reads")
        self.await_closed("stalled")

    def service_has_had_enough(self, client):
        """Sends as much as the connection takes; tells whether it has been closed meanwhile."""
        try:
            while True:
                client.send(b"x" * 65536)
        except BlockingIOError:
            return False
        except (ConnectionResetError, BrokenPipeError):
            return True


class ReasonTest(LimitTest):
    def test_every_connection_ends_with_one_reason(self):
        self.start("file")
        self.connect().close()
        bad = self.connect()
        bad.sendall(packed_size(-1))
        receive_to_end(bad)
        bad.close()
        self.await_closed("protocol_error")
        self.await_closed("peer_closed")
        counters = self.client.service("file").counters
        self.assertEqual(sum(counters.closed.values()), 2)
        self.assertEqual((counters.connections_opened, counters.connections_open), (2, 0))


if __name__ == "__main__":
    unittest.main()
