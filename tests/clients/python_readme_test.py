"""The programs that clients/python/README.md shows, each run as it is against all services; what stands behind `# -> ` is what it
prints."""

import pathlib
import subprocess
import tempfile
import unittest

from tests.conformance.plain_client import datagram_socket
from tests.documents.blocks import pattern_of, steps_of
from tests.harness import python_client
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.program import clean_environment
from tests.harness.stack import LISTENERS, Stack

# pylint: disable=wrong-import-order
import rawgate

stack = None


def setUpModule():
    global stack
    stack = Stack(stable_ports=True)
    unittest.addModuleCleanup(stack.stop)
    stack.start_all()
    with rawgate.connect(stack.gateway_target) as client:
        wait_until(lambda: [each.state for each in client.services.list()] == [rawgate.ServiceState.RUNNING] * len(LISTENERS),
                   "the services")
        hold_a_chat(client)


def hold_a_chat(client):
    """As the README of the repository, which has been read before, does it."""
    with datagram_socket(stack.address("chat", "udp")) as raw, client.chat.watch(timeout=PATIENCE) as updates:
        raw.send(b"is anybody there?")
        next(update for update in updates if isinstance(update, rawgate.Message))


class ReadmeTest(unittest.TestCase):
    def test_programs(self):
        programs = [step for step in steps_of(python_client.SOURCE / "README.md") if step.language == "python"]
        self.assertGreater(len(programs), 3)
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for program in programs:
            with self.subTest(program=program.text):
                ended = subprocess.run(
                    ["/usr/bin/python3", "-W", "error", "-c", program.text], cwd=folder, timeout=PATIENCE, check=False,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                    env=clean_environment(PYTHONPATH=python_client.FOLDER, RAWGATE_GATEWAY=stack.gateway_target))
                self.assertEqual(ended.returncode, 0, ended.stdout)
                self.assertRegex(ended.stdout.rstrip("\n"), rf"\A{pattern_of(program.shown)}\Z")


if __name__ == "__main__":
    unittest.main()
