"""RFC 864 over TCP: lines of characters without end, as fast as allowed, for as long as the client likes."""

import itertools
import socket
import threading
import time
import unittest

from tests.conformance.plain_client import connect, receive_exactly, receive_to_end
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack

PRINTING = bytes(range(32, 127))

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo", "--stall_timeout=2s",
                        listeners=["chargen=tcp://127.0.0.1:0", "chargen=tcp://127.0.0.1:0?rate=50000",
                                   "chargen=tcp://127.0.0.1:0?rate=67108864", "tcp=tcp://127.0.0.1:0"])
    client = rpc.Client(stack.programs["echo"].rpc_target)
    unittest.addModuleCleanup(client.close)


def pattern(size):
    """The first bytes of what RFC 864 recommends."""
    lines = (bytes(PRINTING[(line + column) % 95] for column in range(72)) + b"\r\n" for line in itertools.count())
    period = b"".join(itertools.islice(lines, 95))
    return (period * (size // len(period) + 1))[:size]


def counters(listener="chargen"):
    return client.listener("echo", listener).counters


class ChargenTest(unittest.TestCase):
    def connect(self, listener="chargen"):
        raw = connect(stack.address("echo", listener))
        self.addCleanup(raw.close)
        return raw

    def test_lines_of_the_rfc(self):
        first, second = receive_exactly(self.connect(), 148).split(b"\r\n")[:2]
        self.assertEqual(first, b" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg")
        self.assertEqual(second, b"!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh")

    def test_a_megabyte_in_order(self):
        raw = self.connect("chargen-3")
        self.assertTrue(receive_exactly(raw, 1 << 20) == pattern(1 << 20), "something else than the pattern")

    def test_reading_in_odd_pieces_with_pauses_loses_nothing(self):
        """A reader that is slower than the rate: what it has not read yet waits, and the pattern has no gap."""
        raw = self.connect("chargen-3")
        received = b"".join(receive_exactly(raw, size) for size in (1, 73, 7030, 65537, 3_000_000, 5))
        self.assertTrue(received == pattern(len(received)), "something else than the pattern")

    def test_rate_of_the_option_is_not_exceeded(self):
        begin = time.monotonic()
        raw = self.connect("chargen-2")
        receive_exactly(raw, 20_000)
        # At once come two turns of 20 ms at most.
        self.assertGreaterEqual(time.monotonic() - begin, 20_000 / 50_000 - 0.04)

    def test_what_the_client_sends_is_thrown_away(self):
        raw = self.connect()
        before = counters().bytes_received
        sender = threading.Thread(target=raw.sendall, args=(b"x" * 10_000_000,))
        sender.start()
        wait_until(lambda: counters().bytes_received == before + 10_000_000, "all that was sent")
        sender.join()
        self.assertEqual(receive_exactly(raw, 1000), pattern(1000))

    def test_half_close_ends_it_and_a_connection_is_one_request(self):
        before = counters("chargen-2")
        raw = self.connect("chargen-2")
        received = receive_exactly(raw, 100)
        raw.shutdown(socket.SHUT_WR)
        received += receive_to_end(raw)
        self.assertEqual(received, pattern(len(received)))
        wait_until(lambda: counters("chargen-2").requests == before.requests + 1, "the request")
        after = counters("chargen-2")
        self.assertEqual(after.bytes_sent - before.bytes_sent, len(received))
        self.assertEqual((after.request_errors, after.closed["peer_closed"]),
                         (0, before.closed["peer_closed"] + 1))

    def test_client_that_does_not_read_is_closed(self):
        before = counters("chargen-3").closed["stalled"]
        self.connect("chargen-3")
        wait_until(lambda: counters("chargen-3").closed["stalled"] == before + 1, "the end of a client that does not read")

    def test_stop_ends_it_at_once_and_start_serves_again(self):
        raw = self.connect("chargen-2")
        received = receive_exactly(raw, 10)
        client.stop("echo", "chargen-2", grace_ms=600_000)
        self.addCleanup(client.start, "echo", "chargen-2")
        self.assertEqual(client.listener("echo", "chargen-2").state, rpc.control.SERVICE_STATE_STOPPED)
        received += receive_to_end(raw)
        self.assertEqual(received, pattern(len(received)))
        client.start("echo", "chargen-2")
        self.assertEqual(receive_exactly(self.connect("chargen-2"), 10), pattern(10))

    def test_events_of_a_connection(self):
        watch = client.control.WatchEvents(rpc.control.WatchEventsRequest(services=["echo"]))
        self.addCleanup(watch.cancel)
        next(watch)  # where events stand
        raw = self.connect("chargen-2")
        received = receive_exactly(raw, 100)
        raw.shutdown(socket.SHUT_WR)
        received += receive_to_end(raw)
        served = next(event for batch in watch for event in batch.events
                      if event.listener == "chargen-2" and event.WhichOneof("kind") == "request_served")
        self.assertEqual((served.request_served.summary, served.request_served.error_code),
                         (f"chargen of {len(received)} bytes", ""))


class CrowdTest(unittest.TestCase):
    def test_a_crowd_that_does_not_read_harms_nobody(self):
        own = Stack()
        self.addCleanup(own.stop)
        own.start_service("echo", listeners=["chargen=tcp://127.0.0.1:0?rate=67108864", "tcp=tcp://127.0.0.1:0"])
        crowd = [connect(own.address("echo", "chargen")) for _ in range(300)]
        with connect(own.address("echo", "tcp")) as good:
            for _ in range(200):
                good.sendall(b"still here")
                self.assertEqual(receive_exactly(good, 10), b"STILL HERE")
        for member in crowd:
            # Each has had something, and has not been closed.
            self.assertEqual(receive_exactly(member, 1000), pattern(1000))
            member.close()

    def test_the_end_of_the_process_does_not_wait_for_them(self):
        own = Stack()
        self.addCleanup(own.stop)
        own.start_service("echo", "--grace=1h", listeners=["chargen=tcp://127.0.0.1:0"])
        with connect(own.address("echo", "chargen")) as raw:
            receive_exactly(raw, 10)
            own.programs.pop("echo").stop()
            receive_to_end(raw)


if __name__ == "__main__":
    unittest.main()
