"""Every method of the gateway by everybody who might call it: whom the gate lets pass, and what the others are told."""

import threading
import unittest

import grpc

from tests.harness import rpc
from tests.harness.access import TOKENS, AccessFile, as_user, bearer, one_user_for_each_role
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.stack import LISTENERS, Stack

# Generated beside our own stubs; the import of `rpc` has made them known.
from health.v1 import health_pb2, health_pb2_grpc
from reflection.v1 import reflection_pb2
from reflection.v1alpha import reflection_pb2 as alpha_pb2
from rawgate.access.v1 import access_pb2

FILES = [rpc.control_service_pb2, rpc.echo_service_pb2, rpc.exec_service_pb2, rpc.time_service_pb2,
         rpc.file_service_pb2, rpc.chat_service_pb2, rpc.bytestream_pb2]
ROLES = ["viewer", "operator", "executor", "admin"]
UNAUTHENTICATED, DENIED = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED
# Of the gate, whatever else may be refused further in.
REFUSALS = {"CREDENTIALS_MISSING", "CREDENTIALS_UNKNOWN", "ROLE_TOO_LOW"}

stack = None
channel = None


def setUpModule():
    global stack, channel
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    for name in LISTENERS:
        stack.start_service(name)
    access = AccessFile(stack.directory / "access.textproto", one_user_for_each_role())
    stack.start_gateway(access.flag)
    channel = grpc.insecure_channel(stack.gateway_target, options=[("grpc.enable_http_proxy", 0)])
    unittest.addModuleCleanup(channel.close)
    wait_until(lambda: all(service.state == rpc.control.SERVICE_STATE_RUNNING for service in services()),
               "every service reported as running")


def services():
    stub = rpc.control_service_pb2_grpc.ControlServiceStub(channel)
    request = rpc.control.ListServicesRequest()
    return stub.ListServices(request, timeout=PATIENCE, metadata=as_user("admin")).services


def required_roles():
    """The least role of each method, by its path; read from the descriptors as the gateway does."""
    roles = {}
    for module in FILES:
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                value = method.GetOptions().Extensions[access_pb2.required_role]
                role = access_pb2.Role.Name(value).removeprefix("ROLE_").lower()
                roles[f"/{service.full_name}/{method.name}"] = role
    # gRPC's own protos know nothing of our roles.
    for module in (reflection_pb2, alpha_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            roles[f"/{service.full_name}/ServerReflectionInfo"] = "viewer"
    return roles


def outcome(path, metadata):
    """The end, or the first message, of a call with one empty message: None, or the error's code and reason.

    On the wire every kind of call is a stream each way.
    """
    call = channel.stream_stream(path)(iter([b""]), timeout=PATIENCE, metadata=metadata)
    try:
        next(call, None)
        return None
    except grpc.RpcError as error:
        return error.code(), rpc.reason_and_details(error)
    finally:
        call.cancel()


def requests_served():
    return {service.name: service.counters.requests for service in services()}


class EveryMethodTest(unittest.TestCase):
    def assert_refused(self, path, metadata, code, reason):
        refused = outcome(path, metadata)
        self.assertIsNotNone(refused, f"{path} passed the gate")
        self.assertEqual((refused[0], refused[1][0]), (code, reason))
        return refused[1][1]["google.rpc.ErrorInfo"]

    def test_every_method_says_what_it_needs(self):
        roles = required_roles()
        self.assertGreater(len(roles), 35)
        self.assertLessEqual(set(roles.values()), set(ROLES), roles)

    def test_the_descriptors_are_those_that_the_gateway_serves(self):
        """So that none is forgotten here."""
        stub = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                                     request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
                                     response_deserializer=reflection_pb2.ServerReflectionResponse.FromString)
        request = reflection_pb2.ServerReflectionRequest(list_services="*")
        answer = next(stub(iter([request]), timeout=PATIENCE, metadata=as_user("viewer")))
        served = {service.name for service in answer.list_services_response.service}
        self.assertEqual(served, {path.split("/")[1] for path in required_roles()} | {"grpc.health.v1.Health"})

    def test_whom_the_gate_refuses(self):
        before = requests_served()
        for path, needed in required_roles().items():
            with self.subTest(path=path):
                self.assert_refused(path, (), UNAUTHENTICATED, "CREDENTIALS_MISSING")
                self.assert_refused(path, bearer("nobody's"), UNAUTHENTICATED, "CREDENTIALS_UNKNOWN")
                for role in ROLES[:ROLES.index(needed)]:
                    info = self.assert_refused(path, as_user(role), DENIED, "ROLE_TOO_LOW")
                    self.assertEqual(info.metadata["required_role"], needed)
        self.assertEqual(requests_served(), before, "a refused call has reached a service")
        self.assertEqual({service.state for service in services()}, {rpc.control.SERVICE_STATE_RUNNING})

    def test_whom_the_gate_lets_pass(self):
        for path, needed in required_roles().items():
            for role in ROLES[ROLES.index(needed):]:
                with self.subTest(path=path, role=role):
                    ended = outcome(path, as_user(role))
                    if ended is not None:
                        self.assertNotIn(ended[0], (UNAUTHENTICATED, DENIED), ended)

    def test_health_is_open_to_all(self):
        stub = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(health_pb2.HealthCheckRequest(service=""), timeout=PATIENCE)
        self.assertIn(answer.status, (health_pb2.HealthCheckResponse.SERVING,
                                      health_pb2.HealthCheckResponse.NOT_SERVING))

    def test_what_is_no_method_is_told_to_those_who_are_known(self):
        for path in ("/rawgate.echo.v1.EchoService/Shout", "/no.such.Service/Method"):
            with self.subTest(path=path):
                self.assert_refused(path, (), UNAUTHENTICATED, "CREDENTIALS_MISSING")
                self.assert_refused(path, as_user("viewer"), grpc.StatusCode.UNIMPLEMENTED, "UNKNOWN_METHOD")


