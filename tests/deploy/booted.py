"""What tests of the booted machine share: the machine, with our packages installed, and clients that are nothing but a socket."""

import json
import socket
import struct
import unittest

from tests.deploy.debian_root import copy_or_skip, packages
from tests.deploy.machine import Machine
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.network_namespace import Wire

ENABLED = ("echo", "time", "file", "chat", "gateway")
RAW = ("echo", "time", "file", "chat")


def connect(port, host="127.0.0.1", within=PATIENCE):
    client = socket.create_connection((host, port), within)
    client.settimeout(PATIENCE)
    return client


def exchange(port, request, host="127.0.0.1"):
    """Sends, half-closes, and returns all that comes back."""
    with connect(port, host) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


def ask(port, request, host="127.0.0.1"):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE)
        client.sendto(request, (host, port))
        return client.recv(65536)


def send(port, request):
    """One datagram, which nobody need answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(request, ("127.0.0.1", port))


def write_to_the_desk(text):
    send(8081, text)


def upload_request(name, content, **more):
    header = json.dumps({"filename": name, "filesize": len(content), **more}).encode()
    return struct.pack("<i", len(header)) + header + content


class MachineTest(unittest.TestCase):
    """Each class has a machine of its own; each test finds all that the packages enable started.

    What the services' filters of system calls forbid ends the process here, instead of failing in silence: if a filter forbids
    what a service needs, a test finds it dead. Commands of exec may try what they like, as they may elsewhere."""

    STRICT = "[Service]\nSystemCallErrorNumber=kill\n"

    machine = None
    elsewhere = None

    @classmethod
    def setUpClass(cls):
        wire = Wire()
        cls.addClassCleanup(wire.remove)
        cls.elsewhere = wire.right
        root = cls.enterClassContext(copy_or_skip())
        for name in ENABLED:
            strict = root / f"etc/systemd/system/rawgate-{name}.service.d/90-strict.conf"
            strict.parent.mkdir()
            strict.write_text(cls.STRICT)
        cls.machine = cls.enterClassContext(Machine(root, wire.left))
        cls.machine.install(*packages().values())

    def setUp(self):
        self.machine.systemctl("reset-failed")
        self.machine.systemctl("start", "rawgate.target")

    def call(self, *arguments):
        return self.machine.call(*arguments)

    def main_pid(self, name):
        return int(self.machine.show(f"rawgate-{name}.service", "MainPID"))

    def rawgate(self, *words):
        return self.machine.run("rawgate", *words)

    def running(self):
        """The services that run, as the gateway sees them."""
        listed = json.loads(self.rawgate("ps", "--json"))["services"]
        return {each["name"] for each in listed if each["state"] == "SERVICE_STATE_RUNNING"}

    def drop_in(self, unit, text):
        """As `systemctl edit --runtime`; for the length of a test."""
        folder = f"/run/systemd/system/{unit}.d"
        self.machine.run("mkdir", "-p", folder)
        self.machine.run("sh", "-c", 'printf "%s" "$TEXT" >"$FOLDER/override.conf"', TEXT=text, FOLDER=folder)
        self.machine.systemctl("daemon-reload")
        self.addCleanup(self._remove_drop_in, folder)

    def _remove_drop_in(self, folder):
        self.machine.run("rm", f"{folder}/override.conf")
        self.machine.systemctl("daemon-reload")

    def settings(self, name, text):
        """/etc/default/rawgate-NAME; for the length of a test."""
        path = self.machine.root / f"etc/default/rawgate-{name}"
        path.write_text(text)
        self.addCleanup(path.unlink)

    def stop_all(self):
        """systemctl waits for the target alone, not for what goes with it."""
        self.machine.systemctl("stop", "rawgate.target")
        for unit in [*(f"rawgate-{name}.service" for name in ENABLED), *(f"rawgate-{name}.socket" for name in RAW)]:
            self.await_state(unit, "inactive")

    def await_state(self, unit, state):
        wait_until(lambda: self.machine.state(unit) == state, f"{unit} being {state}")

    def assert_active(self, *names):
        for name in names:
            self.assertEqual(self.machine.state(f"rawgate-{name}.service"), "active", self.machine.journal(f"rawgate-{name}"))
