"""What examples/README.md tells strangers to type, typed: each block of commands in a copy of the repository as it is under
version control, and then the commands of its table, against the gateway."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from tests.examples.languages import BUILT, EXAMPLES, Go
from tests.harness import rpc
from tests.harness.deadlines import PATIENCE
from tests.harness.ports import stable_port
from tests.harness.program import REPOSITORY, clean_environment
from tests.harness.stack import HTTP, Stack

TEXT = (EXAMPLES / "README.md").read_text(encoding="utf-8")
# By the first words of a block.
NOT_RUN = {
    "cd examples/go": "fetches modules; the programs are the same",
    "cmake -S examples/cpp": "compiles all stubs once more; cpp_test does it in part",
}
# Where typed examples are that have been made ready here.
RUN = ("Python", "Node", "Go", "shell")


class RecipesTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rawgate-recipes-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ("examples", "protos"):
            ignored = shutil.ignore_patterns("node_modules", "gen", "build", "__pycache__")
            shutil.copytree(REPOSITORY / name, self.folder / name, ignore=ignored)
        BUILT.mkdir(parents=True, exist_ok=True)
        self.environment = clean_environment(
            PATH=f"/usr/bin:{os.environ['PATH']}", GOCACHE=str(Go.path / "cache"), GOFLAGS="", no_proxy="127.0.0.1")
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        port = stable_port()
        self.stack.start_service("echo", listeners=[f"{kind}={kind}://127.0.0.1:{port}" for kind in ("tcp", "udp")])
        self.stack.start_gateway(HTTP)
        rpc.client_of(self.stack).close()

    def type(self, commands):
        done = subprocess.run(["bash", "-euc", commands], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=5 * PATIENCE,
                              check=False)
        self.assertEqual(done.returncode, 0, f"{commands}\n{done.stdout}")
        return done.stdout

    def test_recipes(self):
        for block in re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
            if not block.startswith(tuple(NOT_RUN)):
                self.type(block)
        for language in RUN:
            row = re.search(rf"^\| {language} \| `(.*?)` \| `(.*?)` \|", TEXT, re.MULTILINE)
            address = "http://{}:{}".format(*self.stack.http("gateway")) if language == "shell" else self.stack.gateway_target
            with self.subTest(language=language):
                host, port = self.stack.address("echo", "tcp")
                raw = f"{host}:{port}" if language == "Go" else f"{host} {port}"
                self.assertIn("tcp: HELLO", self.type(f"{row[1]} {raw}"))
                self.assertIn("echo: HELLO", self.type(f"{row[2]} {address}"))


if __name__ == "__main__":
    unittest.main()
