"""`buf curl` as a client: over Connect with the contract in a file, over gRPC with what reflection tells."""

import base64
import json
import os
import pathlib
import subprocess
import unittest

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE
from tests.harness.descriptors import write_descriptor_set
from tests.harness.program import REPOSITORY
from tests.harness.stack import HTTP, Stack

PACKAGES = pathlib.Path(os.environ.get("RAWGATE_NODE_DIR", REPOSITORY / "build/release/tests/node"))
# The only platform of which it is among the packages.
BUF = PACKAGES / "node_modules/@bufbuild/buf-linux-x64/bin/buf"

stack = Stack()


def setUpModule():
    if os.uname().machine != "x86_64":
        print("\nSKIPPED: buf is installed for x86-64 only", flush=True)
        raise unittest.SkipTest("no buf")
    unittest.addModuleCleanup(stack.stop)
    for name in ("echo", "time", "file"):
        stack.start_service(name)
    stack.start_gateway(HTTP)
    rpc.client_of(stack).close()
    write_descriptor_set(stack.directory / "contract.binpb")


class BufCurlTest(unittest.TestCase):
    def curl(self, method, data, *options):
        return subprocess.run(
            [BUF, "curl", "--data", json.dumps(data), *options, f"{self.url}/{method}"],
            env={**os.environ, "HOME": str(stack.directory)}, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def call(self, method, data, *options):
        done = self.curl(method, data, *self.protocol, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def check(self):
        self.assertEqual(self.call("rawgate.time.v1.TimeService/GetTime", {"format": "still"})["formatted"], "still")
        payload = base64.b64encode(b"hello").decode()
        echoed = self.call("rawgate.echo.v1.EchoService/Echo", {"payload": payload})
        self.assertEqual(base64.b64decode(echoed["payload"]), b"HELLO")
        (stack.file_root / "file").write_bytes(b"content")
        done = self.curl("rawgate.file.v1.FileService/Download", {"filename": "file"}, *self.protocol)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(base64.b64encode(b"content").decode(), done.stdout)
        failed = self.curl("rawgate.file.v1.FileService/StatFile", {"filename": "missing"}, *self.protocol)
        self.assertNotEqual(failed.returncode, 0)
        error = json.loads(failed.stderr)
        self.assertEqual(error["code"], "not_found")
        packed = error["details"][0]["value"]
        self.assertIn(b"FILE_NOT_FOUND", base64.b64decode(packed + "=" * (-len(packed) % 4)))


class ConnectTest(BufCurlTest):
    @property
    def protocol(self):
        return "--protocol", "connect", "--schema", str(stack.directory / "contract.binpb")

    @property
    def url(self):
        return "http://{}:{}".format(*stack.http("gateway"))

    def test_connect(self):
        self.check()


class GrpcTest(BufCurlTest):
    protocol = ("--protocol", "grpc", "--http2-prior-knowledge", "--reflect")

    @property
    def url(self):
        return f"http://{stack.gateway_target}"

    def test_grpc_with_reflection(self):
        self.check()


if __name__ == "__main__":
    unittest.main()
