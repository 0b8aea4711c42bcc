"""Builds the image, starts docker-compose.yml with it, and uses every service through its published port.

The programs are those that are built already; `docker compose up --build` compiles them instead, in the same Dockerfile.
Exit status: 0 passed, 1 failed, 77 skipped, since no engine can be had.
"""

import argparse
import errno
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import unittest
import urllib.request

from tests.docker import engine as engines
from tests.harness.deadlines import wait_until
from tests.harness.ports import stable_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEALTHY_WITHIN_S = 60
ANSWER_WITHIN_S = 10
SKIPPED = 77
SERVICES = ("echo", "exec", "time", "file", "chat", "gateway")
# Variables of docker-compose.yml.
PORTS = ("ECHO", "EXEC_RAW", "EXEC_SIZED", "EXEC_HEADER", "EXEC_FRAMED", "TIME", "FILE", "CHAT", "GATEWAY", "GATEWAY_HTTP")


class Stack:
    """The six containers, up and healthy."""

    def __init__(self, engine, image):
        self.engine = engine
        self.ports = {name: stable_port() for name in PORTS}
        self._environment = {f"RAWGATE_{name}_PORT": str(port) for name, port in self.ports.items()}
        self._environment["RAWGATE_IMAGE"] = image
        self._project = f"rawgate-smoke-{os.getpid()}"

    def __enter__(self):
        try:
            self._compose("up", "-d", "--no-build")
            self._await_health()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._compose("down", "--volumes", "--timeout", "10")

    def containers(self):
        """What `docker inspect` says of each, by service."""
        names = self._compose("ps", "-q").stdout.split()
        described = json.loads(self.engine.docker("inspect", *names).stdout)
        return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in described}

    def _compose(self, *arguments):
        return self.engine.compose(
            "-f", str(ROOT / "docker-compose.yml"), "-p", self._project, *arguments, environment=self._environment
        )

    def _await_health(self):
        def healthy():
            health = {name: each["State"]["Health"]["Status"] for name, each in self.containers().items()}
            return set(health) == set(SERVICES) and set(health.values()) == {"healthy"}

        try:
            wait_until(healthy, "the health of every container", HEALTHY_WITHIN_S)
        except AssertionError as failure:
            raise RuntimeError(f"{failure}\n{self._compose('ps').stdout}\n{self._compose('logs').stdout}") from None


