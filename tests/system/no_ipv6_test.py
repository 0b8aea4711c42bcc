"""On a machine, or in a container, that has no IPv6."""

import pathlib
import tempfile
import unittest

from tests.harness.network_namespace import Namespace, namespaces_or_skip
from tests.harness.program import Program


def setUpModule():
    namespaces_or_skip()


class NoIpv6Test(unittest.TestCase):
    def setUp(self):
        self.network = Namespace()
        self.addCleanup(self.network.remove)
        self.network.call(pathlib.Path("/proc/sys/net/ipv6/conf/lo/disable_ipv6").write_text, "1")
        folder = tempfile.TemporaryDirectory(prefix="rawgate-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_a_program_that_was_told_nothing_does_without(self):
        flags = {"file": [f"--root={self.folder / 'files'}"], "chat": [f"--history={self.folder / 'chat'}"]}
        for name in ("echo", "exec", "time", "file", "chat", "gateway"):
            with self.subTest(program=name):
                program = Program(name, flags.get(name, []), self.folder, under=self.network.under).start()
                addresses = [listener["address"] for listener in program.ready["listeners"]]
                program.stop()
                self.assertTrue(addresses)
                self.assertFalse([address for address in addresses if "127.0.0.1" not in address])

    def test_an_address_that_was_asked_for_is_not_left_out(self):
        program = Program("echo", ["--listen=tcp=tcp://[::1]:8080"], self.folder, under=self.network.under).spawn()
        program.expect_exit(1)
        self.assertIn("tcp://[::1]:8080", program.log_tail())


if __name__ == "__main__":
    unittest.main()
