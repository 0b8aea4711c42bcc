"""TLS of gRPC, front door and back: certificates change under load and nobody notices; services know their gateway."""

import os
import ssl
import threading
import unittest

from tests.harness import rpc
from tests.harness.certificates import LOOPBACK, Authority
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.program import grpc_target
from rawgate.control.v1 import control_service_pb2_grpc
from tests.system.program_test import ProgramTest

grpc = rpc.grpc

ROTATIONS = 20
CLIENTS = 3


class GrpcTlsTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.stack.directory)

    def identity_flags(self, name, names=LOOPBACK):
        certificate, key = self.authority.issue(name, names)
        return [f"--tls_certificate={certificate}", f"--tls_key={key}"]

    def credentials(self, identity=None, authority=None):
        root = (authority or self.authority).certificate.read_bytes()
        if identity is None:
            return grpc.ssl_channel_credentials(root)
        certificate, key = identity
        return grpc.ssl_channel_credentials(root, key.read_bytes(), certificate.read_bytes())

    def uppercase(self, target, credentials):
        """One call over a connection of its own."""
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
        with grpc.secure_channel(target, credentials, options) as channel:
            stub = rpc.echo_service_pb2_grpc.EchoServiceStub(channel)
            request = rpc.echo.EchoRequest(payload=b"a")
            return stub.Echo(request, timeout=PATIENCE, wait_for_ready=False).payload

    def eventually_serves(self, target, credentials):
        def served():
            try:
                return self.uppercase(target, credentials) == b"A"
            except grpc.RpcError:
                return False
        wait_until(served, "an answer through the gateway")


class RotationTest(GrpcTlsTest):
    def setUp(self):
        super().setUp()
        self.stack.start_service("echo")
        flags = self.identity_flags("gateway", [*LOOPBACK, "URI:urn:rawgate:gateway"])
        self.gateway = self.stack.start_gateway(*flags)
        self.target = self.stack.gateway_target
        self.eventually_serves(self.target, self.credentials())
        self.calls = 0
        self.failures = []

    def load(self, end):
        credentials = self.credentials()
        while not end.is_set():
            try:
                if self.uppercase(self.target, credentials) != b"A":
                    self.failures.append("a wrong answer")
            except grpc.RpcError as error:
                self.failures.append(f"{error.code()}: {error.details()}")
            self.calls += 1

    def presented(self):
        host, port = self.gateway.address("grpc")
        return ssl.get_server_certificate((host, port))

    def test_no_call_fails_while_certificates_change(self):
        end = threading.Event()
        clients = [threading.Thread(target=self.load, args=(end,)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            for _ in range(ROTATIONS):
                self.rotate()
        finally:
            end.set()
            for client in clients:
                client.join()
        self.assertEqual(self.failures, [])
        self.assertGreater(self.calls, ROTATIONS)

    def rotate(self):
        """The key first; then calls are made while it is not the certificate's; then that."""
        before = self.presented()
        certificate, key = self.authority.issue("next", [*LOOPBACK, "URI:urn:rawgate:gateway"])
        os.replace(key, self.stack.directory / "gateway.key")
        calls = self.calls
        wait_until(lambda: self.calls > calls + CLIENTS, "calls meanwhile")
        os.replace(certificate, self.stack.directory / "gateway.pem")
        wait_until(lambda: self.presented() != before, "the new certificate")


class BackendTest(GrpcTlsTest):
    def start_echo(self, *flags):
        return self.stack.start_service("echo", "--rpc_tls", f"--tls_client_ca={self.authority.certificate}",
                                        *self.identity_flags("echo"), *flags)

    def start_gateway(self, name, names):
        return self.stack.start_gateway(f"--backend_tls_ca={self.authority.certificate}",
                                        *self.identity_flags(name, names))

    def test_gateway_and_service_know_each_other(self):
        self.start_echo()
        self.start_gateway("gateway", [*LOOPBACK, "URI:urn:rawgate:gateway"])
        self.eventually_serves(self.stack.gateway_target, self.credentials())

    def test_who_is_not_listed_may_call_nothing(self):
        target = grpc_target(self.start_echo().ready["rpc"])
        stranger = self.authority.issue("stranger", ["URI:urn:somebody"])
        with self.assertRaises(grpc.RpcError) as refused:
            self.uppercase(target, self.credentials(stranger))
        self.assertEqual(refused.exception.code(), grpc.StatusCode.PERMISSION_DENIED)
        self.assertIn("CLIENT_NOT_LISTED", refused.exception.details())
        with self.assertRaises(grpc.RpcError) as nameless:
            self.uppercase(target, self.credentials())
        self.assertEqual(nameless.exception.code(), grpc.StatusCode.UNAVAILABLE)
        listed = self.authority.issue("listed", ["URI:urn:rawgate:gateway"])
        self.assertEqual(self.uppercase(target, self.credentials(listed)), b"A")

    def test_service_off_loopback_needs_tls(self):
        plain = self.run_to_end("echo", "--listen=tcp=tcp://127.0.0.1:0", "--rpc_listen=tcp://0.0.0.0:0")
        self.assertEqual(plain.returncode, 1)
        self.assertIn(b"--rpc_tls", plain.stderr)
        self.assertTrue(self.start_echo("--rpc_listen=tcp://0.0.0.0:0").alive())

    def test_gateways_certificate_may_be_anybodys_at_its_front(self):
        """A gateway that services do not list serves its own methods, and says that the service is not reached."""
        self.start_echo()
        self.start_gateway("other", [*LOOPBACK, "URI:urn:other"])
        with self.assertRaises(grpc.RpcError) as refused:
            self.uppercase(self.stack.gateway_target, self.credentials())
        self.assertEqual(refused.exception.code(), grpc.StatusCode.UNAVAILABLE)
        with grpc.secure_channel(self.stack.gateway_target, self.credentials()) as channel:
            stub = control_service_pb2_grpc.ControlServiceStub(channel)
            service, = stub.ListServices(rpc.control.ListServicesRequest(), timeout=PATIENCE).services
        self.assertEqual(service.state, rpc.control.SERVICE_STATE_UNREACHABLE)
        self.assertIn("CLIENT_NOT_LISTED", service.last_error)


if __name__ == "__main__":
    unittest.main()
