"""Three processes of one service behind one gateway: told apart, controlled together or one by one, and lost singly."""

import subprocess
import unittest

import grpc

from tests.conformance.plain_client import connect, receive_exactly, refuses
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import Stack

# Generated beside our own stubs; the import of `rpc` has made them known.
from health.v1 import health_pb2, health_pb2_grpc

LABELS = ["echo-1", "echo-2", "echo-3"]

control = rpc.control


def exchange(address):
    with connect(address) as raw:
        raw.sendall(b"x")
        return receive_exactly(raw, 1)


class ReplicasTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack(stable_ports=True)
        self.addCleanup(self.stack.stop)
        for label in LABELS:
            self.stack.start_service("echo", label=label)
        self.stack.start_service("time")
        targets = ",".join(self.stack.programs[label].rpc_target for label in LABELS)
        self.stack.start_gateway(backends={"echo": f"ipv4:{targets}"})
        self.client = rpc.client_of(self.stack)
        self.addCleanup(self.client.close)
        self.instances = {label: self.instance_at(label) for label in LABELS}

    def rows(self):
        request = control.ListServicesRequest()
        return self.client.control.ListServices(request, timeout=rpc.PATIENCE).services

    def row_of(self, label):
        address = f"ipv4:{self.stack.programs[label].rpc_target}"
        return next(row for row in self.rows() if row.address == address)

    def instance_at(self, label):
        return self.row_of(label).instance

    def address(self, label):
        return self.stack.programs[label].address("tcp")

    def restart(self, label):
        """On the same addresses, as a supervisor would."""
        killed = self.stack.programs[label]
        listeners = [f"{entry['name'].removesuffix('-2')}={entry['address']}" for entry in killed.ready["listeners"]]
        self.stack.start_service("echo", label=label, listeners=listeners, rpc=killed.ready["rpc"])

    def cli(self, *words):
        command = [str(BIN_DIR / "rawgate"), "--gateway", self.stack.gateway_target, *words]
        return subprocess.run(command, env=clean_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=rpc.PATIENCE, check=True).stdout

    def test_each_is_a_row(self):
        rows = self.rows()
        self.assertEqual([row.name for row in rows], ["echo"] * 3 + ["time"])
        self.assertEqual([row.address for row in rows[:3]], sorted(row.address for row in rows[:3]))
        self.assertEqual({row.pid for row in rows[:3]}, {self.stack.programs[label].pid for label in LABELS})
        self.assertEqual(len({row.instance for row in rows}), 4)
        text = self.cli("ps")
        for label in LABELS:
            self.assertIn(self.instances[label][:8], text)

    def test_stop_of_one_and_of_all(self):
        second = self.instances["echo-2"]
        response = self.client.control.StopService(control.StopServiceRequest(service="echo", instance=second))
        self.assertEqual([row.instance for row in response.replicas], [second])
        self.assertTrue(refuses(self.address("echo-2")))
        self.assertEqual(exchange(self.address("echo-1")), b"X")
        self.assertEqual(exchange(self.address("echo-3")), b"X")
        self.assert_health("echo", health_pb2.HealthCheckResponse.SERVING)
        self.assert_health("echo/tcp", health_pb2.HealthCheckResponse.SERVING)

        response = self.client.control.StopService(control.StopServiceRequest(service="echo"))
        self.assertEqual([row.state for row in response.replicas], [control.SERVICE_STATE_STOPPED] * 3)
        for label in LABELS:
            self.assertTrue(refuses(self.address(label)))
        self.assert_health("echo", health_pb2.HealthCheckResponse.NOT_SERVING)
        self.assert_health("echo/tcp", health_pb2.HealthCheckResponse.NOT_SERVING)

        self.assertIn(f"echo {second[:8]} running", self.cli("start", "echo", "--instance", second[:8]))
        self.assertEqual(exchange(self.address("echo-2")), b"X")
        self.assertTrue(refuses(self.address("echo-1")))
        self.assert_health("echo", health_pb2.HealthCheckResponse.SERVING)

    def assert_health(self, service, status):
        stub = health_pb2_grpc.HealthStub(self.client.channel)
        request = health_pb2.HealthCheckRequest(service=service)
        wait_until(lambda: stub.Check(request, timeout=rpc.PATIENCE).status == status, f"{service} {status}")

    def test_unknown_instance(self):
        for call, request in ((self.client.control.GetService, control.GetServiceRequest),
                              (self.client.control.StartService, control.StartServiceRequest),
                              (self.client.control.StopService, control.StopServiceRequest),
                              (self.client.control.CloseConnection, control.CloseConnectionRequest)):
            with self.subTest(request=request.__name__):
                self.assertEqual(rpc.error_of(call, request(service="echo", instance="0"))[:2],
                                 (grpc.StatusCode.NOT_FOUND, "INSTANCE_NOT_FOUND"))

    def test_connection_is_closed_by_its_instance(self):
        """The first connection of each process has the same number."""
        raws = {}
        for label in LABELS:
            raws[label] = connect(self.address(label))
            self.addCleanup(raws[label].close)
            raws[label].sendall(b"x")
            self.assertEqual(receive_exactly(raws[label], 1), b"X")
        request = control.ListConnectionsRequest(service="echo")
        rows = [row for row in self.client.control.ListConnections(request).connections
                if row.transport == control.TRANSPORT_TCP]
        self.assertEqual(sorted(row.instance for row in rows), sorted(self.instances.values()))
        number = next(row.id for row in rows if row.instance == self.instances["echo-3"])

        close = control.CloseConnectionRequest(service="echo", connection_id=number)
        self.assertEqual(rpc.error_of(self.client.control.CloseConnection, close)[:2],
                         (grpc.StatusCode.INVALID_ARGUMENT, "INSTANCE_REQUIRED"))
        self.assertIn(self.instances["echo-3"][:8], self.cli("connections", "echo"))
        self.cli("close", "echo", str(number), "--instance", self.instances["echo-3"])
        self.assertEqual(raws["echo-3"].recv(1), b"")
        for label in ("echo-1", "echo-2"):
            raws[label].sendall(b"x")
            self.assertEqual(receive_exactly(raws[label], 1), b"X")

    def test_pages_go_through_all_processes(self):
        wanted = 0
        for label in LABELS:
            for _ in range(3):
                raw = connect(self.address(label))
                self.addCleanup(raw.close)
                raw.sendall(b"x")
                receive_exactly(raw, 1)
                wanted += 1
        seen, token = [], ""
        while True:
            page = self.client.control.ListConnections(
                control.ListConnectionsRequest(service="echo", page_size=2, page_token=token))
            seen += [(row.instance, row.id) for row in page.connections if row.transport == control.TRANSPORT_TCP]
            token = page.next_page_token
            if not token:
                break
        self.assertEqual(len(seen), wanted)
        self.assertEqual(len(set(seen)), wanted)

    def test_kill_of_one_and_its_return(self):
        watch = self.client.control.WatchEvents(control.WatchEventsRequest(services=["echo"]), timeout=rpc.PATIENCE)
        services = self.client.control.WatchServices(control.WatchServicesRequest(), timeout=rpc.PATIENCE)
        self.addCleanup(watch.cancel)
        self.addCleanup(services.cancel)
        self.assertEqual({position.instance for position in next(watch).positions}, set(self.instances.values()))
        self.assertTrue(next(services).snapshot)

        self.stack.programs["echo-2"].kill()
        victim = self.instances["echo-2"]
        went = self.event(watch, lambda event: event.WhichOneof("kind") == "reachability_changed")
        self.assertEqual((went.instance, went.reachability_changed.reachable), (victim, False))
        change = next(message for message in services
                      if message.services[0].state == control.SERVICE_STATE_UNREACHABLE)
        self.assertEqual([(row.name, row.instance) for row in change.services], [("echo", victim)])
        self.assert_health("echo", health_pb2.HealthCheckResponse.SERVING)
        self.assert_the_others_are_watched(watch)
        stop = control.StopServiceRequest(service="echo", instance=victim)
        self.assertEqual(rpc.error_of(self.client.control.StopService, stop)[:2],
                         (grpc.StatusCode.UNAVAILABLE, "BACKEND_UNREACHABLE"))

        self.restart("echo-2")
        lost = next(lost for message in watch for lost in message.lost)
        self.assertEqual((lost.service, lost.instance, lost.count), ("echo", victim, 0))
        wait_until(lambda: self.row_of("echo-2").state == control.SERVICE_STATE_RUNNING, "echo-2 running again")
        self.assertNotEqual(self.instance_at("echo-2"), victim)
        came = self.event(watch, lambda event: event.WhichOneof("kind") == "reachability_changed")
        self.assertEqual((came.instance, came.reachability_changed.reachable), (self.instance_at("echo-2"), True))
        exchange(self.address("echo-2"))
        opened = self.event(watch, lambda event: event.WhichOneof("kind") == "connection_opened")
        self.assertEqual(opened.instance, self.instance_at("echo-2"))

    def assert_the_others_are_watched(self, watch):
        for label in ("echo-1", "echo-3"):
            exchange(self.address(label))
            opened = self.event(watch, lambda event: event.WhichOneof("kind") == "connection_opened")
            self.assertEqual(opened.instance, self.instances[label])

    def event(self, watch, wanted):
        while True:
            for event in next(watch).events:
                if wanted(event):
                    return event

    def test_watch_resumes_each_where_it_was(self):
        watch = self.client.control.WatchEvents(control.WatchEventsRequest(services=["echo"]), timeout=rpc.PATIENCE)
        positions = list(next(watch).positions)
        for label in LABELS:
            exchange(self.address(label))
        for _ in LABELS:
            self.event(watch, lambda event: event.WhichOneof("kind") == "connection_closed")
        watch.cancel()
        gone = control.EventPosition(service="echo", instance="gone", sequence=5)
        resumed = self.client.control.WatchEvents(
            control.WatchEventsRequest(services=["echo"], after=[*positions, gone]), timeout=rpc.PATIENCE)
        self.addCleanup(resumed.cancel)
        numbers, lost = {}, []
        while len(numbers) < 3 or not lost:
            message = next(resumed)
            lost += [entry.instance for entry in message.lost]
            for event in message.events:
                numbers.setdefault(event.instance, event.sequence)
        self.assertEqual(lost, ["gone"])
        self.assertEqual(numbers, {position.instance: position.sequence + 1 for position in positions})


