"""--admin_listen: channelz and health for whoever looks after the gateway, and neither channelz at the front door nor
anything without the flag. channelz tells of what gRPC's library does there: the server of the gateway's own services and
the channels that its control has to services. Clients are found by ListConnections (docs/adr/0017-data-plane.md)."""

import subprocess
import tempfile
import unittest

import grpc

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.program import BIN_DIR, clean_environment, grpc_target
from tests.harness.stack import Stack

# pylint: disable=wrong-import-order
from channelz.v1 import channelz_pb2, channelz_pb2_grpc
from health.v1 import health_pb2, health_pb2_grpc

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")
    stack.start_gateway("--admin_listen=tcp://127.0.0.1:0")
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def admin_target():
    host, port = stack.programs["gateway"].address("admin")
    return f"{host}:{port}"


class ChannelzTest(unittest.TestCase):
    def setUp(self):
        self.channel = grpc.insecure_channel(admin_target(), options=[("grpc.enable_http_proxy", 0)])
        self.addCleanup(self.channel.close)
        self.channelz = channelz_pb2_grpc.ChannelzStub(self.channel)

    def own_server(self):
        """That of the gateway's own services. The other one is the admin listener's, which has a socket that listens."""
        servers = self.channelz.GetServers(channelz_pb2.GetServersRequest(), timeout=PATIENCE).server
        self.assertEqual(len(servers), 2)
        own = admin_target()
        return next(server for server in servers if not any(own in listener.name for listener in server.listen_socket))

    def test_channels_to_services(self):
        channels = self.channelz.GetTopChannels(channelz_pb2.GetTopChannelsRequest(), timeout=PATIENCE).channel
        targets = [channel.data.target for channel in channels]
        backend = stack.programs["echo"].rpc_target
        self.assertTrue(any(target.endswith(backend) for target in targets), targets)

    def test_calls_of_the_gateways_own_services(self):
        before = self.own_server()
        self.assertFalse(before.listen_socket)
        for _ in range(3):
            client.control.ListServices(rpc.control.ListServicesRequest(), timeout=PATIENCE)

        # A call is counted when the server has let go of it, which its client need not wait for.
        def succeeded():
            return self.own_server().data.calls_succeeded - before.data.calls_succeeded

        wait_until(lambda: succeeded() >= 3, "three calls that are counted")

    def test_forwarded_calls_are_not_among_them(self):
        before = self.own_server().data.calls_started
        client.echo.Echo(rpc.echo.EchoRequest(payload=b"x"), timeout=PATIENCE)
        self.assertEqual(self.own_server().data.calls_started, before)

    def test_clients_are_found_by_list_connections(self):
        def peers():
            request = rpc.control.ListConnectionsRequest(service="gateway")
            return {row.peer: row.requests for row in client.control.ListConnections(request, timeout=PATIENCE).connections}

        before = peers()
        other = rpc.Client(stack.gateway_target, {"grpc.use_local_subchannel_pool": 1})
        other.echo.Echo(rpc.echo.EchoRequest(), timeout=PATIENCE)
        new = {peer: calls for peer, calls in peers().items() if peer not in before}
        self.assertEqual(list(new.values()), [1])
        other.close()
        wait_until(lambda: not new.keys() & peers().keys(), "the end of the client's row")

    def test_health(self):
        health = health_pb2_grpc.HealthStub(self.channel)
        answer = health.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
        self.assertEqual(answer.status, health_pb2.HealthCheckResponse.SERVING)

    def test_nothing_else(self):
        stub = rpc.control_service_pb2_grpc.ControlServiceStub(self.channel)
        with self.assertRaises(grpc.RpcError) as raised:
            stub.ListServices(rpc.control.ListServicesRequest(), timeout=PATIENCE)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_not_at_the_front_door(self):
        stub = channelz_pb2_grpc.ChannelzStub(client.channel)
        with self.assertRaises(grpc.RpcError) as raised:
            stub.GetServers(channelz_pb2.GetServersRequest(), timeout=PATIENCE)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)


class AddressTest(unittest.TestCase):
    def test_off_by_default(self):
        plain = Stack()
        self.addCleanup(plain.stop)
        gateway = plain.start_gateway(backends={"echo": stack.programs["echo"].rpc_target})
        self.assertEqual([listener["name"] for listener in gateway.ready["listeners"]], ["grpc"])

    def test_unix(self):
        with tempfile.TemporaryDirectory() as folder:
            admin = Stack()
            self.addCleanup(admin.stop)
            gateway = admin.start_gateway(f"--admin_listen=unix://{folder}/admin",
                                          backends={"echo": stack.programs["echo"].rpc_target})
            uri = next(entry["address"] for entry in gateway.ready["listeners"] if entry["name"] == "admin")
            with grpc.insecure_channel(grpc_target(uri)) as channel:
                stub = channelz_pb2_grpc.ChannelzStub(channel)
                self.assertEqual(len(stub.GetServers(channelz_pb2.GetServersRequest(), timeout=PATIENCE).server), 2)

    def test_refused(self):
        """Off loopback not even with --allow_insecure_bind."""
        for uri, status in (("tcp://0.0.0.0:0", 1), ("udp://127.0.0.1:0", 2), ("nonsense", 2)):
            with self.subTest(uri=uri):
                ended = subprocess.run(
                    [BIN_DIR / "rawgate-gateway", "--listen=grpc=tcp://127.0.0.1:0", "--allow_insecure_bind", f"--admin_listen={uri}"],
                    env=clean_environment(), capture_output=True, timeout=PATIENCE, check=False)
                self.assertEqual(ended.returncode, status, ended.stderr)
                self.assertEqual(ended.stdout, b"")


if __name__ == "__main__":
    unittest.main()
