"""The gateway's own clients in ListConnections and CloseConnection, as the service "gateway"."""

import tempfile
import unittest

import grpc

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.metrics import page_of
from tests.harness.raw_http2 import RawHttp2
from tests.harness.stack import HTTP, Stack

CROWD = 25
PAGE = 4

folder = None
stack = None
client = None


def setUpModule():
    global folder, stack, client
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")
    stack.start_service("time")
    stack.start_gateway(f"--listen=grpc=tcp://127.0.0.1:0,local=unix://{folder.name}/door")
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def connections(**fields):
    """All rows, page by page."""
    request = rpc.control.ListConnectionsRequest(**fields)
    rows = []
    while True:
        answer = client.control.ListConnections(request, timeout=PATIENCE)
        rows += answer.connections
        if not answer.next_page_token:
            return rows
        request.page_token = answer.next_page_token


def row_of(raw):
    host, port = raw.socket.getsockname()
    peer = f"tcp://{host}:{port}"
    return next((row for row in connections(service="gateway") if row.peer == peer), None)


class GatewayClientsTest(unittest.TestCase):
    def connect(self):
        raw = RawHttp2(stack.programs["gateway"].address("grpc"))
        self.addCleanup(raw.socket.close)
        raw.send(raw.call(1))
        self.assertEqual(raw.read_answer(1)["grpc-status"], "0")
        return raw

    def test_row(self):
        raw = self.connect()
        raw.send(raw.call(3))
        raw.read_answer(3)
        row = row_of(raw)
        self.assertEqual((row.service, row.listener, row.transport), ("gateway", "grpc", rpc.control.TRANSPORT_TCP))
        self.assertEqual(row.requests, 2)
        self.assertGreater(row.bytes_received, 100)
        self.assertGreater(row.bytes_sent, 50)
        self.assertTrue(row.instance)
        self.assertTrue(row.HasField("open_time"))
        raw.socket.close()
        wait_until(lambda: not any(other.id == row.id for other in connections(service="gateway")), "the end of the row")

    def test_close(self):
        raw = self.connect()
        row = row_of(raw)
        for wrong, reason in (({"connection_id": row.id + 1000}, "CONNECTION_NOT_FOUND"), ({"connection_id": row.id, "instance": "none"}, "INSTANCE_NOT_FOUND")):
            request = rpc.control.CloseConnectionRequest(service="gateway", **wrong)
            self.assertEqual(rpc.error_of(client.control.CloseConnection, request)[:2], (grpc.StatusCode.NOT_FOUND, reason))
        request = rpc.control.CloseConnectionRequest(service="gateway", connection_id=row.id, instance=row.instance)
        client.control.CloseConnection(request, timeout=PATIENCE)
        self.assertTrue(raw.is_closed())
        wait_until(lambda: row_of(raw) is None, "the end of the row")

    def test_close_ends_calls(self):
        other = rpc.Client(stack.gateway_target, {"grpc.use_local_subchannel_pool": 1})
        self.addCleanup(other.close)
        before = {row.id for row in connections(service="gateway")}
        watch = other.control.WatchServices(rpc.control.WatchServicesRequest(), timeout=PATIENCE)
        next(watch)
        row = next(row for row in connections(service="gateway") if row.id not in before)
        client.control.CloseConnection(rpc.control.CloseConnectionRequest(service="gateway", connection_id=row.id), timeout=PATIENCE)
        with self.assertRaises(grpc.RpcError) as raised:
            list(watch)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)

    def test_unix(self):
        with RawHttp2(f"{folder.name}/door") as raw:
            raw.send(raw.call(1))
            self.assertEqual(raw.read_answer(1)["grpc-status"], "0")
            row = next(row for row in connections(service="gateway") if row.listener == "local")
            self.assertEqual(row.transport, rpc.control.TRANSPORT_UNIX)
            self.assertRegex(row.peer, r"^unix:pid=\d+,uid=\d+$")
            self.assertEqual(row.requests, 1)
        wait_until(lambda: not any(row.listener == "local" for row in connections()), "the end of the row")

    def test_pages(self):
        crowd = [self.connect() for _ in range(CROWD)]
        expected = {f"tcp://127.0.0.1:{raw.socket.getsockname()[1]}" for raw in crowd}
        for fields in ({"service": "gateway"}, {}):
            with self.subTest(**fields):
                rows = [row for row in connections(page_size=PAGE, **fields) if row.service == "gateway"]
                self.assertLessEqual(expected, {row.peer for row in rows})
                self.assertEqual(len({row.id for row in rows}), len(rows))
        services = [row.service for row in connections(page_size=PAGE)]
        self.assertEqual(services, sorted(services))

    def test_token_of_nobody(self):
        request = rpc.control.ListConnectionsRequest(service="gateway", page_token="gateway:x:")
        code, reason, _ = rpc.error_of(client.control.ListConnections, request)
        self.assertEqual((code, reason), (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"))

    def test_descriptors_are_given_back(self):
        """Each connection has two."""
        gateway = stack.programs["gateway"]
        before = gateway.descriptor_count()
        for raw in [self.connect() for _ in range(CROWD)]:
            raw.socket.close()
        wait_until(lambda: gateway.descriptor_count() <= before, "descriptors of ended connections")

    def test_each_listener_has_its_own_metrics(self):
        own = Stack()
        self.addCleanup(own.stop)
        gateway = own.start_gateway(HTTP, "--listen=front=tcp://127.0.0.1:0,inner=tcp://127.0.0.1:0",
                                    backends={"echo": "127.0.0.1:1"})
        host, port = gateway.address("inner")[:2]
        other = rpc.Client(f"{host}:{port}")
        self.addCleanup(other.close)
        other.control.ListServices(rpc.control.ListServicesRequest(), timeout=PATIENCE)
        for name, count in (("front", 0), ("inner", 1)):
            labels = {"service": "gateway", "listener": name}
            self.assertEqual(page_of(gateway).value("rawgate_listener_connections_opened_total", **labels), count)
            self.assertEqual(page_of(gateway).value("rawgate_listener_connections", **labels), count)


if __name__ == "__main__":
    unittest.main()
