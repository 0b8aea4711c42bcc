"""Runs one test module against containers that are up already, through the ports that they publish:

    python3 -m tests.docker.published MODULE DESCRIPTION

Instead of starting programs, the module's Stack hands out the published addresses. DESCRIPTION is JSON: `addresses` ([service,
listener, host, port]), `files` (the file service's volume, as seen here), `exec_root` (the root of exec's container, likewise)
and `without` (cases that are left out, and the flags that are those of the containers as well, each with its reason).
"""

import importlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import types
import unittest

from tests.harness import stack as stacks
from tests.harness.durability import private_mounts_or_skip


class PublishedStack:
    """What tests.harness.stack.Stack is for programs of our own. Whatever asks for more than containers can give fails."""

    description = None

    def __init__(self, stable_ports=False):
        del stable_ports  # they are
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="rawgate-test-"))
        self.directory.chmod(0o755)
        self.file_root = self.directory / "files"
        self.file_root.mkdir()
        subprocess.run(["mount", "--bind", self.description["files"], self.file_root], check=True)
        # A folder of exec's container that has the same path here.
        self.scratch = self.directory / "scratch"
        self._theirs = pathlib.Path(f"{self.description['exec_root']}{self.directory}")
        self._theirs.mkdir()
        (self._theirs / "scratch").mkdir()
        (self._theirs / "scratch").chmod(0o1777)
        self.scratch.symlink_to(self._theirs / "scratch")
        self.programs = {}

    def start_service(self, name, *flags, listeners=None, environment=None):
        unwanted = [flag for flag in flags if flag not in self.description["without"]]
        if unwanted or listeners or environment:
            raise AssertionError(f"the containers' {name} has not {unwanted}, {listeners}, {environment}")
        # Its own RPC address is not published; the gateway forwards the same calls.
        self.programs[name] = types.SimpleNamespace(rpc_target=self.gateway_target)

    def start_gateway(self):
        pass

    def start_all(self):
        for name in stacks.LISTENERS:
            self.start_service(name)
        return self

    def address(self, service, listener):
        for *key, host, port in self.description["addresses"]:
            if key == [service, listener]:
                return host, port
        raise KeyError(f"{service}/{listener} is not published")

    @property
    def gateway_target(self):
        return "{}:{}".format(*self.address("gateway", "grpc"))

    def stop(self):
        """The next module finds no files; what the store keeps for itself stays."""
        for path in self.file_root.iterdir():
            if path.is_dir() and not path.name.startswith(".rawgate"):
                shutil.rmtree(path)
            elif path.is_file():
                path.unlink()
        subprocess.run(["umount", self.file_root], check=True)
        shutil.rmtree(self._theirs)
        shutil.rmtree(self.directory)


def cases_of(suite):
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from cases_of(each)
        else:
            yield each


def main():
    module, description = sys.argv[1], json.loads(sys.argv[2])
    private_mounts_or_skip()
    PublishedStack.description = description
    # Before the module imports it by name.
    stacks.Stack = PublishedStack
    # As in the containers.
    os.environ["TZ"] = "UTC0"
    suite, used = unittest.TestSuite(), set()
    for case in cases_of(unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(module))):
        name = case.id().removeprefix(f"{module}.")
        left_out = {name, name.partition(".")[0]} & set(description["without"])
        used |= left_out
        if left_out:
            print(f"left out: {module}.{name}: {description['without'][left_out.pop()]}")
        else:
            suite.addTest(case)
    stale = [name for name in description["without"] if name not in used and not name.startswith("--")]
    if stale or not suite.countTestCases():
        sys.exit(f"{module}: no such cases: {stale}, {suite.countTestCases()} left")
    sys.stdout.flush()
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(0 if result.wasSuccessful() and not result.skipped else 1)


if __name__ == "__main__":
    main()
