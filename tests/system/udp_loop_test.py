"""Two responders that one forged datagram sets on each other exchange one more at most, whichever two they are."""

import socket
import unittest

from tests.harness.deadlines import wait_until
from tests.harness.durability import require_root
from tests.harness.network_namespace import Wire, namespaces_or_skip
from tests.harness.responders import RESPONDERS, Service, forge


def setUpModule():
    require_root("forging the source of a datagram")


class End:
    """One listener of a service."""

    def __init__(self, service, index):
        self.service = service
        self.responder = service.responders[index]
        self.listener, self.address = service.listener_of(index)

    def totals(self):
        counters = self.service.counters(self.listener)
        return counters.datagrams_received, counters.datagrams_sent


class LoopTest(unittest.TestCase):
    def assert_no_loop(self, victim, other, send):
        """`send` forges a datagram from `victim` to `other`, which would have it answered."""
        ends = [victim] if victim is other else [victim, other]
        before = [end.totals() for end in ends]
        send(victim.address[1], other.address, other.responder.request)

        def all_is_quiet():
            """Whatever was sent has arrived, so that nothing is under way any more. A loop never gets there."""
            deltas = [(now[0] - then[0], now[1] - then[1])
                      for now, then in zip((end.totals() for end in ends), before)]
            received, sent = (sum(column) for column in zip(*deltas))
            self.assertLessEqual(sent, 1, "an answer was answered")
            return received == 1 + sent

        wait_until(all_is_quiet, "the end of the exchange")

    def assert_forgery_works(self, end, opened_by=lambda function: function()):
        """From an ordinary port the same datagram is answered: what is seen otherwise is the rule."""
        family = socket.AF_INET6 if ":" in end.address[0] else socket.AF_INET
        with opened_by(lambda: socket.socket(family, socket.SOCK_DGRAM)) as client:
            client.bind(("", 0))
            _, sent = end.totals()
            opened_by(lambda: forge(client.getsockname()[1], end.address, end.responder.request))
            wait_until(lambda: end.totals()[1] == sent + 1, f"the answer of {end.responder.name}")


class SameMachineTest(LoopTest):
    """Processes that know nothing of each other, at ports that the kernel picked."""

    def start(self, host):
        ends = []
        for responder in RESPONDERS:
            service = Service(responder.service, [responder], [f"udp://{host}:0"])
            self.addCleanup(service.stop)
            ends.append(End(service, 0))
        return ends

    def check_all_pairs(self, host):
        ends = self.start(host)
        for victim in ends:
            self.assert_forgery_works(victim)
            for other in ends:
                with self.subTest(victim=victim.responder.name, other=other.responder.name):
                    self.assert_no_loop(victim, other, forge)

    def test_over_ipv4(self):
        self.check_all_pairs("127.0.0.1")

    def test_over_ipv6(self):
        self.check_all_pairs("[::1]")

    def test_two_of_a_kind(self):
        for first, second in zip(self.start("127.0.0.1"), self.start("127.0.0.1")):
            with self.subTest(responder=first.responder.name):
                self.assert_no_loop(first, second, forge)
                self.assert_no_loop(second, first, forge)

    def test_listeners_of_one_process(self):
        for name in ("echo", "time", "chat"):
            responders = [responder for responder in RESPONDERS if responder.service == name] * 2
            service = Service(name, responders, ["udp://127.0.0.1:0"] * len(responders))
            self.addCleanup(service.stop)
            ends = [End(service, index) for index in range(len(responders))]
            for victim in ends:
                for other in ends:
                    with self.subTest(victim=victim.listener, other=other.listener):
                        self.assert_no_loop(victim, other, forge)

    def test_a_service_that_was_killed_and_one_that_came_after(self):
        """A port may have been another's before: what is known of the dead must not keep a new client unanswered."""
        strftime = next(responder for responder in RESPONDERS if responder.name == "strftime")
        gone = Service("time", [strftime], ["udp://127.0.0.1:0"])
        _, address = gone.listener_of(0)
        gone.program.kill()
        gone.client.close()
        del gone.stack.programs["time"]
        gone.stack.stop()
        other = Service("time", [strftime], ["udp://127.0.0.1:0"])
        self.addCleanup(other.stop)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(60)
            client.bind(address)
            client.sendto(b"x%%", other.listener_of(0)[1])
            self.assertEqual(client.recv(64), b"x%")


class TwoMachinesTest(LoopTest):
    """Machines know nothing of each other's ports, but for the usual ones."""

    @classmethod
    def setUpClass(cls):
        namespaces_or_skip()
        cls.wire = Wire()
        cls.addClassCleanup(cls.wire.remove)
        usual = [responder for responder in RESPONDERS if responder.name != "upper"]  # its port is the greeting's
        cls.left, cls.right = [], []
        for ends, namespace, host in ((cls.left, cls.wire.left, cls.wire.LEFT[0]),
                                      (cls.right, cls.wire.right, cls.wire.RIGHT[0])):
            for name in ("echo", "time", "chat"):
                responders = [responder for responder in usual if responder.service == name]
                service = Service(name, responders, [f"udp://{host}:{responder.port}" for responder in responders], namespace)
                cls.addClassCleanup(service.stop)
                ends += [End(service, index) for index in range(len(responders))]

    def test_all_pairs(self):
        def send_from_left(*arguments):
            self.wire.left.call(forge, *arguments)

        for other in self.right:
            self.assert_forgery_works(other, self.wire.left.call)
            for victim in self.left:
                with self.subTest(victim=victim.responder.name, other=other.responder.name):
                    self.assert_no_loop(victim, other, send_from_left)


if __name__ == "__main__":
    unittest.main()
