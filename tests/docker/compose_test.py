"""`docker compose up`: six healthy containers, each used through its published port and through the published gateway."""

import errno
import json
import os
import subprocess
import unittest
import urllib.request

from tests.conformance.exec_client import receive_reply
from tests.conformance.file_client import upload
from tests.conformance.plain_client import connect, datagram_socket, receive_exactly, receive_size, receive_to_end
from tests.docker import engine as engines
from tests.docker.stack import SERVICES, ComposeStack
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.program import BIN_DIR, clean_environment

stack = None


def setUpModule():
    global stack
    stack = unittest.enterModuleContext(ComposeStack(engines.engine_or_skip()))


class ComposeTest(unittest.TestCase):
    def cli(self, *words):
        result = subprocess.run([BIN_DIR / "rawgate", *words], capture_output=True, timeout=PATIENCE, check=False,
                                env=clean_environment(RAWGATE_GATEWAY=stack.gateway_target))
        self.assertEqual(result.returncode, 0, result.stderr.decode(errors="replace"))
        return result.stdout

    def connect(self, service, listener):
        client = connect(stack.address(service, listener))
        self.addCleanup(client.close)
        return client

    def command(self, listener, line):
        client = self.connect("exec", listener)
        client.sendall(line)
        return client


class UseTest(ComposeTest):
    def test_echo(self):
        client = self.connect("echo", "tcp")
        client.sendall(b"hello")
        self.assertEqual(receive_exactly(client, 5), b"HELLO")
        with datagram_socket(stack.address("echo", "udp")) as client:
            client.send(b"hello")
            self.assertEqual(client.recv(64), b"hi")
        self.assertEqual(self.cli("echo", "hello").strip(), b"HELLO")

    def test_exec_runs_as_the_unprivileged_user(self):
        self.assertEqual(receive_exactly(self.command("raw", b"id -u\n"), 6), b"10001\n")
        self.assertEqual(receive_size(self.command("sized", b"id -u\n")), 6)
        header, output = receive_reply(self.command("header", b"id -u\n"))
        self.assertEqual((header["exit_code"], output), (0, b"10001\n"))
        self.assertEqual(self.cli("run", "--", "id", "-u"), b"10001\n")

    def test_commands_cannot_write_the_file_system(self):
        client = self.command("header", b"touch /usr/local/bin/x /var/lib/rawgate/x 2>/dev/null; echo $?\n")
        self.assertEqual(receive_reply(client)[1], b"1\n")

    def test_time(self):
        with datagram_socket(stack.address("time", "udp")) as client:
            client.send(b"%Y-%m-%d %X")
            self.assertRegex(client.recv(64), rb"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
        self.assertEqual(self.cli("date", "still").strip(), b"still")

    def test_file_goes_in_raw_and_comes_out_typed(self):
        content = os.urandom(100_000)
        self.assertEqual(upload(self.connect("file", "tcp"), "smoke.bin", content)["status"], "ok")
        self.assertEqual(self.cli("get", "smoke.bin", "--output", "-"), content)

    def test_chat_message_reaches_the_desk(self):
        with datagram_socket(stack.address("chat", "udp")) as client:
            client.send(b"is anybody there?")
            wait_until(lambda: b"chat/udp" in self.cli("connections"), "the session in the list")

    def test_http(self):
        url = "http://{}:{}/rawgate.time.v1.TimeService/GetTime".format(*stack.address("gateway", "http"))
        request = urllib.request.Request(url, b'{"format": "still"}', {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            self.assertEqual(json.load(answer)["formatted"], "still")


class ControlTest(ComposeTest):
    def test_every_service_is_running(self):
        listing = json.loads(self.cli("ps", "--json"))
        states = {each["name"]: each["state"] for each in listing["services"]}
        self.assertEqual(states, {name: "SERVICE_STATE_RUNNING" for name in SERVICES if name != "gateway"})

    def test_stop_is_seen_outside_and_start_brings_it_back(self):
        self.cli("stop", "exec/raw")
        # Docker's proxy accepts and then hangs up; how that looks depends on who is quicker.
        try:
            self.assertEqual(receive_to_end(self.command("raw", b"id -u\n")), b"")
        except OSError as error:
            self.assertIn(error.errno, (errno.ECONNRESET, errno.ENOTCONN, errno.EPIPE))
        self.cli("start", "exec/raw")
        self.assertEqual(receive_exactly(self.command("raw", b"id -u\n"), 6), b"10001\n")


if __name__ == "__main__":
    unittest.main()
