"""Faults of listeners of streams, as plain sockets see them: every kind, both ways, over TCP, Unix sockets and TLS."""

import itertools
import os
import socket
import ssl
import time
import unittest

from tests.conformance.plain_client import connect, receive_exactly, receive_to_end
from tests.harness import rpc
from tests.harness.certificates import Authority
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.faults import ALLOWED, fault_counters, set_faults
from tests.harness.stack import Stack

stack = None
client = None
authority = None


def setUpModule():
    global stack, client, authority
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    authority = Authority(stack.directory)
    certificate, key = authority.issue("server")
    listeners = ["tcp=tcp://127.0.0.1:0", f"tcp=unix://{stack.directory}/echo.sock", "tcp=tls://127.0.0.1:0"]
    program = stack.start_service("echo", ALLOWED, f"--tls_certificate={certificate}", f"--tls_key={key}",
                                  listeners=listeners)
    client = rpc.Client(program.rpc_target)
    unittest.addModuleCleanup(client.close)


def end_of(peer):
    """What comes until the end, and whether that is a reset."""
    received = b""
    while True:
        try:
            part = peer.recv(1 << 20)
        except ConnectionResetError:
            return received, True
        if not part:
            return received, False
        received += part


class FaultsTest(unittest.TestCase):
    listener = "tcp"

    def setUp(self):
        self.addCleanup(set_faults, client, "echo")

    def set(self, **fields):
        return set_faults(client, "echo", self.listener, **fields)

    def counters(self):
        return fault_counters(client, "echo", self.listener)

    def connect(self):
        peer = connect(stack.address("echo", self.listener))
        self.addCleanup(peer.close)
        return peer

    def assert_listed(self, name):
        request = rpc.control.ListConnectionsRequest(service="echo")
        wait_until(lambda: name in [row.peer for row in client.control.ListConnections(request, timeout=PATIENCE).connections],
                   "the connection listed by its name")


class EveryTransport:
    """What is the same for all of them."""

    def test_delay_and_jitter_each_way(self):
        for way in ("stream_received", "stream_sent"):
            self.set(**{way: {"delay": 0.1, "jitter": 0.05}})
            peer = self.connect()
            begun = time.monotonic()
            for text in (b"one", b"two", b"three"):
                peer.sendall(text)
            self.assertEqual(receive_exactly(peer, 11), b"ONETWOTHREE")
            self.assertGreaterEqual(time.monotonic() - begun, 0.1)

    def test_rate(self):
        self.set(stream_sent={"bytes_per_second": 20_000})
        peer = self.connect()
        begun = time.monotonic()
        peer.sendall(bytes(10_000))
        self.assertEqual(receive_exactly(peer, 10_000), bytes(10_000))
        self.assertGreaterEqual(time.monotonic() - begun, 0.4)

    def test_large_transfers_arrive_whole(self):
        self.set(stream_received={"jitter": 0.002}, stream_sent={"split_bytes": 65_536, "jitter": 0.002})
        data = os.urandom(3_000_000)
        peer = self.connect()
        received = b""
        sent = 0
        peer.settimeout(0.001)
        end = time.monotonic() + PATIENCE
        while len(received) < len(data) and time.monotonic() < end:
            try:
                sent += peer.send(data[sent:sent + 65_536]) if sent < len(data) else 0
            except (TimeoutError, ssl.SSLWantWriteError):
                pass
            try:
                received += peer.recv(1 << 20)
            except (TimeoutError, ssl.SSLWantReadError):
                pass
        self.assertEqual(received, data.upper())

    def test_those_that_were_open_before_have_none(self):
        before = self.connect()
        before.sendall(b"a")
        self.assertEqual(receive_exactly(before, 1), b"A")
        self.set(stream_sent={"delay": 60}, fail_first=1000)
        before.sendall(b"b")
        self.assertEqual(receive_exactly(before, 1), b"B")


class WithoutTls(EveryTransport):
    """Where a handshake would be late as well, and Python knows no half-close."""

    def test_half_close_passes(self):
        self.set(stream_received={"delay": 0.02}, stream_sent={"delay": 0.02})
        peer = self.connect()
        peer.sendall(b"all of it")
        peer.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_to_end(peer), b"ALL OF IT")

    def test_taken_away_all_goes_on_at_once(self):
        peer = self.connect_under(stream_sent={"delay": 60})
        peer.sendall(b"later")
        wait_until(lambda: client.listener("echo", self.listener).counters.bytes_sent > self.sent_before, "an answer")
        self.set()
        self.assertEqual(receive_exactly(peer, 5), b"LATER")
        peer.sendall(b"now")
        self.assertEqual(receive_exactly(peer, 3), b"NOW")

    def connect_under(self, **fields):
        self.sent_before = client.listener("echo", self.listener).counters.bytes_sent
        self.set(**fields)
        return self.connect()


