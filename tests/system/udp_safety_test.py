"""What keeps UDP answers from harming anybody: none to sources that would answer back, none too many."""

import socket
import unittest

from tests.conformance.plain_client import datagram_socket
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.responders import forge
from tests.harness.stack import Stack

SERVICES = ("echo", "time", "chat")

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    listeners = ["udp=udp://127.0.0.1:0", "udp=udp://127.0.0.1:0"]
    stack.start_service("echo", listeners=listeners)
    stack.start_service("time", listeners=listeners)
    stack.start_service("chat", "--auto_reply=hello", listeners=listeners)
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def counters(service):
    return client.service(service).counters


class ForgedSourceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP).close()
        except PermissionError:
            raise unittest.SkipTest("forging a source port takes a raw socket: run as root") from None

    def assert_unanswered(self, service, source_port):
        before = counters(service)
        forge(source_port, stack.address(service, "udp"))
        wait_until(lambda: counters(service).datagrams_dropped > before.datagrams_dropped, "the datagram as dropped")
        after = counters(service)
        self.assertEqual(after.datagrams_received - before.datagrams_received,
                         after.datagrams_dropped - before.datagrams_dropped)
        self.assertEqual(after.datagrams_sent, before.datagrams_sent)

    def test_source_port_0_and_ports_of_system_services(self):
        for service in SERVICES:
            for port in (0, 1, 7, 19, 53, 1023):
                with self.subTest(service=service, port=port):
                    self.assert_unanswered(service, port)

    def test_the_listeners_own_port(self):
        for service in SERVICES:
            with self.subTest(service=service):
                self.assert_unanswered(service, stack.address(service, "udp")[1])

    def test_another_listener_of_the_same_service(self):
        for service in SERVICES:
            with self.subTest(service=service):
                self.assert_unanswered(service, stack.address(service, "udp-2")[1])

    def test_forgery_itself_works(self):
        """From an ordinary port, a forged datagram is answered: the tests above see the rule, not a broken forgery."""
        before = counters("echo")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as real:
            real.bind(("127.0.0.1", 0))
            forge(real.getsockname()[1], stack.address("echo", "udp"))
            wait_until(lambda: counters("echo").datagrams_sent == before.datagrams_sent + 1, "the answer")

    def test_default_ports_of_other_services(self):
        """Those run in processes of their own; an answer to one of them would be answered in turn, and so on."""
        for service in SERVICES:
            for port in (8080, 8081, 9000):
                with self.subTest(service=service, port=port):
                    self.assert_unanswered(service, port)


class FloodTest(unittest.TestCase):
    def test_flood_from_one_peer_harms_no_other(self):
        with datagram_socket(stack.address("echo", "udp")) as flooder:
            flooder.setblocking(False)
            for _ in range(20_000):
                try:
                    flooder.send(b"flood" * 200)
                except BlockingIOError:
                    pass
            with datagram_socket(stack.address("echo", "udp-2")) as visitor:
                visitor.send(b"hello")
                self.assertEqual(visitor.recv(64), b"hi")

    def test_peer_that_is_gone_is_counted_and_no_more(self):
        """Its answers come back as ICMP errors; those must not end the listener or eat the next datagram."""
        for _ in range(200):
            with datagram_socket(stack.address("echo", "udp")) as visitor:
                visitor.send(b"and gone")
        with datagram_socket(stack.address("echo", "udp")) as visitor:
            visitor.send(b"hello")
            self.assertEqual(visitor.recv(64), b"hi")


if __name__ == "__main__":
    unittest.main()
