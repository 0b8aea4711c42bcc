"""Row 10: IPv4, IPv6 and Unix-domain sockets for every stream service, IPv4 and IPv6 for every datagram service."""

import json
import socket
import unittest

from tests.conformance.file_client import download, upload
from tests.conformance.plain_client import connect, datagram_socket, receive_exactly, receive_size, receive_to_end
from tests.harness.stack import Stack

stack = None


def stream_listeners(service, *names):
    """Each listener on IPv4, on IPv6 and on a Unix socket, which are then called NAME, NAME-2 and NAME-3."""
    return [f"{name}={address}" for name in names for address in
            ("tcp://127.0.0.1:0", "tcp://[::1]:0", f"unix://{stack.directory}/{service}-{name}.sock")]


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo", listeners=stream_listeners("echo", "tcp") + ["udp=udp://127.0.0.1:0", "udp=udp://[::1]:0"])
    stack.start_service("exec", listeners=stream_listeners("exec", "raw", "sized", "header"))
    stack.start_service("file", listeners=stream_listeners("file", "tcp"))
    stack.start_service("time")
    stack.start_service("chat", "--auto_reply=hello")


def names(listener):
    return (listener, f"{listener}-2", f"{listener}-3")


class StreamTest(unittest.TestCase):
    def assert_family(self, listener, client):
        expected = {"2": socket.AF_INET6, "3": socket.AF_UNIX}.get(listener[-1], socket.AF_INET)
        self.assertEqual(client.family, expected)

    def each(self, service, listener):
        """A connection of every family in turn."""
        for name in names(listener):
            with self.subTest(listener=name), connect(stack.address(service, name)) as client:
                self.assert_family(name, client)
                yield client

    def test_echo(self):
        for client in self.each("echo", "tcp"):
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(receive_to_end(client), b"HELLO")

    def test_exec_raw(self):
        for client in self.each("exec", "raw"):
            client.sendall(b"echo hello")
            self.assertEqual(receive_exactly(client, 6), b"hello\n")

    def test_exec_sized(self):
        for client in self.each("exec", "sized"):
            client.sendall(b"echo hello\n")
            self.assertEqual(receive_exactly(client, receive_size(client)), b"hello\n")

    def test_exec_header(self):
        for client in self.each("exec", "header"):
            client.sendall(b"echo hello\n")
            header = json.loads(receive_exactly(client, receive_size(client)))
            self.assertEqual(receive_exactly(client, header["total_size"]), b"hello\n")

    def test_file(self):
        for client in self.each("file", "tcp"):
            name = f"by-{client.family.name}"
            self.assertEqual(upload(client, name, b"content")["status"], "ok")
            self.assertEqual(download(client, name)[1], b"content")


class DatagramTest(unittest.TestCase):
    def ask(self, service, listener, payload):
        with datagram_socket(stack.address(service, listener)) as client:
            client.send(payload)
            return client.recv(2048)

    def test_both_families(self):
        for service, expected in (("echo", b"hi"), ("time", b"x"), ("chat", b"hello")):
            for listener in ("udp", "udp-2"):
                with self.subTest(service=service, listener=listener):
                    self.assertEqual(self.ask(service, listener, b"x"), expected)

    def test_families_are_what_they_say(self):
        self.assertEqual(stack.address("echo", "udp")[0], "127.0.0.1")
        self.assertEqual(stack.address("echo", "udp-2")[0], "::1")


class UnixPathTest(unittest.TestCase):
    def test_path_is_removed_at_the_end_and_a_stale_one_is_replaced(self):
        own = Stack()
        self.addCleanup(own.stop)
        path = own.directory / "echo.sock"
        listeners = [f"tcp=unix://{path}"]
        own.start_service("echo", listeners=listeners).kill()
        self.assertTrue(path.exists(), "a killed process cannot have removed it")
        own.start_service("echo", listeners=listeners)
        with connect(str(path)) as client:
            client.sendall(b"hello")
            self.assertEqual(receive_exactly(client, 5), b"HELLO")
        own.programs.pop("echo").stop()
        self.assertFalse(path.exists())


if __name__ == "__main__":
    unittest.main()