class NameTest(unittest.TestCase):
    """`localhost` is 127.0.0.1 and, on most machines, ::1: the service listens on the first only."""

    def setUp(self):
        self.stack = Stack(stable_ports=True)
        self.addCleanup(self.stack.stop)
        self.echo = self.stack.start_service("echo", label="echo-1")
        self.target = f"dns:///localhost:{self.echo.rpc_target.rpartition(':')[2]}"

    def client_of(self, **gateway):
        self.stack.start_gateway(**gateway)
        client = rpc.client_of(self.stack)
        self.addCleanup(client.close)
        return client

    def rows(self, client):
        return client.control.ListServices(control.ListServicesRequest(), timeout=rpc.PATIENCE).services

    def test_address_that_never_answers_is_no_replica(self):
        client = self.client_of(backends={"echo": self.target})
        self.assertEqual([(row.address, row.pid) for row in self.rows(client)],
                         [(f"ipv4:{self.echo.rpc_target}", self.echo.pid)])
        self.assertEqual(client.echo.Echo(rpc.echo.EchoRequest(payload=b"x")).payload, b"X")
        self.assertEqual(client.stop("echo").state, control.SERVICE_STATE_STOPPED)
        self.assertEqual(client.start("echo").state, control.SERVICE_STATE_RUNNING)

    def test_service_that_is_not_there_yet(self):
        self.stack.programs.pop("echo-1").stop()
        self.stack.start_gateway(backends={"echo": self.target})
        client = rpc.Client(self.stack.gateway_target)
        self.addCleanup(client.close)
        rows = self.rows(client)
        self.assertEqual([(row.name, row.address, row.instance, row.state) for row in rows],
                         [("echo", self.target, "", control.SERVICE_STATE_UNREACHABLE)])
        stop = control.StopServiceRequest(service="echo")
        self.assertEqual(rpc.error_of(client.control.StopService, stop)[:2],
                         (grpc.StatusCode.UNAVAILABLE, "BACKEND_UNREACHABLE"))
        watch = client.control.WatchServices(control.WatchServicesRequest(), timeout=rpc.PATIENCE)
        self.addCleanup(watch.cancel)
        next(watch)
        self.echo = self.stack.start_service("echo", label="echo-1", rpc=f"tcp://{self.echo.rpc_target}")
        # The row of the name is no more, which only a snapshot can tell.
        told = next(message for message in watch
                    if any(row.state == control.SERVICE_STATE_RUNNING for row in message.services))
        self.assertTrue(told.snapshot)
        self.assertEqual([row.address for row in told.services], [f"ipv4:{self.echo.rpc_target}"])


if __name__ == "__main__":
    unittest.main()