class CallerTest(unittest.TestCase):
    """Who calls is known further in."""

    def words(self):
        """One request, then nothing until the test has ended."""
        ended = threading.Event()
        self.addCleanup(ended.set)
        yield rpc.echo.ConverseRequest(payload=b"x")
        ended.wait(PATIENCE)

    def rows(self, service):
        stub = rpc.control_service_pb2_grpc.ControlServiceStub(channel)
        request = rpc.control.ListConnectionsRequest(service=service)
        answer = stub.ListConnections(request, timeout=PATIENCE, metadata=as_user("admin"))
        return answer.connections

    def test_calls_have_their_users(self):
        stub = rpc.echo_service_pb2_grpc.EchoServiceStub(channel)
        forged = (("x-rawgate-user", "admin"), ("x-rawgate-role", "admin"), ("x-rawgate-peer", "tcp://192.0.2.1:1"))
        stream = stub.Converse(self.words(), timeout=PATIENCE, metadata=as_user("operator") + forged)
        self.addCleanup(stream.cancel)
        next(stream)
        rows = [row for row in self.rows("echo") if row.listener == "rpc"]
        self.assertEqual([row.user for row in rows], ["operator"])
        self.assertNotIn("192.0.2.1", rows[0].peer)

    def test_connections_of_the_gateway_have_their_users(self):
        options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(stack.gateway_target, options) as own:
            stub = rpc.echo_service_pb2_grpc.EchoServiceStub(own)
            with self.assertRaises(grpc.RpcError):
                stub.Echo(rpc.echo.EchoRequest(), timeout=PATIENCE, metadata=as_user("viewer"))
            self.assertNotIn("viewer", [row.user for row in self.rows("gateway")], "nobody who was refused")
            stub.Echo(rpc.echo.EchoRequest(), timeout=PATIENCE, metadata=as_user("executor"))
            self.assertIn("executor", [row.user for row in self.rows("gateway")])

    def test_no_token_is_logged(self):
        log = stack.programs["gateway"].log_path.read_text()
        for token in TOKENS.values():
            self.assertNotIn(token, log)


if __name__ == "__main__":
    unittest.main()
