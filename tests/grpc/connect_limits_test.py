"""What clients of the gateway's HTTP door may take, and how they may leave."""

import http.client
import json
import socket
import struct
import unittest

from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.stack import HTTP, Stack

CONVERSE = "/rawgate.echo.v1.EchoService/Converse"
LIST_SERVICES = "/rawgate.control.v1.ControlService/ListServices"
HEALTH_WATCH = "/grpc.health.v1.Health/Watch"
ENVELOPE = struct.pack(">BI", 0, 2) + b"{}"

stack = Stack()


def setUpModule():
    unittest.addModuleCleanup(stack.stop)
    stack.start_gateway(HTTP, backends={"echo": "127.0.0.1:1"})


class ConnectLimitsTest(unittest.TestCase):
    def test_more_messages_than_a_request_may_have(self):
        connection = http.client.HTTPConnection(*stack.http("gateway"), timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("POST", CONVERSE, ENVELOPE * 1025, {"content-type": "application/connect+json"})
        error = json.loads(connection.getresponse().read()[5:])["error"]
        self.assertEqual((error["code"], error["details"][0]["debug"]["reason"]), ("resource_exhausted", "TOO_MANY_MESSAGES"))

    def test_a_client_that_ends_its_sending_is_answered(self):
        for _ in range(50):
            with socket.create_connection(stack.http("gateway"), PATIENCE) as connection:
                connection.sendall(f"POST {LIST_SERVICES} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                                   "content-length: 2\r\n\r\n{}".encode())
                connection.shutdown(socket.SHUT_WR)
                self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 200 "))

    def test_clients_that_leave_a_stream_after_a_stray_byte(self):
        """More of them than the server has places."""
        program = stack.programs["gateway"]
        before = program.descriptor_count()
        for _ in range(4):
            watchers = [socket.create_connection(stack.http("gateway"), PATIENCE) for _ in range(300)]
            for each in watchers:
                each.sendall(f"POST {HEALTH_WATCH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/connect+json\r\n"
                             f"content-length: {len(ENVELOPE)}\r\n\r\n".encode() + ENVELOPE)
            for each in watchers:
                answer = b""
                while b'"status"' not in answer:
                    self.assertTrue(more := each.recv(1000))
                    answer += more
                each.sendall(b"x")
            for each in watchers:
                each.close()
            wait_until(lambda: program.descriptor_count() < before + 100, "the descriptors of those who left")
        with socket.create_connection(stack.http("gateway"), PATIENCE) as one:
            one.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
            self.assertTrue(one.recv(100).startswith(b"HTTP/1.1 200 "))


if __name__ == "__main__":
    unittest.main()
