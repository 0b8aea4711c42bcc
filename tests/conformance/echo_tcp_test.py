"""Row 1: the TCP echo returns every byte in order, with ASCII a-z in upper case."""

import concurrent.futures
import socket
import threading
import unittest

from tests.conformance.plain_client import connect, receive_exactly, receive_to_end, vanish
from tests.harness.stack import Stack

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")


def exchange(client, text):
    client.sendall(text)
    return receive_exactly(client, len(text))


class EchoTcpTest(unittest.TestCase):
    def setUp(self):
        self.client = connect(stack.address("echo", "tcp"))
        self.addCleanup(self.client.close)

    def test_one_exchange(self):
        self.client.sendall(b"hello")
        self.assertEqual(receive_exactly(self.client, 5), b"HELLO")

    def test_loop_of_exchanges_on_one_connection(self):
        for number in range(1000):
            text = b"message %d" % number
            self.assertEqual(exchange(self.client, text), text.upper())

    def test_every_byte_value_but_a_to_z_is_untouched(self):
        every_byte = bytes(range(256))
        # bytes.upper() changes ASCII letters only, exactly as the protocol says.
        self.assertEqual(exchange(self.client, every_byte), every_byte.upper())

    def test_nul_bytes(self):
        self.assertEqual(exchange(self.client, b"a\0b\0\0c"), b"A\0B\0\0C")

    def test_utf8_passes_through(self):
        text = "straße, 你好, ñandú, 🙂".encode()
        self.assertEqual(exchange(self.client, text).decode(), "STRAßE, 你好, ñANDú, 🙂")

    def test_one_byte_at_a_time(self):
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = b"".join(exchange(self.client, bytes([byte])) for byte in b"one byte at a time")
        self.assertEqual(received, b"ONE BYTE AT A TIME")

    def test_half_close_still_answered(self):
        """What `printf hello | nc -N` does: send, half-close, then read to the end."""
        self.client.sendall(b"hello")
        self.client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_to_end(self.client), b"HELLO")

    def test_nothing_sent_nothing_returned(self):
        self.client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_to_end(self.client), b"")

    def test_large_stream_in_order(self):
        """8 MiB, more than any buffer on the way: the client must read while it writes."""
        payload = b"".join(b"%08x" % number for number in range(1 << 20))
        sender = threading.Thread(target=self._send_all_and_half_close, args=(payload,))
        sender.start()
        received = receive_to_end(self.client)
        sender.join()
        self.assertEqual(len(received), len(payload))
        self.assertTrue(received == payload.upper(), "bytes were changed or reordered")

    def _send_all_and_half_close(self, payload):
        self.client.sendall(payload)
        self.client.shutdown(socket.SHUT_WR)

    def test_client_that_reads_late_loses_nothing(self):
        payload = b"late reader " * 10000
        self.client.sendall(payload)
        self.client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_to_end(self.client), payload.upper())


class ManyClientsTest(unittest.TestCase):
    def test_one_after_another(self):
        for number in range(200):
            with connect(stack.address("echo", "tcp")) as client:
                text = b"client %d" % number
                self.assertEqual(exchange(client, text), text.upper())

    def test_all_connected_before_the_first_speaks(self):
        clients = [connect(stack.address("echo", "tcp")) for _ in range(200)]
        for number, client in enumerate(clients):
            client.sendall(b"client %d" % number)
        for number, client in reversed(list(enumerate(clients))):
            with client:
                expected = b"CLIENT %d" % number
                self.assertEqual(receive_exactly(client, len(expected)), expected)

    def test_at_once(self):
        def converse(number):
            with connect(stack.address("echo", "tcp")) as client:
                return all(exchange(client, b"%d says %d" % (number, i)) == b"%d SAYS %d" % (number, i)
                           for i in range(50))

        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            self.assertTrue(all(pool.map(converse, range(100))))

    def test_client_that_vanishes_harms_nobody(self):
        with connect(stack.address("echo", "tcp")) as good:
            for _ in range(50):
                bad = connect(stack.address("echo", "tcp"))
                bad.sendall(b"half a mess")
                vanish(bad)
                self.assertEqual(exchange(good, b"still here"), b"STILL HERE")

    def test_client_that_never_reads_harms_nobody(self):
        with connect(stack.address("echo", "tcp")) as deaf, connect(stack.address("echo", "tcp")) as good:
            deaf.setblocking(False)
            with self.assertRaises(BlockingIOError):
                while True:
                    deaf.send(b"x" * 65536)
            self.assertEqual(exchange(good, b"still here"), b"STILL HERE")


class IdentityTest(unittest.TestCase):
    def test_transform_identity_is_rfc_862(self):
        own = Stack()
        self.addCleanup(own.stop)
        own.start_service("echo", "--transform=identity")
        with connect(own.address("echo", "tcp")) as client:
            self.assertEqual(exchange(client, b"Hello\0\xff"), b"Hello\0\xff")


if __name__ == "__main__":
    unittest.main()
