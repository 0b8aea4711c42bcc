"""Faults of listeners of datagrams, as plain sockets see them: every kind, both ways, over UDP and Unix sockets; and the
same run again by its seed."""

import time
import unittest

from tests.conformance.plain_client import datagram_socket
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.faults import ALLOWED, fault_counters, set_faults
from tests.harness.stack import Stack

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    # Answers each datagram with itself.
    options = "?reply=identity"
    listeners = [f"udp=udp://127.0.0.1:0{options}", f"udp=unixgram://{stack.directory}/udp.sock{options}"]
    client = rpc.Client(stack.start_service("echo", ALLOWED, listeners=listeners).rpc_target)
    unittest.addModuleCleanup(client.close)


class DatagramTest(unittest.TestCase):
    listener = "udp"

    def setUp(self):
        self.addCleanup(set_faults, client, "echo")
        self.peer = datagram_socket(stack.address("echo", self.listener))
        self.addCleanup(self.peer.close)

    def set(self, **fields):
        return set_faults(client, "echo", self.listener, **fields)

    def counters(self):
        return fault_counters(client, "echo", self.listener)

    def ask(self, text):
        self.peer.send(text)
        return self.peer.recv(2048)

    def answers(self):
        """Those that are there. What is asked last, and answered without faults, comes last."""
        self.set()
        received = []
        self.peer.send(b"the last")
        while not received or received[-1] != b"the last":
            received.append(self.peer.recv(2048))
        return received[:-1]

    def test_loss_each_way(self):
        for way in ("datagrams_received", "datagrams_sent"):
            with self.subTest(way=way):
                self.set(**{way: {"loss": 1}})
                for _ in range(5):
                    self.peer.send(b"x")
                wait_until(lambda: self.counters().datagrams_lost == 5, "five lost")
                self.assertEqual(self.answers(), [])

    def test_what_never_came_is_not_counted(self):
        before = client.listener("echo", self.listener).counters
        self.set(datagrams_received={"loss": 1})
        self.peer.send(b"x")
        wait_until(lambda: self.counters().datagrams_lost == 1, "one lost")
        after = client.listener("echo", self.listener).counters
        self.assertEqual(after.datagrams_received, before.datagrams_received)
        self.assertEqual(after.requests, before.requests)

    def test_duplication_each_way(self):
        for way in ("datagrams_received", "datagrams_sent"):
            with self.subTest(way=way):
                self.set(**{way: {"duplication": 1}})
                self.assertEqual([self.ask(b"twice"), self.peer.recv(2048)], [b"twice", b"twice"])
                self.assertEqual(self.counters().datagrams_duplicated, 1)

    def test_corruption_each_way(self):
        for way in ("datagrams_received", "datagrams_sent"):
            with self.subTest(way=way):
                self.set(**{way: {"corruption": 1}})
                answer = self.ask(bytes(16))
                self.assertEqual(len(answer), 16)
                self.assertEqual(bin(int.from_bytes(answer, "big")).count("1"), 1, answer)

    def test_delay_each_way(self):
        for way in ("datagrams_received", "datagrams_sent"):
            with self.subTest(way=way):
                self.set(**{way: {"delay": 0.1}})
                begun = time.monotonic()
                self.assertEqual(self.ask(b"later"), b"later")
                self.assertGreaterEqual(time.monotonic() - begun, 0.1)

    def test_jitter_lets_later_ones_overtake(self):
        self.set(seed=5, datagrams_sent={"jitter": 0.3})
        sent = [b"%d" % number for number in range(40)]
        for text in sent:
            self.peer.send(text)
        received = [self.peer.recv(2048) for _ in sent]
        self.assertNotEqual(received, sent)
        self.assertCountEqual(received, sent)

    def test_rate(self):
        self.set(datagrams_sent={"bytes_per_second": 10_000})
        begun = time.monotonic()
        for _ in range(5):
            self.peer.send(bytes(1000))
        for _ in range(5):
            self.peer.recv(2048)
        self.assertGreaterEqual(time.monotonic() - begun, 0.4)

    def test_the_next_overtakes(self):
        """By a seed by which the first is held back and the second is not."""
        for seed in range(1, 100):
            self.set(seed=seed, datagrams_received={"reordering": 0.5})
            self.peer.send(b"first")
            self.peer.send(b"second")
            received = [self.peer.recv(2048), self.peer.recv(2048)]
            if received == [b"second", b"first"]:
                self.assertEqual(self.counters().datagrams_reordered, 1)
                return
            self.assertEqual(received, [b"first", b"second"])
        self.fail("no seed of a hundred")

    def test_the_first_are_dropped(self):
        self.set(fail_first=3)
        for number in range(4):
            self.peer.send(b"%d" % number)
        self.assertEqual(self.peer.recv(2048), b"3")
        self.assertEqual(self.counters().failed_first, 3)

    def test_stopping_takes_them_away(self):
        self.set(datagrams_sent={"loss": 1})
        client.stop("echo", self.listener)
        self.assertFalse(client.listener("echo", self.listener).HasField("faults"))
        client.start("echo", self.listener)
        self.assertFalse(client.listener("echo", self.listener).HasField("faults"))


class UnixDatagramTest(DatagramTest):
    listener = "udp-2"


class RepeatableTest(unittest.TestCase):
    """The same seed and the same traffic: the same hits."""

    COUNT = 200
    FAULTS = {"loss": 0.3, "duplication": 0.2, "corruption": 0.1, "reordering": 0.1}

    def hits(self, seed=0):
        """The seed, and what hit COUNT datagrams, in order."""
        events = client.control.WatchEvents(rpc.control.WatchEventsRequest(services=["echo"]), timeout=rpc.PATIENCE)
        next(events)
        before = client.listener("echo", "udp").counters.datagrams_received
        told = set_faults(client, "echo", "udp", seed=seed, datagrams_received=self.FAULTS)
        with datagram_socket(stack.address("echo", "udp")) as peer:
            for _ in range(self.COUNT):
                peer.send(b"0123456789")
            listener = wait_until(lambda: self.all_accounted(before), "the fate of each")
        counters = listener.fault_counters
        total = (counters.datagrams_lost + counters.datagrams_duplicated + counters.datagrams_corrupted
                 + counters.datagrams_reordered)
        hits = []
        while len(hits) < total:
            hits += [event.fault_hit.fault for event in next(events).events if event.HasField("fault_hit")]
        events.cancel()
        set_faults(client, "echo")
        return told.seed, hits

    def all_accounted(self, before):
        listener = client.listener("echo", "udp")
        came = listener.counters.datagrams_received - before
        counters = listener.fault_counters
        fates = came + counters.datagrams_lost - counters.datagrams_duplicated
        return listener if fates == self.COUNT else None

    def test_the_same_seed_hits_the_same(self):
        first = self.hits(7)
        self.assertEqual(first[0], 7)
        self.assertGreater(len(first[1]), self.COUNT / 4)
        self.assertEqual(self.hits(7), first)
        self.assertNotEqual(self.hits(8), first)

    def test_a_seed_that_was_picked_can_be_repeated(self):
        seed, first = self.hits()
        self.assertNotEqual(seed, 0)
        self.assertEqual(self.hits(seed), (seed, first))


if __name__ == "__main__":
    unittest.main()
