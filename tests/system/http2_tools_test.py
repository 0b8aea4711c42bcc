"""Tools that speak HTTP/2 and know nothing of gRPC: nghttp and h2load call a method through the gateway."""

import re
import struct
import subprocess
import unittest

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE
from tests.harness.stack import Stack

METHOD = "rawgate.echo.v1.EchoService/Echo"
HEADERS = ("-H", "content-type: application/grpc", "-H", "te: trailers")
CALLS = 2000

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


class Http2ToolsTest(unittest.TestCase):
    def setUp(self):
        message = rpc.echo.EchoRequest(payload=b"by hand").SerializeToString()
        self.body = stack.directory / "body"
        self.body.write_bytes(struct.pack(">BI", 0, len(message)) + message)
        self.url = f"http://{stack.gateway_target}/{METHOD}"

    def run_tool(self, *command):
        result = subprocess.run([*map(str, command), self.url], capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.decode(errors="replace")

    def test_nghttp_is_answered_with_a_message_and_status_0_in_the_trailers(self):
        output = self.run_tool("nghttp", "--verbose", f"--data={self.body}", *HEADERS)
        self.assertIn("BY HAND", output)
        fields = re.findall(r"recv \(stream_id=\d+\) ([\w:-]+): (\S+)", re.sub(r"\x1b\[[\d;]*m", "", output))
        self.assertEqual([value for name, value in fields if name == ":status"], ["200"])
        self.assertEqual(fields[-1], ("grpc-status", "0"))

    def test_every_call_of_h2load_is_served_well(self):
        """It sees status 200 whatever grpc-status says; the service counts calls, and those that failed."""
        before = client.service("echo").counters
        output = self.run_tool("h2load", f"--requests={CALLS}", "--clients=4", "--max-concurrent-streams=10",
                               f"--data={self.body}", *HEADERS)
        self.assertIn(f"{CALLS} succeeded, 0 failed, 0 errored, 0 timeout", output)
        after = client.service("echo").counters
        self.assertEqual(after.requests - before.requests, CALLS)
        self.assertEqual(after.request_errors, before.request_errors)


if __name__ == "__main__":
    unittest.main()
