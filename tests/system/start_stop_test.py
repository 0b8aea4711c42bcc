"""Stop and start while clients keep coming: refusal at once, the same port afterwards, nobody left half served."""

import socket
import threading
import unittest

from tests.conformance.plain_client import (
    connect, datagram_socket, receive_exactly, receive_size, receive_to_end, refuses)
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack

STREAM_PORTS = [("echo", "tcp"), ("exec", "raw"), ("exec", "sized"), ("exec", "header"), ("file", "tcp")]
DATAGRAM_PORTS = [("echo", "udp"), ("time", "udp"), ("chat", "udp")]

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack(stable_ports=True)
    unittest.addModuleCleanup(stack.stop)
    stack.start_all()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


class EchoLoad:
    """Clients that connect and exchange without a pause, and count how it went."""

    def __init__(self, address, clients):
        self.address = address
        self.served = self.refused = self.cut = 0
        self.wrong = []
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def run(self):
        while not self.stopping.is_set():
            outcome = self.converse()
            with self.lock:
                setattr(self, outcome, getattr(self, outcome) + 1)

    def converse(self):
        """One connection of several exchanges: served, refused at the door, or cut off by the stop."""
        try:
            with connect(self.address) as raw:
                for number in range(5):
                    text = b"exchange %d" % number
                    raw.sendall(text)
                    answer = receive_exactly(raw, len(text))
                    if answer != text.upper():
                        self.wrong.append(answer)
            return "served"
        except ConnectionRefusedError:
            return "refused"
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return "cut"


class UnderLoadTest(unittest.TestCase):
    def test_echo_is_stopped_and_started_ten_times(self):
        address = stack.address("echo", "tcp")
        with EchoLoad(address, clients=8) as load:
            for _ in range(10):
                self.assert_count_grows(load, "served")
                client.stop("echo", grace_ms=2000)
                with self.assertRaises(ConnectionRefusedError):
                    connect(address)
                self.assert_count_grows(load, "refused")
                client.start("echo")
                with connect(address) as raw:
                    raw.sendall(b"back")
                    self.assertEqual(receive_exactly(raw, 4), b"BACK")
            self.assert_count_grows(load, "served")
        self.assertEqual(load.wrong, [])
        wait_until(lambda: client.service("echo").counters.connections_open == 0, "the end of every connection")

    def assert_count_grows(self, load, outcome):
        before = getattr(load, outcome)
        wait_until(lambda: getattr(load, outcome) > before + 20, f"20 more clients {outcome}")


class EveryPortTest(unittest.TestCase):
    def test_streams_refuse_once_stop_has_returned_and_accept_once_start_has(self):
        for service, listener in STREAM_PORTS:
            with self.subTest(service=service, listener=listener):
                address = stack.address(service, listener)
                client.stop(service, listener)
                with self.assertRaises(ConnectionRefusedError):
                    connect(address)
                client.start(service, listener)
                connect(address).close()

    def test_datagrams_are_refused_by_the_kernel_once_stop_has_returned(self):
        for service, listener in DATAGRAM_PORTS:
            with self.subTest(service=service, listener=listener):
                address = stack.address(service, listener)
                client.stop(service, listener)
                with datagram_socket(address) as raw, self.assertRaises(ConnectionRefusedError):
                    raw.send(b"x")
                    raw.recv(64)
                before = client.service(service).counters.datagrams_received
                client.start(service, listener)
                with datagram_socket(address) as raw:
                    raw.send(b"x")
                    wait_until(lambda: client.service(service).counters.datagrams_received > before, "the datagram")


class GraceTest(unittest.TestCase):
    def test_request_in_progress_is_finished(self):
        gate = stack.scratch / "grace-gate"
        with connect(stack.address("exec", "sized")) as raw:
            started = stack.scratch / "grace-started"
            raw.sendall(b"touch %s; until [ -e %s ]; do sleep 0.01; done; echo finished\n"
                        % (bytes(started), bytes(gate)))
            wait_until(started.exists, "the start of the command")
            stopper = threading.Thread(target=client.stop, args=("exec",), kwargs={"grace_ms": 20000})
            stopper.start()
            self.addCleanup(client.start, "exec")
            wait_until(lambda: refuses(stack.address("exec", "sized")), "refusal of new clients")
            self.assertTrue(stopper.is_alive(), "the stop did not wait")
            gate.touch()
            self.assertEqual(receive_exactly(raw, receive_size(raw)), b"finished\n")
            self.assertEqual(receive_to_end(raw), b"")
            stopper.join()

    def test_request_that_outlasts_the_grace_is_ended(self):
        with connect(stack.address("exec", "sized")) as raw:
            started = stack.scratch / "outlast-started"
            raw.sendall(b"touch %s; sleep 1000\n" % bytes(started))
            wait_until(started.exists, "the start of the command")
            self.addCleanup(client.start, "exec")
            self.assertEqual(client.stop("exec", grace_ms=100).state, rpc.control.SERVICE_STATE_STOPPED)
            with self.assertRaises((EOFError, ConnectionResetError)):
                receive_exactly(raw, 5)

    def test_idle_connections_hold_up_no_stop(self):
        """With a grace of minutes, only at once or far too late is possible."""
        idle = [connect(stack.address("echo", "tcp")) for _ in range(20)]
        for raw in idle:
            self.addCleanup(raw.close)
            raw.sendall(b"x")  # so that each has been accepted, not only queued
            self.assertEqual(receive_exactly(raw, 1), b"X")
        self.addCleanup(client.start, "echo")
        client.stop("echo", grace_ms=300_000)
        for raw in idle:
            self.assertEqual(raw.recv(1), b"")


class AddressInUseTest(unittest.TestCase):
    def test_restart_while_old_connections_linger_in_time_wait(self):
        """The side that closes first keeps the port in TIME_WAIT; a listener must come back all the same."""
        address = stack.address("echo", "tcp")
        for _ in range(5):
            raws = [connect(address) for _ in range(10)]
            client.stop("echo", grace_ms=0)
            client.start("echo")
            for raw in raws:
                raw.close()
        with connect(address) as raw:
            raw.sendall(b"x")
            raw.shutdown(socket.SHUT_WR)
            self.assertEqual(receive_to_end(raw), b"X")


if __name__ == "__main__":
    unittest.main()
