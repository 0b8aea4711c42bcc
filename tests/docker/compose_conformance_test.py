"""The twelve systems of the README through the ports that the containers publish: the same tests as for programs of our own."""

import json
import subprocess
import sys
import unittest

from tests.conformance.plain_client import connect, datagram_socket, receive_exactly
from tests.conformance.socket_families_test import DATAGRAM, TABLE
from tests.docker import engine as engines
from tests.docker.conformance_cases import CASES, FURTHER, MODULES
from tests.docker.stack import PUBLISHED, ComposeStack
from tests.harness import rpc
from tests.harness.durability import skip_module
from tests.harness.program import REPOSITORY

control = rpc.control
stack = None
description = None


def setUpModule():
    global stack, description
    engine = engines.engine_or_skip()
    if not engine.own:
        skip_module("volumes and processes of containers are seen with an engine of our own only, which takes root")
    stack = unittest.enterModuleContext(ComposeStack(engine))
    description = {
        "addresses": [[*key, *stack.address(*key)] for key in PUBLISHED],
        "files": stack.volume("file"),
        "exec_root": f"/proc/{stack.host_pid('exec')}/root",
    }


class ModulesTest(unittest.TestCase):
    def check(self, module):
        words = json.dumps({**description, "without": CASES.get(module.rpartition(".")[2], {})})
        result = subprocess.run([sys.executable, "-m", "tests.docker.published", module, words], cwd=REPOSITORY,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
        print(result.stdout, flush=True)
        self.assertEqual(result.returncode, 0, f"{module} failed; what it said is above")

    def test_conformance(self):
        names = sorted(path.stem for path in (REPOSITORY / "tests/conformance").glob("*_test.py"))
        further = {module.rpartition(".")[2] for module in FURTHER}
        self.assertLessEqual({*CASES, *MODULES}, {*names, *further}, "conformance_cases.py names what is not there")
        for name in names:
            if name in MODULES:
                print(f"left out: tests.conformance.{name}: {MODULES[name]}", flush=True)
            else:
                with self.subTest(name):
                    self.check(f"tests.conformance.{name}")

    def test_further(self):
        for module in FURTHER:
            with self.subTest(module):
                self.check(module)


class PublishedTest(unittest.TestCase):
    """Row 10, as far as it can be published: IPv4."""

    def test_every_listener(self):
        rows = {(row.service, row.role): row for row in TABLE
                if (row.service, row.role, row.kind == DATAGRAM) in
                {(service, role, role == "udp") for service, role in PUBLISHED} and row.service != "chat"}
        self.assertEqual(len(rows), len(PUBLISHED) - 3, "all but the chat, which a person answers, and the gateway's own")
        for (service, role), row in rows.items():
            with self.subTest(service=service, listener=role):
                address = stack.address(service, role)
                with (datagram_socket if row.kind == DATAGRAM else connect)(address) as client:
                    row.exchange(self, client)


class ChunksTest(unittest.TestCase):
    """Row 9: what each read of the service returned, as the gateway shows it."""

    def test_messages_are_seen_as_they_arrived(self):
        client = rpc.Client(stack.gateway_target)
        self.addCleanup(client.close)
        watch = client.control.WatchEvents(control.WatchEventsRequest(services=["echo"], include_chunks=True, sample_bytes=256),
                                           timeout=rpc.PATIENCE)
        self.addCleanup(watch.cancel)
        next(watch)  # where events stand
        with connect(stack.address("echo", "tcp")) as raw:
            for word in (b"hello", b"coalesced world"):
                raw.sendall(word)
                receive_exactly(raw, len(word))
        chunks = []
        for batch in watch:
            chunks += [event.chunk_received for event in batch.events if event.WhichOneof("kind") == "chunk_received"]
            if len(chunks) >= 2:
                break
        self.assertEqual([(chunk.size, chunk.sample) for chunk in chunks], [(5, b"hello"), (15, b"coalesced world")])


if __name__ == "__main__":
    unittest.main()
