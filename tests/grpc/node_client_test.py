"""Runs the clients of tests/node, which use @grpc/grpc-js and @connectrpc/connect, against the six processes."""

import os
import subprocess
import unittest

from tests.harness.deadlines import PATIENCE
from tests.harness.descriptors import write_descriptor_set
from tests.harness.program import REPOSITORY, clean_environment
from tests.harness.stack import HTTP, Stack


class NodeClientTest(unittest.TestCase):
    def check(self, script):
        stack = Stack(stable_ports=True)
        self.addCleanup(stack.stop)
        stack.start_all(HTTP)
        environment = clean_environment(
            RAWGATE_GATEWAY=stack.gateway_target,
            RAWGATE_HTTP="http://{}:{}".format(*stack.http("gateway")),
            RAWGATE_DESCRIPTORS=str(write_descriptor_set(stack.directory / "descriptors")),
            RAWGATE_PROTOS=str(REPOSITORY / "protos"),
            RAWGATE_NODE_DIR=os.environ.get("RAWGATE_NODE_DIR", str(REPOSITORY / "build/release/tests/node")))
        # --test-timeout exists from Node 20 on; the deadline here holds for every version.
        result = subprocess.run(["node", "--test", str(REPOSITORY / "tests/node" / script)], env=environment,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=2 * PATIENCE)
        self.assertEqual(result.returncode, 0, result.stdout.decode())
        self.assertNotIn(b"# tests 0", result.stdout)

    def test_our_protos(self):
        self.check("gateway.mjs")

    def test_connect(self):
        self.check("connect.mjs")

    def test_googles_bytestream(self):
        self.check("bytestream.mjs")


if __name__ == "__main__":
    unittest.main()
