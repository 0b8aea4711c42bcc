"""Row 10, in one table: every listener of every service over IPv4, over IPv6 and over Unix sockets.

Each family has a whole rawgate of its own, whose gateway reaches the services over that family too."""

import collections
import json
import socket
import unittest

from tests.conformance import exec_client
from tests.conformance.clock_answers import check_daytime, check_seconds
from tests.conformance.file_client import download, upload
from tests.conformance.plain_client import connect, datagram_socket, receive_exactly, receive_size, receive_to_end
from tests.harness import rpc
from tests.harness.responders import NTP_REQUEST
from tests.harness.stack import Stack, listener_names

Family = collections.namedtuple("Family", "name stream datagram number transports")
FAMILIES = (
    Family("v4", "tcp://127.0.0.1:0", "udp://127.0.0.1:0", socket.AF_INET, ("TCP", "UDP")),
    Family("v6", "tcp://[::1]:0", "udp://[::1]:0", socket.AF_INET6, ("TCP", "UDP")),
    Family("unix", "unix://{path}", "unixgram://{path}", socket.AF_UNIX, ("UNIX", "UNIX_DATAGRAM")),
)

# What clients do on each listener. Each takes a test and a connected socket.


def echo(test, client):
    client.sendall(b"hello")
    client.shutdown(socket.SHUT_WR)
    test.assertEqual(receive_to_end(client), b"HELLO")


def echo_datagram(test, client):
    client.send(b"x")
    test.assertEqual(client.recv(64), b"hi")


def discard(test, client):
    client.sendall(b"hello")
    client.shutdown(socket.SHUT_WR)
    test.assertEqual(receive_to_end(client), b"")


def discard_datagram(test, client):
    client.send(b"x")
    client.setblocking(False)
    with test.assertRaises(BlockingIOError):
        client.recv(64)


def chargen(test, client):
    test.assertEqual(receive_exactly(client, 76), bytes(range(32, 104)) + b"\r\n!\"")


def exec_raw(test, client):
    client.sendall(b"echo hello")
    test.assertEqual(receive_exactly(client, 6), b"hello\n")


def exec_sized(test, client):
    client.sendall(b"echo hello\n")
    test.assertEqual(receive_exactly(client, receive_size(client)), b"hello\n")


def exec_header(test, client):
    client.sendall(b"echo hello\n")
    header = json.loads(receive_exactly(client, receive_size(client)))
    test.assertEqual(receive_exactly(client, header["total_size"]), b"hello\n")


def exec_framed(test, client):
    client.sendall(exec_client.packed_request(argv=["echo", "hello"]))
    test.assertEqual(exec_client.receive_reply(client)[1], b"hello\n")


def strftime(test, client):
    client.send(b"x%%y")
    test.assertEqual(client.recv(64), b"x%y")


def daytime(test, client):
    check_daytime(test, receive_to_end(client))


def daytime_datagram(test, client):
    client.send(b"what time is it?")
    check_daytime(test, client.recv(256))


def seconds_since_1900(test, client):
    check_seconds(test, receive_to_end(client))


def seconds_since_1900_datagram(test, client):
    client.send(b"")
    check_seconds(test, client.recv(64))


def ntp(test, client):
    client.send(NTP_REQUEST)
    answer = client.recv(128)
    # Version 4, mode 4, and what the request had as its time of sending.
    test.assertEqual((len(answer), answer[0] & 0x3f, answer[24:32]), (48, 0x24, NTP_REQUEST[40:]))


def file(test, client):
    test.assertEqual(upload(client, "name", b"content")["status"], "ok")
    test.assertEqual(download(client, "name")[1], b"content")


def chat(test, client):
    client.send(b"anybody there?")
    test.assertEqual(client.recv(64), b"hello")


STREAM, DATAGRAM = 0, 1
Row = collections.namedtuple("Row", "service role kind exchange")
TABLE = (
    Row("echo", "tcp", STREAM, echo),
    Row("echo", "udp", DATAGRAM, echo_datagram),
    Row("echo", "discard", STREAM, discard),
    Row("echo", "discard", DATAGRAM, discard_datagram),
    Row("echo", "chargen", STREAM, chargen),
    Row("exec", "raw", STREAM, exec_raw),
    Row("exec", "sized", STREAM, exec_sized),
    Row("exec", "header", STREAM, exec_header),
    Row("exec", "framed", STREAM, exec_framed),
    Row("time", "udp", DATAGRAM, strftime),
    Row("time", "daytime", STREAM, daytime),
    Row("time", "daytime", DATAGRAM, daytime_datagram),
    Row("time", "time", STREAM, seconds_since_1900),
    Row("time", "time", DATAGRAM, seconds_since_1900_datagram),
    Row("time", "ntp", DATAGRAM, ntp),
    Row("file", "tcp", STREAM, file),
    Row("chat", "udp", DATAGRAM, chat),
)
SERVICES = ("echo", "exec", "time", "file", "chat")
FLAGS = {"chat": ["--auto_reply=hello"]}