class SmokeTest(unittest.TestCase):
    stack = None
    rawgate = None

    def exchange(self, port, request):
        """Sends, half-closes, and returns all that comes back."""
        with socket.create_connection(("127.0.0.1", self.stack.ports[port]), ANSWER_WITHIN_S) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def ask(self, port, request):
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.settimeout(ANSWER_WITHIN_S)
            client.sendto(request, ("127.0.0.1", self.stack.ports[port]))
            return client.recv(65536)

    def cli(self, *arguments):
        target = f"--gateway=127.0.0.1:{self.stack.ports['GATEWAY']}"
        result = subprocess.run(
            [self.rawgate, target, *arguments], capture_output=True, timeout=ANSWER_WITHIN_S, check=False
        )
        self.assertEqual(result.returncode, 0, result.stderr.decode(errors="replace"))
        return result.stdout

    def test_echo(self):
        self.assertEqual(self.exchange("ECHO", b"hello"), b"HELLO")
        self.assertEqual(self.ask("ECHO", b"hello"), b"hi")
        self.assertEqual(self.cli("echo", "hello").strip(), b"HELLO")

    def test_exec_runs_as_the_unprivileged_user(self):
        self.assertEqual(self.exchange("EXEC_RAW", b"id -u\n"), b"10001\n")
        self.assertEqual(self.exchange("EXEC_SIZED", b"id -u\n"), struct.pack("<i", 6) + b"10001\n")
        reply = self.exchange("EXEC_HEADER", b"id -u\n")
        size = struct.unpack("<i", reply[:4])[0]
        self.assertEqual(json.loads(reply[4 : 4 + size])["total_size"], 6)
        self.assertEqual(self.cli("run", "--", "id", "-u"), b"10001\n")

    def test_commands_cannot_write_the_file_system(self):
        reply = self.exchange("EXEC_RAW", b"touch /usr/local/bin/x /var/lib/rawgate/x; echo $?\n")
        self.assertTrue(reply.startswith(b"1\n"), reply)

    def test_time(self):
        # Not the empty datagram: Docker's proxy drops those.
        self.assertRegex(self.ask("TIME", b"%Y-%m-%d %X"), rb"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
        self.assertEqual(self.cli("date", "still").strip(), b"still")

    def test_http(self):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.stack.ports['GATEWAY_HTTP']}/rawgate.time.v1.TimeService/GetTime",
            b'{"format": "still"}', {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as answer:
            self.assertEqual(json.load(answer)["formatted"], "still")

    def test_file_goes_in_raw_and_comes_out_typed(self):
        content = os.urandom(100_000)
        header = json.dumps({"filename": "smoke.bin", "filesize": len(content)}).encode()
        reply = self.exchange("FILE", struct.pack("<i", len(header)) + header + content)
        self.assertEqual(json.loads(reply[4:])["status"], "ok")
        self.assertEqual(self.cli("get", "smoke.bin", "--output", "-"), content)

    def test_chat_message_reaches_the_desk(self):
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.sendto(b"is anybody there?", ("127.0.0.1", self.stack.ports["CHAT"]))
            wait_until(lambda: b"chat/udp" in self.cli("connections"), "the session in the list", ANSWER_WITHIN_S)

    def assert_nobody_behind(self, port):
        """Docker's proxy accepts and then hangs up; how that looks depends on who is quicker."""
        try:
            self.assertEqual(self.exchange(port, b"id -u\n"), b"")
        except OSError as error:
            self.assertIn(error.errno, (errno.ECONNRESET, errno.ENOTCONN, errno.EPIPE))

    def test_stop_is_seen_outside_and_start_brings_it_back(self):
        self.cli("stop", "exec/raw")
        self.assert_nobody_behind("EXEC_RAW")
        self.cli("start", "exec/raw")
        self.assertEqual(self.exchange("EXEC_RAW", b"id -u\n"), b"10001\n")

    def test_every_service_is_running(self):
        listing = self.cli("ps", "--json")
        states = {each["name"]: each["state"] for each in json.loads(listing)["services"]}
        self.assertEqual(states, dict.fromkeys(SERVICES[:-1], "SERVICE_STATE_RUNNING"))

    def test_published_on_loopback_only_and_without_privileges(self):
        for name, container in self.stack.containers().items():
            with self.subTest(name):
                bindings = container["NetworkSettings"]["Ports"].values()
                addresses = {binding["HostIp"] for published in bindings for binding in published or ()}
                self.assertEqual(addresses, {"127.0.0.1"})
                settings = container["HostConfig"]
                self.assertEqual(settings["CapDrop"], ["ALL"])
                self.assertTrue(settings["ReadonlyRootfs"])
                self.assertEqual(container["Config"]["User"], "rawgate")


def build_image(engine, programs, cache):
    base = engines.base_image(engine, cache)
    runtime, image = "rawgate-smoke-runtime", "rawgate-smoke"
    engine.build("--target", "runtime", "--build-arg", f"BASE={base}", "-t", runtime, str(ROOT))
    recipe = str(pathlib.Path(__file__).with_name("prebuilt.Dockerfile"))
    engine.build("-f", recipe, "--build-arg", f"RUNTIME={runtime}", "-t", image, str(programs))
    return image


def skip(reason):
    rule = "*" * 72
    print(f"{rule}\nSKIPPED: the container test did not run.\n{reason}\n{rule}", flush=True)
    return SKIPPED


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of the built programs")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="folder for images between runs")
    options = parser.parse_args()
    # So that containers are taken down then too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with engines.running(options.cache) as engine:
            image = build_image(engine, options.programs, options.cache)
            with Stack(engine, image) as SmokeTest.stack:
                SmokeTest.rawgate = options.programs / "rawgate"
                suite = unittest.defaultTestLoader.loadTestsFromTestCase(SmokeTest)
                return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1
    except engines.Unavailable as reason:
        return skip(reason)


if __name__ == "__main__":
    sys.exit(main())
