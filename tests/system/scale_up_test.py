"""A service behind a name gets more processes while those it has are well: the new ones get calls too."""

import pathlib
import unittest

from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.metrics import page_of
from tests.harness.name_server import NameServer
from tests.harness.network_namespace import Namespace, namespaces_or_skip
from tests.harness.program import Program
from tests.harness.stack import Stack

ADDRESSES = ["127.0.0.2", "127.0.0.3"]
PORT = 50061
CALLS = 8


def setUpModule():
    namespaces_or_skip()


class ScaleUpTest(unittest.TestCase):
    def setUp(self):
        self.namespace = Namespace()
        self.addCleanup(self.namespace.remove)
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        self.names = NameServer(self.namespace, pathlib.Path(self.stack.directory))
        self.addCleanup(self.names.stop)

    def add_replica(self):
        """One more process, on the next address, which the name lists from now on."""
        address = ADDRESSES[len(self.names.addresses)]
        program = self.stack.start_service(
            "echo", f"--http_listen=tcp://{address}:0", listeners=[f"tcp=tcp://{address}:0"],
            rpc=f"tcp://{address}:{PORT}", label=address, under=self.namespace.under, environment={
                "RAWGATE_ALLOW_INSECURE_BIND": "true"})
        self.names.addresses = [*self.names.addresses, address]
        return program

    def calls_of(self, program):
        """How many unary calls and streams the process has answered."""
        page = self.namespace.call(page_of, program)
        return [sum(page.find("grpc_server_handled_total", grpc_method=method).values()) for method in ("Echo", "Converse")]

    def test_added_replica_is_called_while_the_old_one_is_well(self):
        first = self.add_replica()
        socket = self.stack.directory / "gateway.sock"
        self.stack.programs["gateway"] = Program(
            "gateway", [f"--listen=grpc=unix://{socket}", f"--backends=echo=dns:///echo.test:{PORT}"],
            self.stack.directory, under=self.names.under).start()
        client = rpc.Client(f"unix:{socket}")
        self.addCleanup(client.close)

        def call():
            for _ in range(CALLS):
                client.echo.Echo(rpc.echo.EchoRequest(payload=b"x"), timeout=rpc.PATIENCE, wait_for_ready=True)
                list(client.echo.Converse(iter([rpc.echo.ConverseRequest(payload=b"x")]), timeout=rpc.PATIENCE))

        call()
        self.assertTrue(all(self.calls_of(first)))
        second = self.add_replica()

        def called():
            call()
            return all(self.calls_of(second))

        wait_until(called, "calls of both kinds at the replica that was added")
