"""Row 11: stop, start and use every service through the gateway, as its operator does with `rawgate`, while plain
sockets see the effect. Clients in other languages are in tests/grpc."""

import re
import subprocess
import unittest

from tests.conformance.plain_client import connect, datagram_socket, receive_exactly
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.ports import stable_port
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import Stack

stack = None


def setUpModule():
    global stack
    stack = Stack(stable_ports=True)
    unittest.addModuleCleanup(stack.stop)
    stack.start_all()
    wait_until(lambda: b"unreachable" not in rawgate("ps").stdout.lower(), "the gateway's first word from every service")


def rawgate(*words, stdin=b""):
    """Runs the command-line client against our gateway."""
    return subprocess.run([BIN_DIR / "rawgate", *words], input=stdin, capture_output=True, timeout=PATIENCE,
                          env=clean_environment(RAWGATE_GATEWAY=stack.gateway_target), cwd=stack.directory)


class CommandLineTest(unittest.TestCase):
    def output_of(self, *words, stdin=b""):
        result = rawgate(*words, stdin=stdin)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result.stdout


class StopAndStartTest(CommandLineTest):
    def test_stopped_stream_service_refuses_and_started_one_is_back_on_the_same_port(self):
        address = stack.address("echo", "tcp")
        self.output_of("stop", "echo")
        with self.assertRaises(ConnectionRefusedError):
            connect(address)
        self.output_of("start", "echo")
        with connect(address) as client:
            client.sendall(b"back")
            self.assertEqual(receive_exactly(client, 4), b"BACK")

    def test_stopped_datagram_service_is_silent_and_started_one_answers(self):
        address = stack.address("time", "udp")
        self.output_of("stop", "time")
        with datagram_socket(address) as client, self.assertRaises(ConnectionRefusedError):
            client.send(b"anybody?")  # nobody is bound: the kernel says so
            client.recv(64)
        self.output_of("start", "time")
        with datagram_socket(address) as client:
            client.send(b"back")
            self.assertEqual(client.recv(64), b"back")

    def test_twice_is_as_good_as_once(self):
        for command in ("stop", "stop", "start", "start"):
            self.output_of(command, "file")

    def test_ps_shows_the_state(self):
        self.output_of("stop", "chat")
        row = next(line for line in self.output_of("ps").decode().splitlines() if line.startswith("chat"))
        self.assertRegex(row.lower(), "stopped")
        self.output_of("start", "chat")
        row = next(line for line in self.output_of("ps").decode().splitlines() if line.startswith("chat"))
        self.assertRegex(row.lower(), "running")

    def test_ps_lists_all_services(self):
        text = self.output_of("ps").decode()
        for service in ("echo", "exec", "time", "file", "chat"):
            self.assertRegex(text, rf"(?m)^{service}\b")

    def test_unknown_service(self):
        result = rawgate("stop", "nosuch")
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"nosuch", result.stderr)


class OperationsTest(CommandLineTest):
    def test_echo(self):
        self.assertEqual(self.output_of("echo", "hello").strip(), b"HELLO")

    def test_date(self):
        self.assertRegex(self.output_of("date", "%H:%M").decode(), re.compile(r"^\d\d:\d\d\n$"))

    def test_run_has_the_remote_output_and_exit_code(self):
        result = rawgate("run", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
        self.assertEqual((result.stdout, result.stderr, result.returncode), (b"out\n", b"err\n", 7))

    def test_put_and_get(self):
        content = bytes(range(256)) * 4096
        (stack.directory / "local.bin").write_bytes(content)
        self.output_of("put", "local.bin")
        self.assertEqual((stack.file_root / "local.bin").read_bytes(), content)
        (stack.directory / "local.bin").unlink()
        self.output_of("get", "local.bin")
        self.assertEqual((stack.directory / "local.bin").read_bytes(), content)

    def test_get_of_missing_file(self):
        result = rawgate("get", "missing.txt")
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"missing.txt", result.stderr)

    def test_no_gateway(self):
        target = f"127.0.0.1:{stable_port()}"
        result = rawgate("--gateway", target, "ps")
        self.assertEqual(result.returncode, 1)
        self.assertIn(target.encode(), result.stderr)


if __name__ == "__main__":
    unittest.main()
