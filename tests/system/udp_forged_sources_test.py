"""A million forged sources at full rate: memory stays where it was, and good clients are answered meanwhile and after."""

import json
import pathlib
import socket
import subprocess
import time
import unittest

from tests.harness.deadlines import PATIENCE, SCALE, wait_until
from tests.harness.network_namespace import Wire, namespaces_or_skip
from tests.harness.program import BIN_DIR
from tests.harness.responders import RESPONDERS, Service

SOURCES = 1_000_000
FIRST_SOURCE = "11.0.0.0"
GOOD_ANSWERS = 10
GROWTH_MAX = 16 << 20
FLOOD = BIN_DIR.parent / "tests/udp_flood"

wire = None


def setUpModule():
    global wire
    namespaces_or_skip()
    wire = Wire()
    unittest.addModuleCleanup(wire.remove)


def peak_of(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


class Flood:
    """Sends at least SOURCES datagrams, each from another source, and goes on until it is ended."""

    def __init__(self, address, payload):
        self.process = subprocess.Popen([*wire.right.under, FLOOD, address[0], str(address[1]), str(SOURCES), FIRST_SOURCE,
                                         payload.hex()], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def running(self):
        return self.process.poll() is None

    def end(self):
        """How many were sent."""
        output, _ = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, self.process.returncode
        return json.loads(output)["sent"]


class ForgedSourcesTest(unittest.TestCase):
    def client(self, namespace, address):
        client = namespace.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.addCleanup(client.close)
        client.connect(address)
        client.settimeout(0.05)
        return client

    def ask(self, client, request):
        """As good clients of UDP do: asks again when nothing comes. Returns how often it took."""
        asked = 0

        def answered():
            nonlocal asked
            asked += 1
            client.send(request)
            try:
                # NTP's word to those who ask too fast is no answer.
                return client.recv(2048)[12:16] != b"RATE"
            except TimeoutError:
                return False

        wait_until(answered, "an answer to a good client")
        return asked

    def become_known(self, client, request):
        """A client that has come for a while is known to a service, and a flood of new ones does not shut it out."""
        self.ask(client, request)
        begin = time.monotonic()
        wait_until(lambda: time.monotonic() > begin + 1.1, "more than a second to have passed")
        self.ask(client, request)

    def check(self, responder):
        service = Service(responder.service, [responder] * 2, [f"udp://{wire.LEFT[0]}:0", "udp://127.0.0.1:0"], wire.left)
        self.addCleanup(service.stop)
        listener, flooded = service.listener_of(0)
        clients = {"off loopback": self.client(wire.right, flooded),
                   "on loopback": self.client(wire.left, service.listener_of(1)[1])}
        for client in clients.values():
            self.become_known(client, responder.request)
        before = peak_of(service.program.pid)

        flood = Flood(flooded, responder.request)
        self.addCleanup(flood.process.kill)
        wait_until(lambda: service.counters(listener).datagrams_received > 10_000, "the flood")
        for name, client in clients.items():
            asked = sum(self.ask(client, responder.request) for _ in range(GOOD_ANSWERS))
            print(f"{responder.name}: under the flood {GOOD_ANSWERS} answers to {asked} requests {name}", flush=True)
        self.assertTrue(flood.running(), "the good clients were answered after the flood, not during it")
        self.assertGreaterEqual(flood.end(), SOURCES)
        for client in clients.values():
            for _ in range(GOOD_ANSWERS):
                self.ask(client, responder.request)
        growth = peak_of(service.program.pid) - before
        print(f"{responder.name}: grew by {growth >> 10} KiB", flush=True)
        self.assertLess(growth, GROWTH_MAX * SCALE)

    def test_each_service(self):
        for name in ("greeting", "strftime", "ntp", "chat"):
            with self.subTest(responder=name):
                self.check(next(responder for responder in RESPONDERS if responder.name == name))


if __name__ == "__main__":
    unittest.main()
