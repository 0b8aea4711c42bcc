"""What the gateway itself answers for: health, reflection, deadlines, limits, metadata, missing backends, draining."""

import unittest

import grpc

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.stack import LISTENERS, Stack

# Generated beside our own stubs; the import of `rpc` has made them known.
from health.v1 import health_pb2, health_pb2_grpc
from reflection.v1 import reflection_pb2, reflection_pb2_grpc
from reflection.v1alpha import reflection_pb2 as alpha_pb2, reflection_pb2_grpc as alpha_pb2_grpc

OUR_SERVICES = {f"rawgate.{area}.v1.{area.capitalize()}Service"
                for area in ("control", "echo", "exec", "time", "file", "chat")} | {"google.bytestream.ByteStream"}

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack(stable_ports=True)
    unittest.addModuleCleanup(stack.stop)
    stack.start_all()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


class HealthTest(unittest.TestCase):
    def check(self, service):
        stub = health_pb2_grpc.HealthStub(client.channel)
        return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE).status

    def test_whole_and_each_service(self):
        for service in ("", "rawgate.echo.v1.EchoService", "rawgate.file.v1.FileService",
                        "google.bytestream.ByteStream"):
            with self.subTest(service=service):
                wait_until(lambda: self.check(service) == health_pb2.HealthCheckResponse.SERVING, "SERVING")

    def test_stopped_service_is_not_serving(self):
        self.addCleanup(client.start, "echo")
        client.stop("echo")
        wait_until(lambda: self.check("rawgate.echo.v1.EchoService") == health_pb2.HealthCheckResponse.NOT_SERVING,
                   "NOT_SERVING")
        client.start("echo")
        wait_until(lambda: self.check("rawgate.echo.v1.EchoService") == health_pb2.HealthCheckResponse.SERVING,
                   "SERVING")

    def test_each_listener_by_itself(self):
        serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
        for service in LISTENERS:
            for listener in client.service(service).listeners:
                with self.subTest(service=service, listener=listener.name):
                    wait_until(lambda: self.check(f"{service}/{listener.name}") == serving, "SERVING")
        self.addCleanup(client.start, "echo", "udp")
        client.stop("echo", "udp")
        wait_until(lambda: self.check("echo/udp") == not_serving, "NOT_SERVING")
        self.assertEqual(self.check("echo/tcp"), serving)

    def test_unknown_service(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.check("no.such.Service")
        self.assertEqual(raised.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_watch_begins_with_the_present_state(self):
        stub = health_pb2_grpc.HealthStub(client.channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
        self.addCleanup(watch.cancel)
        self.assertIn(next(watch).status, (health_pb2.HealthCheckResponse.SERVING,
                                           health_pb2.HealthCheckResponse.NOT_SERVING))


class ReflectionTest(unittest.TestCase):
    def each_version(self):
        for version, messages, stubs in (("v1", reflection_pb2, reflection_pb2_grpc),
                                         ("v1alpha", alpha_pb2, alpha_pb2_grpc)):
            stub = stubs.ServerReflectionStub(client.channel)
            with self.subTest(version=version):
                yield messages, lambda request: next(stub.ServerReflectionInfo(iter([request]), timeout=PATIENCE))

    def test_lists_forwarded_services(self):
        for messages, ask in self.each_version():
            answer = ask(messages.ServerReflectionRequest(list_services="*"))
            names = {service.name for service in answer.list_services_response.service}
            self.assertLessEqual(OUR_SERVICES, names)
            self.assertIn("grpc.health.v1.Health", names)

    def test_describes_every_service_and_what_it_imports(self):
        from google.protobuf import descriptor_pb2
        for messages, ask in self.each_version():
            for symbol in OUR_SERVICES:
                answer = ask(messages.ServerReflectionRequest(file_containing_symbol=symbol))
                files = [descriptor_pb2.FileDescriptorProto.FromString(data)
                         for data in answer.file_descriptor_response.file_descriptor_proto]
                declared = {f"{entry.package}.{service.name}" for entry in files for service in entry.service}
                self.assertIn(symbol, declared)

    def test_unknown_symbol(self):
        for messages, ask in self.each_version():
            answer = ask(messages.ServerReflectionRequest(file_containing_symbol="no.such.Symbol"))
            self.assertEqual(answer.error_response.error_code, grpc.StatusCode.NOT_FOUND.value[0])


class ForwardingTest(unittest.TestCase):
    def test_unknown_method_and_service(self):
        for method in ("/rawgate.echo.v1.EchoService/Shout", "/no.such.Service/Method"):
            with self.subTest(method=method):
                call = client.channel.unary_unary(method)
                with self.assertRaises(grpc.RpcError) as raised:
                    call(b"", timeout=PATIENCE)
                self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_deadline_passes_through(self):
        request = rpc.exec_.RunRequest(shell_command="sleep 1000")
        with self.assertRaises(grpc.RpcError) as raised:
            list(client.exec.Run(request, timeout=0.5))
        self.assertEqual(raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)

    def test_bytes_that_are_no_message(self):
        """The gateway forwards payloads unread; the service refuses them, and the connection lives on."""
        call = client.channel.unary_unary("/rawgate.echo.v1.EchoService/Echo")
        with self.assertRaises(grpc.RpcError):
            call(b"\xff\xff\xff\xff", timeout=PATIENCE)
        self.assertEqual(client.echo.Echo(rpc.echo.EchoRequest(payload=b"on")).payload, b"ON")

    def test_message_over_4_mib(self):
        code, _ = self.code_of(rpc.echo.EchoRequest(payload=b"x" * (5 << 20)))
        self.assertEqual(code, grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.assertEqual(client.echo.Echo(rpc.echo.EchoRequest(payload=b"on")).payload, b"ON")

    def code_of(self, request):
        with self.assertRaises(grpc.RpcError) as raised:
            client.echo.Echo(request, timeout=PATIENCE)
        return raised.exception.code(), raised.exception.details()

    def test_many_calls_at_once(self):
        calls = [client.echo.Echo.future(rpc.echo.EchoRequest(payload=b"call %d" % number), timeout=PATIENCE)
                 for number in range(500)]
        self.assertEqual([call.result().payload for call in calls], [b"CALL %d" % number for number in range(500)])


class MissingBackendTest(unittest.TestCase):
    def test_backend_that_was_never_there(self):
        own = Stack()
        self.addCleanup(own.stop)
        own.start_service("echo")
        own.start_gateway(backends={"time": f"unix://{own.directory}/nobody.sock"})
        lonely = rpc.Client(own.gateway_target)
        self.addCleanup(lonely.close)
        wait_until(lambda: lonely.service("echo").state == rpc.control.SERVICE_STATE_RUNNING, "echo as running")
        states = {service.name: service.state
                  for service in lonely.control.ListServices(rpc.control.ListServicesRequest()).services}
        self.assertEqual(states, {"echo": rpc.control.SERVICE_STATE_RUNNING,
                                  "time": rpc.control.SERVICE_STATE_UNREACHABLE})
        code, reason, _ = rpc.error_of(lonely.time.GetTime, rpc.time.GetTimeRequest())
        self.assertEqual((code, reason), (grpc.StatusCode.UNAVAILABLE, "BACKEND_UNREACHABLE"))
        self.assertEqual(lonely.echo.Echo(rpc.echo.EchoRequest(payload=b"on")).payload, b"ON")


class PeerTest(unittest.TestCase):
    def test_services_know_which_client_a_call_is_from(self):
        peers = set()
        for number in range(2):
            own = rpc.Client(stack.gateway_target, {"grpc.use_local_subchannel_pool": 1})
            self.addCleanup(own.close)
            held = own.chat.WatchMessages(rpc.chat.WatchMessagesRequest(), timeout=PATIENCE,
                                          metadata=(("x-rawgate-peer", "tcp://forged:1"),))
            self.addCleanup(held.cancel)
            next(held)
            rows = client.control.ListConnections(rpc.control.ListConnectionsRequest(service="chat"), timeout=PATIENCE)
            peers |= {row.peer for row in rows.connections if row.listener == "rpc"}
            self.assertEqual(len(peers), number + 1, peers)
        self.assertNotIn("tcp://forged:1", peers)
        for peer in peers:
            self.assertRegex(peer, r"^tcp://127\.0\.0\.1:\d+$")


class DrainTest(unittest.TestCase):
    def test_watches_end_with_unavailable_and_a_time_to_retry(self):
        own = Stack()
        own.start_service("echo")
        own.start_gateway()
        leaving = rpc.client_of(own)
        self.addCleanup(leaving.close)
        watch = leaving.control.WatchServices(rpc.control.WatchServicesRequest(), timeout=PATIENCE)
        next(watch)
        own.stop()
        with self.assertRaises(grpc.RpcError) as raised:
            list(watch)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)
        reason, details = rpc.reason_and_details(raised.exception)
        self.assertEqual(reason, "DRAINING")
        self.assertIn("google.rpc.RetryInfo", details)


if __name__ == "__main__":
    unittest.main()
