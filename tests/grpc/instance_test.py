"""Answers name the process that they are from, as ControlService does: behind one name there may be many."""

import json
import unittest
import urllib.request

import grpc

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE
from tests.harness.program import grpc_target
from tests.harness.stack import HTTP, Stack

KEY = "rawgate-instance"

stack = Stack()
client = None


def setUpModule():
    global client
    unittest.addModuleCleanup(stack.stop)
    replicas = [stack.start_service("echo"), stack.start_service("echo", label="echo-2")]
    addresses = ",".join(grpc_target(replica.ready["rpc"]) for replica in replicas)
    stack.start_gateway(HTTP, backends={"echo": f"ipv4:{addresses}"})
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def instances():
    listed = client.control.ListServices(rpc.control.ListServicesRequest(), timeout=PATIENCE).services
    return {service.instance for service in listed if service.name == "echo"}


class InstanceTest(unittest.TestCase):
    def test_calls_through_the_gateway_are_answered_by_all_replicas(self):
        calls = [client.echo.Echo.with_call(rpc.echo.EchoRequest(payload=b"a"), timeout=PATIENCE)[1] for _ in range(64)]
        seen = {dict(call.initial_metadata())[KEY] for call in calls}
        self.assertEqual(len(seen), 2)
        self.assertEqual(seen, instances())

    def test_a_stream_names_one(self):
        stream = client.echo.Converse(iter([rpc.echo.ConverseRequest(payload=b"a")]), timeout=PATIENCE)
        self.assertEqual(next(stream).payload, b"A")
        self.assertIn(dict(stream.initial_metadata())[KEY], instances())

    def test_over_http(self):
        request = urllib.request.Request("http://%s:%d/rawgate.echo.v1.EchoService/Echo" % stack.http("gateway"),
                                         b'{"payload": "YQ=="}', {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            self.assertEqual(json.load(answer), {"payload": "QQ=="})
            self.assertIn(answer.headers[KEY], instances())

    def test_a_refusal_has_no_initial_metadata(self):
        """With any, gRPC's clients would take the call for answered, and not try it again."""
        for target in (client, rpc.Client(stack.programs["echo"].rpc_target)):
            with self.assertRaises(grpc.RpcError) as caught:
                target.echo.Echo(rpc.echo.EchoRequest(payload=b"a", transform=99), timeout=PATIENCE)
            self.assertFalse(caught.exception.initial_metadata())
            self.assertEqual(rpc.reason_and_details(caught.exception)[0], "UNKNOWN_TRANSFORM")


if __name__ == "__main__":
    unittest.main()