class TcpTest(WithoutTls, FaultsTest):
    def test_who_reads_at_once_sees_pieces(self):
        self.set(stream_sent={"split_bytes": 1})
        text = b"hello, world" * 5
        peer = self.connect()
        peer.sendall(text)
        reads = []
        while sum(map(len, reads)) < len(text):
            reads.append(peer.recv(100))
            self.assertTrue(reads[-1], reads)
        self.assertEqual(b"".join(reads), text.upper())
        # Not each: on a busy machine this program may be late for some.
        self.assertGreaterEqual(len(reads), 3, reads)

    def test_cut_each_way_by_an_end_and_by_a_reset(self):
        for way, reset in itertools.product(("stream_received", "stream_sent"), (False, True)):
            with self.subTest(way=way, reset=reset):
                self.set(**{way: {"cut_after_bytes": 5, "cut_with_reset": reset}})
                peer = self.connect()
                peer.sendall(b"0123456789")
                received, was_reset = end_of(peer)
                self.assertEqual(was_reset, reset)
                # What was cut on its way in may be answered or not by then.
                self.assertTrue(b"01234".startswith(received), received)
                if way == "stream_sent":
                    self.assertEqual(received, b"01234")
                self.assertEqual(self.counters().connections_cut, 1)
                wait_until(lambda: client.listener("echo", "tcp").counters.connections_open == 0, "its end")

    def test_the_first_are_reset(self):
        self.set(fail_first=2)
        for _ in range(2):
            # Before the client has looked at its connection, or then.
            with self.assertRaises(ConnectionResetError):
                self.connect().recv(1)
        peer = self.connect()
        peer.sendall(b"third")
        self.assertEqual(receive_exactly(peer, 5), b"THIRD")
        self.assertEqual(self.counters().failed_first, 2)

    def test_peers_keep_their_names(self):
        self.set(stream_sent={"delay": 0.001})
        peer = self.connect()
        name = "tcp://127.0.0.1:%d" % peer.getsockname()[1]
        self.assert_listed(name)


class UnixTest(WithoutTls, FaultsTest):
    listener = "tcp-2"

    def test_split_makes_reads(self):
        self.set(stream_sent={"split_bytes": 4})
        peer = self.connect()
        peer.sendall(b"0123456789")
        self.assertEqual([peer.recv(100) for _ in range(3)], [b"0123", b"4567", b"89"])

    def test_merge_makes_one_read(self):
        self.set(stream_sent={"merge_bytes": 9})
        peer = self.connect()
        for text in (b"one", b"two", b"six"):
            peer.sendall(text)
        self.assertEqual(peer.recv(100), b"ONETWOSIX")

    def test_merge_ends_when_nothing_comes(self):
        self.set(stream_sent={"merge_bytes": 1000})
        peer = self.connect()
        peer.sendall(b"alone")
        self.assertEqual(peer.recv(100), b"ALONE")

    def test_cut(self):
        self.set(stream_sent={"cut_after_bytes": 5, "cut_with_reset": True})
        peer = self.connect()
        peer.sendall(b"0123456789")
        self.assertEqual(end_of(peer)[0], b"01234")

    def test_peers_keep_their_names(self):
        self.set(stream_sent={"delay": 0.001})
        self.connect()
        name = f"unix:pid={os.getpid()},uid={os.getuid()}"
        self.assert_listed(name)


class TlsTest(EveryTransport, FaultsTest):
    """On the wire, below TLS."""

    listener = "tcp-3"

    def connect(self):
        raw = connect(stack.address("echo", self.listener))
        context = ssl.create_default_context(cafile=authority.certificate)
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        peer = context.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)
        peer.settimeout(PATIENCE)
        self.addCleanup(peer.close)
        return peer

    def test_handshakes_are_split(self):
        self.set(stream_received={"split_bytes": 7}, stream_sent={"split_bytes": 100})
        peer = self.connect()
        peer.sendall(b"hello")
        self.assertEqual(receive_exactly(peer, 5), b"HELLO")

    def test_a_cut_is_no_end(self):
        """TLS tells that bytes are missing."""
        self.set(stream_sent={"cut_after_bytes": 5_000})
        peer = self.connect()
        peer.sendall(bytes(20_000))
        with self.assertRaises(ssl.SSLError):
            receive_to_end(peer)
        self.assertEqual(self.counters().connections_cut, 1)

    def test_handshakes_may_fail(self):
        self.set(stream_received={"cut_after_bytes": 10, "cut_with_reset": True})
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.connect()

    def test_peers_keep_their_names(self):
        self.set(stream_sent={"delay": 0.001})
        peer = self.connect()
        name = "tls://127.0.0.1:%d" % peer.getsockname()[1]
        self.assert_listed(name)


class ReadsOfTheServiceTest(FaultsTest):
    """What the service reads is told by events."""

    def chunks(self, sends, total):
        """Sizes of the reads that brought `total` bytes."""
        request = rpc.control.WatchEventsRequest(services=["echo"], include_chunks=True)
        events = client.control.WatchEvents(request, timeout=PATIENCE)
        self.addCleanup(events.cancel)
        next(events)
        peer = self.connect()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for text in sends:
            peer.sendall(text)
        sizes = []
        while sum(sizes) < total:
            sizes += [event.chunk_received.size for event in next(events).events if event.HasField("chunk_received")]
        return sizes

    def test_split(self):
        self.set(stream_received={"split_bytes": 4})
        self.assertEqual(self.chunks([b"0123456789"], 10), [4, 4, 2])

    def test_merge(self):
        self.set(stream_received={"merge_bytes": 9})
        self.assertEqual(self.chunks([b"one", b"two", b"six"], 9), [9])


if __name__ == "__main__":
    unittest.main()
