"""ControlService: states, stop and start of services and listeners, and watching them."""

import os
import socket
import unittest

import grpc

from tests.conformance.plain_client import connect, receive_exactly
from tests.harness import rpc
from tests.harness.stack import Stack

SERVICES = ["chat", "echo", "exec", "file", "time"]

control = rpc.control
stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack(stable_ports=True)
    unittest.addModuleCleanup(stack.stop)
    stack.start_all()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def echoes(address):
    with connect(address) as raw:
        raw.sendall(b"x")
        return receive_exactly(raw, 1) == b"X"


class StateTest(unittest.TestCase):
    def test_list_has_every_service_by_name(self):
        services = client.control.ListServices(control.ListServicesRequest()).services
        self.assertEqual([service.name for service in services], SERVICES)
        for service in services:
            self.assertEqual(service.state, control.SERVICE_STATE_RUNNING)
            self.assertEqual(service.desired_state, control.DESIRED_STATE_RUNNING)
            self.assertEqual(service.pid, stack.programs[service.name].pid)
            self.assertTrue(service.instance)

    def test_listeners_have_the_addresses_of_the_ready_line(self):
        for name in SERVICES:
            ready = {entry["name"]: entry["address"] for entry in stack.programs[name].ready["listeners"]}
            told = {listener.name: listener.bound_address for listener in client.service(name).listeners}
            self.assertEqual(told, ready)

    def test_configured_address_keeps_its_port_0(self):
        own = Stack()
        self.addCleanup(own.stop)
        own.start_service("echo")
        direct = rpc.Client(own.programs["echo"].rpc_target)
        self.addCleanup(direct.close)
        listener = direct.listener("echo", "tcp")
        self.assertEqual(listener.configured_address, "tcp://127.0.0.1:0")
        self.assertEqual(listener.transport, control.TRANSPORT_TCP)

    def test_each_service_answers_for_itself_on_its_own_rpc_address(self):
        direct = rpc.Client(stack.programs["time"].rpc_target)
        self.addCleanup(direct.close)
        services = direct.control.ListServices(control.ListServicesRequest()).services
        self.assertEqual([service.name for service in services], ["time"])
        self.assertEqual(services[0].instance, client.service("time").instance)

    def test_counters_count(self):
        before = client.listener("echo", "tcp").counters
        self.assertTrue(echoes(stack.address("echo", "tcp")))
        after = client.listener("echo", "tcp").counters
        self.assertEqual(after.connections_opened - before.connections_opened, 1)
        self.assertEqual(after.bytes_received - before.bytes_received, 1)
        self.assertEqual(after.bytes_sent - before.bytes_sent, 1)

    def test_unknown_service(self):
        for call, request in ((client.control.GetService, control.GetServiceRequest(service="nosuch")),
                              (client.control.StartService, control.StartServiceRequest(service="nosuch")),
                              (client.control.StopService, control.StopServiceRequest(service="nosuch")),
                              (client.control.ListConnections, control.ListConnectionsRequest(service="nosuch")),
                              (client.control.GetService, control.GetServiceRequest())):
            with self.subTest(request=type(request).__name__):
                self.assertEqual(rpc.error_of(call, request)[:2], (grpc.StatusCode.NOT_FOUND, "SERVICE_NOT_FOUND"))


class StopStartTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(client.start, "echo")

    def test_stop_is_idempotent_and_start_too(self):
        for _ in range(2):
            stopped = client.stop("echo")
            self.assertEqual(stopped.state, control.SERVICE_STATE_STOPPED)
            self.assertEqual(stopped.desired_state, control.DESIRED_STATE_STOPPED)
        for _ in range(2):
            started = client.start("echo")
            self.assertEqual(started.state, control.SERVICE_STATE_RUNNING)
            self.assertEqual(started.desired_state, control.DESIRED_STATE_RUNNING)

    def test_start_brings_back_the_same_addresses_and_instance(self):
        before = client.service("echo")
        client.stop("echo")
        after = client.start("echo")
        self.assertEqual([entry.bound_address for entry in after.listeners],
                         [entry.bound_address for entry in before.listeners])
        self.assertEqual((after.instance, after.pid), (before.instance, before.pid))

    def test_stopped_service_says_so(self):
        client.stop("echo")
        service = client.service("echo")
        self.assertEqual(service.state, control.SERVICE_STATE_STOPPED)
        for listener in service.listeners:
            self.assertEqual((listener.state, listener.bound_address), (control.SERVICE_STATE_STOPPED, ""))

    def test_typed_operations_of_a_stopped_service(self):
        client.stop("echo")
        code, reason, _ = rpc.error_of(client.echo.Echo, rpc.echo.EchoRequest(payload=b"x"))
        self.assertEqual((code, reason), (grpc.StatusCode.FAILED_PRECONDITION, "SERVICE_STOPPED"))
        client.start("echo")
        self.assertEqual(client.echo.Echo(rpc.echo.EchoRequest(payload=b"x")).payload, b"X")

    def test_one_listener_alone(self):
        first, second = stack.address("echo", "tcp"), stack.address("echo", "tcp-2")
        service = client.stop("echo", "tcp")
        states = {listener.name: listener.state for listener in service.listeners}
        self.assertEqual(states["tcp"], control.SERVICE_STATE_STOPPED)
        self.assertEqual(states["tcp-2"], control.SERVICE_STATE_RUNNING)
        with self.assertRaises(ConnectionRefusedError):
            connect(first)
        self.assertTrue(echoes(second))
        client.start("echo", "tcp")
        self.assertTrue(echoes(first))

    def test_unknown_listener(self):
        request = control.StopServiceRequest(service="echo", listener="nosuch")
        self.assertEqual(rpc.error_of(client.control.StopService, request)[:2],
                         (grpc.StatusCode.NOT_FOUND, "LISTENER_NOT_FOUND"))

    def test_bad_grace(self):
        for seconds in (-1, 601):
            request = control.StopServiceRequest(service="echo")
            request.grace.seconds = seconds
            with self.subTest(seconds=seconds):
                self.assertEqual(rpc.error_of(client.control.StopService, request)[:2],
                                 (grpc.StatusCode.INVALID_ARGUMENT, "BAD_GRACE"))
        self.assertEqual(client.service("echo").state, control.SERVICE_STATE_RUNNING)


class TakenAddressTest(unittest.TestCase):
    def test_address_that_was_taken_while_the_service_was_stopped(self):
        """The port is fixed, since for port 0 another would do; the loopback address is one that nobody else uses."""
        pid = os.getpid()
        address = (f"127.77.{pid // 250 % 250}.{pid % 250 + 1}", 7777)
        own = Stack()
        self.addCleanup(own.stop)
        own.start_service("echo", listeners=["tcp=tcp://%s:%d" % address])
        direct = rpc.Client(own.programs["echo"].rpc_target)
        self.addCleanup(direct.close)
        direct.stop("echo")
        with socket.create_server(address):  # somebody else is quicker
            self.assert_start_fails(direct)
        self.assertEqual(direct.start("echo").state, control.SERVICE_STATE_RUNNING)
        self.assertEqual(direct.listener("echo", "tcp").last_error, "")
        self.assertTrue(echoes(address))

    def assert_start_fails(self, direct):
        request = control.StartServiceRequest(service="echo")
        self.assertEqual(rpc.error_of(direct.control.StartService, request)[:2],
                         (grpc.StatusCode.FAILED_PRECONDITION, "BIND_FAILED"))
        listener = direct.listener("echo", "tcp")
        self.assertEqual(listener.state, control.SERVICE_STATE_FAILED)
        self.assertTrue(listener.last_error)
        self.assertEqual(direct.service("echo").state, control.SERVICE_STATE_FAILED)


class WatchServicesTest(unittest.TestCase):
    def test_snapshot_then_every_change(self):
        watch = client.control.WatchServices(control.WatchServicesRequest(), timeout=rpc.PATIENCE)
        self.addCleanup(watch.cancel)
        snapshot = next(watch)
        self.assertTrue(snapshot.snapshot)
        self.assertEqual([service.name for service in snapshot.services], SERVICES)
        for _ in range(20):
            client.stop("time")
            client.start("time")
        seen = []
        while seen.count(control.SERVICE_STATE_STOPPED) < 20 or seen[-1] != control.SERVICE_STATE_RUNNING:
            change = next(watch)
            snapshot.sequence += 1
            self.assertEqual((change.sequence, change.instance), (snapshot.sequence, snapshot.instance))
            self.assertEqual([service.name for service in change.services], ["time"])
            seen.append(change.services[0].state)
        self.assertEqual(seen, 20 * [control.SERVICE_STATE_DRAINING, control.SERVICE_STATE_STOPPED,
                                     control.SERVICE_STATE_RUNNING])


if __name__ == "__main__":
    unittest.main()
