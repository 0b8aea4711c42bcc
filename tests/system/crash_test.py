"""kill -9 of a service: the gateway says so, everything else works on, and its successor is back untouched."""

import signal
import unittest

import grpc

from tests.conformance.plain_client import connect, datagram_socket, receive_exactly
from tests.harness import rpc
from tests.harness.deadlines import SCALE, wait_until
from tests.harness.stack import Stack

# Promised to operators.
DETECTION_SECONDS = 2 * SCALE

control = rpc.control


class CrashTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack(stable_ports=True)
        self.addCleanup(self.stack.stop)
        self.stack.start_service("echo", rpc=f"unix://{self.stack.directory}/echo.rpc")
        self.stack.start_service("time")
        self.stack.start_gateway()
        self.client = rpc.client_of(self.stack)
        self.addCleanup(self.client.close)

    def state(self, service):
        return self.client.service(service).state

    def restart(self, service):
        """On the same RPC address and ports, as a supervisor would."""
        killed = self.stack.programs[service]
        listeners = [f"{entry['name'].removesuffix('-2')}={entry['address']}" for entry in killed.ready["listeners"]]
        self.stack.start_service(service, listeners=listeners, rpc=killed.ready["rpc"])

    def kill(self, service):
        self.stack.programs[service].kill()
        wait_until(lambda: self.state(service) == control.SERVICE_STATE_UNREACHABLE,
                   f"{service} reported as unreachable", DETECTION_SECONDS)

    def assert_all_works(self):
        self.assertEqual(self.client.echo.Echo(rpc.echo.EchoRequest(payload=b"x")).payload, b"X")
        self.assertEqual(self.client.time.GetTime(rpc.time.GetTimeRequest(format="x")).formatted, "x")
        with connect(self.stack.address("echo", "tcp")) as raw:
            raw.sendall(b"x")
            self.assertEqual(receive_exactly(raw, 1), b"X")
        with datagram_socket(self.stack.address("time", "udp")) as raw:
            raw.send(b"x")
            self.assertEqual(raw.recv(64), b"x")

    def test_service_on_a_unix_rpc_address(self):
        self.check_crash_and_return("echo", "time")

    def test_service_on_a_tcp_rpc_address(self):
        self.check_crash_and_return("time", "echo")

    def check_crash_and_return(self, victim, survivor):
        self.assert_all_works()
        instance = self.client.service(victim).instance
        self.kill(victim)
        self.assertEqual(self.state(survivor), control.SERVICE_STATE_RUNNING)
        self.assert_typed_call_is_unavailable(victim)
        self.restart(victim)
        wait_until(lambda: self.state(victim) == control.SERVICE_STATE_RUNNING, f"{victim} reported as running")
        self.assertNotEqual(self.client.service(victim).instance, instance)
        self.assert_all_works()

    def assert_typed_call_is_unavailable(self, victim):
        call, request = {"echo": (self.client.echo.Echo, rpc.echo.EchoRequest()),
                         "time": (self.client.time.GetTime, rpc.time.GetTimeRequest())}[victim]
        self.assertEqual(rpc.error_of(call, request)[:2], (grpc.StatusCode.UNAVAILABLE, "BACKEND_UNREACHABLE"))
        stop = control.StopServiceRequest(service=victim)
        self.assertEqual(rpc.error_of(self.client.control.StopService, stop)[:2],
                         (grpc.StatusCode.UNAVAILABLE, "BACKEND_UNREACHABLE"))

    def test_watchers_are_told(self):
        services = self.client.control.WatchServices(control.WatchServicesRequest(), timeout=rpc.PATIENCE)
        events = self.client.control.WatchEvents(control.WatchEventsRequest(), timeout=rpc.PATIENCE)
        self.addCleanup(services.cancel)
        self.addCleanup(events.cancel)
        next(services), next(events)
        self.kill("echo")
        self.await_state(services, control.SERVICE_STATE_UNREACHABLE)
        self.await_reachability(events, False)
        self.restart("echo")
        self.await_state(services, control.SERVICE_STATE_RUNNING)
        self.await_reachability(events, True)
        self.assert_events_of_the_successor_arrive(events)

    def await_state(self, watch, wanted):
        while not any((service.name, service.state) == ("echo", wanted) for service in next(watch).services):
            pass

    def await_reachability(self, watch, reachable):
        while not any(event.service == "echo" and event.WhichOneof("kind") == "reachability_changed"
                      and event.reachability_changed.reachable == reachable for event in next(watch).events):
            pass

    def assert_events_of_the_successor_arrive(self, watch):
        """Connects again and again: the watch may be joined to the new process a moment after its return is told."""
        successor = self.client.service("echo").instance

        def connection_is_told():
            connect(self.stack.address("echo", "tcp")).close()
            return any(event.instance == successor for event in next(watch).events)

        wait_until(connection_is_told, "an event of the new process")

    def test_service_that_hangs_hides_no_other(self):
        """Stopped by a signal it still has its sockets, and answers nothing."""
        hung = self.stack.programs["time"].process
        hung.send_signal(signal.SIGSTOP)
        self.addCleanup(hung.send_signal, signal.SIGCONT)
        wait_until(lambda: self.states()["time"] == control.SERVICE_STATE_UNREACHABLE, "time as unreachable")
        self.assertEqual(self.states()["echo"], control.SERVICE_STATE_RUNNING)
        self.client.control.ListConnections(control.ListConnectionsRequest(), timeout=rpc.PATIENCE)
        self.assertEqual(self.client.echo.Echo(rpc.echo.EchoRequest(payload=b"x")).payload, b"X")
        hung.send_signal(signal.SIGCONT)
        wait_until(lambda: self.states()["time"] == control.SERVICE_STATE_RUNNING, "time as running again")

    def states(self):
        services = self.client.control.ListServices(control.ListServicesRequest(), timeout=rpc.PATIENCE).services
        return {service.name: service.state for service in services}

    def test_call_in_progress_ends_with_unavailable(self):
        answers = self.client.echo.Converse(self.endless(), timeout=rpc.PATIENCE)
        self.assertEqual(next(answers).payload, b"X")
        self.stack.programs["echo"].kill()
        with self.assertRaises(grpc.RpcError) as raised:
            list(answers)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)
        self.restart("echo")

    def endless(self):
        yield rpc.echo.ConverseRequest(payload=b"x")
        wait_until(lambda: not self.stack.programs["echo"].alive(), "the end of the service")


if __name__ == "__main__":
    unittest.main()
