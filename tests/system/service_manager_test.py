"""Under a service manager such as systemd: sockets that it has bound, what it hears, its watchdog."""

import socket
import unittest

from tests.conformance.plain_client import connect, receive_exactly
from tests.harness.deadlines import PATIENCE
from tests.harness.service_manager import ServiceManager

PROGRAMS = ("echo", "exec", "time", "file", "chat", "gateway")
LISTENER_ROLES = {"echo": "tcp", "exec": "raw", "file": "tcp", "time": "udp", "chat": "udp", "gateway": "grpc"}
WATCHDOG_S = 0.5


class ServiceManagerTest(unittest.TestCase):
    def setUp(self):
        self.manager = ServiceManager()
        self.addCleanup(self.manager.close)

    def program(self, name, *flags, **options):
        """On free ports, with state of its own."""
        role = LISTENER_ROLES[name]
        usual = [f"--listen={role}={'udp' if role == 'udp' else 'tcp'}://127.0.0.1:0"]
        if name != "gateway":
            usual.append("--rpc_listen=tcp://127.0.0.1:0")
        if name == "file":
            usual.append(f"--root={self.manager.folder / 'files'}")
        if name == "chat":
            usual.append(f"--history={self.manager.folder / 'chat'}")
        program = self.manager.program(name, *usual, *flags, **options)
        self.addCleanup(lambda: program.process and program.alive() and program.kill())
        return program


class NoticesTest(ServiceManagerTest):
    def test_every_program_says_when_it_is_ready_and_when_it_stops(self):
        for name in PROGRAMS:
            with self.subTest(program=name):
                program = self.program(name, "--grace=7s").start()
                ready = self.manager.notice()
                self.assertEqual(ready["READY"], "1")
                self.assertRegex(ready["STATUS"], "^Serving at [1-9]")
                program.stop()
                stopping = self.manager.notice()
                self.assertEqual(stopping["STOPPING"], "1")
                self.assertGreater(int(stopping["EXTEND_TIMEOUT_USEC"]), 7e6)

    def test_a_program_that_cannot_start_is_never_ready(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        program = self.program("echo", f"--listen=tcp=tcp://127.0.0.1:{taken.getsockname()[1]}").spawn()
        program.expect_exit(1)
        with self.assertRaises(BlockingIOError):
            self.manager.notice(timeout=0)


class WatchdogTest(ServiceManagerTest):
    """That nothing is said while a loop is stuck is in runtime/host/watchdog_test.cc."""

    def test_every_program_says_again_and_again_that_it_is_alive(self):
        for name in PROGRAMS:
            with self.subTest(program=name):
                program = self.program(name, watchdog_s=WATCHDOG_S).start()
                for _ in range(3):
                    self.assertEqual(self.manager.notice_with("WATCHDOG")["WATCHDOG"], "1")
                program.stop()
                self.manager.notice_with("STOPPING")

    def test_without_one_nothing_is_said(self):
        program = self.program("echo").start()
        self.manager.notice_with("READY")
        program.stop()
        self.assertIn("STOPPING", self.manager.notice())


class SocketActivationTest(ServiceManagerTest):
    def echo_of(self, address):
        with connect(address) as client:
            client.sendall(b"abc")
            return receive_exactly(client, 3)

    def test_clients_that_came_before_the_program_are_served(self):
        address = self.manager.bind()
        with connect(address) as early:
            early.sendall(b"abc")
            program = self.program("echo", f"--listen=tcp=tcp://127.0.0.1:{address[1]}").start()
            self.assertEqual(receive_exactly(early, 3), b"ABC")
        self.assertEqual(program.address("tcp"), address)
        program.stop()

    def test_a_datagram_that_came_before_the_program_is_answered(self):
        address = self.manager.bind(socket.SOCK_DGRAM)
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.sendto(b"%Y", address)
            program = self.program("time", f"--listen=udp=udp://127.0.0.1:{address[1]}").start()
            self.assertRegex(client.recv(100), rb"^\d{4}$")
        program.stop()

    def test_clients_wait_for_the_next_process_while_there_is_none(self):
        address = self.manager.bind()
        listen = f"--listen=tcp=tcp://127.0.0.1:{address[1]}"
        self.program("echo", listen).start().stop()
        with connect(address) as client:
            client.sendall(b"abc")
            program = self.program("echo", listen).start()
            self.assertEqual(receive_exactly(client, 3), b"ABC")
        program.stop()

    def test_sockets_of_both_families_and_kinds_go_to_the_listeners_of_their_addresses(self):
        four, six = self.manager.bind(), self.manager.bind(family=socket.AF_INET6, host="::1")
        datagrams = self.manager.bind(socket.SOCK_DGRAM)
        program = self.program("echo", f"--listen=tcp=tcp://[::1]:{six[1]},udp=udp://127.0.0.1:{datagrams[1]},"
                                       f"tcp=tcp://127.0.0.1:{four[1]}").start()
        self.assertEqual((self.echo_of(four), self.echo_of(six)), (b"ABC", b"ABC"))
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.sendto(b"hello", datagrams)
            self.assertEqual(client.recv(100), b"hi")
        program.stop()

    def test_a_socket_that_no_listener_is_for_is_an_error_and_stays_as_it_was(self):
        address = self.manager.bind()
        for name in ("echo", "gateway"):
            with self.subTest(program=name):
                program = self.program(name).spawn()
                program.expect_exit(2)
                self.assertIn(f"tcp://127.0.0.1:{address[1]}", program.log_tail())
        with connect(address):
            pass

    def test_the_gateway_takes_sockets_too(self):
        grpc, http = self.manager.bind(), self.manager.bind()
        with connect(http) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            program = self.program("gateway", f"--listen=grpc=tcp://127.0.0.1:{grpc[1]}",
                                   f"--http_listen=tcp://127.0.0.1:{http[1]}").start()
            self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200"))
        program.stop()

    def test_commands_do_not_hear_of_the_service_manager(self):
        address = self.manager.bind()
        program = self.program("exec", f"--listen=raw=tcp://127.0.0.1:{address[1]}",
                               f"--work_dir={self.manager.folder}", watchdog_s=60).start()
        with connect(address) as client:
            client.sendall(b"env\n")
            client.shutdown(socket.SHUT_WR)
            environment = b"".join(iter(lambda: client.recv(65536), b"")).decode()
        self.assertIn("PATH=", environment)
        for variable in ("LISTEN_", "NOTIFY_SOCKET", "WATCHDOG_"):
            self.assertNotIn(variable, environment)
        program.stop()


if __name__ == "__main__":
    unittest.main()