def rows_of(service):
    """(name of the listener, row) of each."""
    rows = [row for row in TABLE if row.service == service]
    return list(zip(listener_names(row.role for row in rows), rows))


class Rawgate:
    """All services and the gateway, every address of one family."""

    def __init__(self, family):
        self.family = family
        self.stack = Stack()

    def start(self):
        for service in SERVICES:
            listeners = [f"{row.role}={self._address(service, name, row.kind)}" for name, row in rows_of(service)]
            self.stack.start_service(service, *FLAGS.get(service, ()), listeners=listeners,
                                     rpc=self._address(service, "rpc", STREAM))
        self.stack.start_gateway(f"--listen=grpc={self._address('gateway', 'grpc', STREAM)}")

    def _address(self, service, name, kind):
        pattern = self.family.datagram if kind == DATAGRAM else self.family.stream
        return pattern.format(path=self.stack.directory / f"{service}-{name}.sock")


class FamiliesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rawgates = []
        for family in FAMILIES:
            rawgate = Rawgate(family)
            cls.addClassCleanup(rawgate.stack.stop)
            rawgate.start()
            cls.rawgates.append(rawgate)

    def test_every_listener_over_every_family(self):
        for rawgate in self.rawgates:
            for service in SERVICES:
                for name, row in rows_of(service):
                    with self.subTest(service=service, listener=name, family=rawgate.family.name):
                        address = rawgate.stack.address(service, name)
                        with (datagram_socket if row.kind == DATAGRAM else connect)(address) as client:
                            self.assertEqual(client.family, rawgate.family.number)
                            row.exchange(self, client)

    def test_every_rpc_address_over_every_family(self):
        for rawgate in self.rawgates:
            for service in SERVICES:
                with self.subTest(service=service, family=rawgate.family.name):
                    self.check_listeners(rpc.Client(rawgate.stack.programs[service].rpc_target), service, rawgate.family)

    def test_every_service_through_the_gateway_over_every_family(self):
        for rawgate in self.rawgates:
            client = rpc.client_of(rawgate.stack)
            self.addCleanup(client.close)
            for service in SERVICES:
                with self.subTest(service=service, family=rawgate.family.name):
                    self.check_listeners(client, service, rawgate.family)

    def check_listeners(self, client, service, family):
        """What a service says of itself is what was asked for."""
        self.addCleanup(client.close)
        listeners = client.service(service).listeners
        self.assertEqual({(each.name, rpc.control.Transport.Name(each.transport), rpc.control.ServiceState.Name(each.state))
                          for each in listeners},
                         {(name, f"TRANSPORT_{family.transports[row.kind]}", "SERVICE_STATE_RUNNING")
                          for name, row in rows_of(service)})


class UnixPathTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)

    def check(self, scheme, role, exchange):
        path = self.stack.directory / f"{role}.sock"
        listeners = [f"{role}={scheme}://{path}"]
        self.stack.start_service("echo", listeners=listeners).kill()
        self.assertTrue(path.exists(), "a killed process cannot have removed it")
        self.stack.start_service("echo", listeners=listeners)
        exchange(str(path))
        self.stack.programs.pop("echo").stop()
        self.assertFalse(path.exists())

    def test_path_of_a_stream_is_removed_at_the_end_and_a_stale_one_is_replaced(self):
        def exchange(path):
            with connect(path) as client:
                echo(self, client)
        self.check("unix", "tcp", exchange)

    def test_path_of_datagrams_is_removed_at_the_end_and_a_stale_one_is_replaced(self):
        def exchange(path):
            with datagram_socket(path) as client:
                echo_datagram(self, client)
        self.check("unixgram", "udp", exchange)

    def test_client_with_a_name_that_is_no_path_is_answered(self):
        path = str(self.stack.directory / "udp.sock")
        self.stack.start_service("echo", listeners=[f"udp=unixgram://{path}"])
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.settimeout(rpc.PATIENCE)
            client.bind("")  # unix(7): the kernel gives it an abstract name
            client.connect(path)
            echo_datagram(self, client)

    def test_client_without_a_name_harms_nobody(self):
        """It cannot be answered; the next one is."""
        path = str(self.stack.directory / "udp.sock")
        self.stack.start_service("echo", listeners=[f"udp=unixgram://{path}"])
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as nameless:
            nameless.sendto(b"x", path)
        with datagram_socket(path) as client:
            echo_datagram(self, client)


if __name__ == "__main__":
    unittest.main()
