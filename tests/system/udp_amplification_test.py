"""No datagram from off loopback, whatever is in it, is answered by much more than it was: counted for each request."""

import ipaddress
import os
import random
import socket
import unittest

from tests.harness.deadlines import wait_until
from tests.harness.network_namespace import Wire, namespaces_or_skip
from tests.harness.responders import NTP_REQUEST, RESPONDERS, Service

REQUESTS = 5_000
BATCH = 200
SEED = int(os.environ.get("RAWGATE_UDP_SEED") or random.SystemRandom().randrange(1 << 32))
CROWD = {4: ipaddress.ip_address("10.64.0.1"), 6: ipaddress.ip_address("fd40::1")}
# From one client to the next: in IPv6 a /64, which is what counts as one source.
STEP = {4: 1, 6: 1 << 64}
_IPV6_FREEBIND = 78

wire = None
services = {}


def setUpModule():
    global wire
    namespaces_or_skip()
    print(f"RAWGATE_UDP_SEED={SEED}", flush=True)
    wire = Wire()
    unittest.addModuleCleanup(wire.remove)
    for name in ("echo", "time", "chat"):
        responders = [responder for responder in RESPONDERS if responder.service == name] * 2
        half = len(responders) // 2
        addresses = [f"udp://{wire.LEFT[0]}:0"] * half + [f"udp://[{wire.LEFT[1]}]:0"] * half
        services[name] = Service(name, responders, addresses, wire.left)
        unittest.addModuleCleanup(services[name].stop)


def ntp_like(chance):
    """Requests of clients, of control programs and of those who look for amplifiers, right and wrong."""
    return chance.choice((
        lambda: NTP_REQUEST,
        lambda: bytes([chance.randrange(256)]) + chance.randbytes(47),
        lambda: bytes([chance.choice((0x0b, 0x13, 0x1b, 0x23))]) + chance.randbytes(47),
        lambda: b"\x17\x00\x03\x2a" + bytes(4),  # mode 7, monlist
        lambda: b"\x16\x02\x00\x01" + bytes(8),  # mode 6, read variables
        lambda: NTP_REQUEST + chance.randbytes(4 * chance.randrange(1, 100)),
        lambda: NTP_REQUEST[:chance.randrange(48)],
    ))()


def hostile_request(chance):
    conversion = b"aAbBcCdDeFgGhHIjklmMnNpPrRsStTuUVwWxXyYzZ+%EO^#_-0"
    return chance.choice((
        lambda: b"%c" * chance.randrange(1, 600),
        lambda: b"%" + str(chance.randrange(10 ** chance.randrange(1, 20))).encode() + bytes([chance.choice(conversion)]),
        lambda: b"".join(b"%" + bytes([chance.choice(conversion)]) for _ in range(chance.randrange(1, 20))),
        lambda: b"%1000d" * chance.randrange(1, 200),
        lambda: b"",
        lambda: bytes([chance.randrange(256)]),
        lambda: b"%" * chance.randrange(1, 1200),
        lambda: chance.randbytes(chance.randrange(200)),
        lambda: chance.randbytes(chance.randrange(200, 9000)),
        lambda: b"x" * chance.choice((1023, 1024, 1025, 4096, 4097, 65507)),
        lambda: "现在几点？%c".encode() * chance.randrange(1, 50),
        lambda: ntp_like(chance),
    ))()


class Crowd:
    """Clients off loopback, each with an address that nobody has had before."""

    def __init__(self, version):
        self.version = version
        self.next = CROWD[version]

    def clients(self, count):
        return wire.right.call(self._open, count)

    def _open(self, count):
        opened = []
        for _ in range(count):
            client = socket.socket(socket.AF_INET if self.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
            if self.version == 6:
                client.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
            client.bind((str(self.next), 0))
            client.setblocking(False)
            self.next += STEP[self.version]
            opened.append(client)
        return opened


def receive_all(client):
    """Sizes of the datagrams that have come."""
    sizes = []
    try:
        while True:
            sizes.append(len(client.recv(65536)))
    except BlockingIOError:
        return sizes


class AmplificationTest(unittest.TestCase):
    def check(self, responder, service, index, requests, crowd):
        """Returns how many were answered."""
        listener, address = service.listener_of(index)
        answered = 0
        for begin in range(0, len(requests), BATCH):
            batch = requests[begin:begin + BATCH]
            clients = crowd.clients(len(batch))
            before = service.counters(listener)
            for client, request in zip(clients, batch):
                client.sendto(request, address)
            answers = [[] for _ in batch]

            def all_is_over():
                for client, sizes in zip(clients, answers):
                    sizes += receive_all(client)
                now = service.counters(listener)
                return (now.datagrams_received - before.datagrams_received == len(batch)
                        and now.datagrams_sent - before.datagrams_sent == sum(map(len, answers)))

            wait_until(all_is_over, f"all requests at {responder.name} and all its answers")
            for client, request, sizes in zip(clients, batch, answers):
                client.close()
                limit = len(request) if responder.name == "ntp" else max(64, 4 * len(request))
                self.assertLessEqual(sum(sizes), limit, f"{sizes} in answer to {request[:80]!r} ({len(request)} bytes)")
                self.assertLessEqual(len(sizes), 1)
                answered += len(sizes)
        return answered

    def check_all(self, version, count):
        chance = random.Random(SEED)
        crowd = Crowd(version)
        for service in services.values():
            half = len(service.responders) // 2
            for index, responder in enumerate(service.responders[:half]):
                with self.subTest(responder=responder.name, version=version):
                    requests = [hostile_request(chance) for _ in range(count)]
                    if responder.name == "ntp":
                        requests += [ntp_like(chance) for _ in range(count)]
                    answered = self.check(responder, service, index + half * (version == 6), requests, crowd)
                    # What is not answered cannot be too long: this one is about answers.
                    least = count // 10 if responder.name == "ntp" else count * 9 // 10
                    self.assertGreaterEqual(answered, least)

    def test_over_ipv4(self):
        self.check_all(4, REQUESTS)

    def test_over_ipv6(self):
        self.check_all(6, REQUESTS // 5)

    def test_discard_answers_nothing(self):
        service = Service("echo", [RESPONDERS[0]._replace(role="discard", query="")], [f"udp://{wire.LEFT[0]}:0"], wire.left)
        self.addCleanup(service.stop)
        chance = random.Random(SEED)
        requests = [hostile_request(chance) for _ in range(REQUESTS)]
        self.assertEqual(self.check(RESPONDERS[0], service, 0, requests, Crowd(4)), 0)


if __name__ == "__main__":
    unittest.main()
