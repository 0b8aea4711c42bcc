"""Uploads and downloads over a network that cuts them at any byte: each goes on where it was, moves little twice, and
ends with the right bytes."""

import hashlib
import unittest

from tests.conformance.file_client import download, request, upload
from tests.conformance.plain_client import connect
from tests.harness import rpc
from tests.harness.durability import chance, figure, report
from tests.harness.fault_proxy import END, RESET, SILENCE, TO_CLIENT, TO_SERVER, Cut, FaultProxy
from tests.harness.faults import ALLOWED, set_faults
from tests.harness.resuming_client import FileChanged, ResumingDownload, ResumingUpload
from tests.harness.stack import Stack
from tests.harness.stored_versions import Ledger

TRANSFERS = figure(25, 100)
SIZES = 4 << 20, 10 << 20
CUTS_MAX = 2
MOVED_MAX = 1.1

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    client = rpc.Client(stack.start_service("file", ALLOWED).rpc_target)
    unittest.addModuleCleanup(client.close)


class ResumeTest(unittest.TestCase):
    def setUp(self):
        self.chance = chance(f"resuming: {self._testMethodName}")
        self.proxy = FaultProxy(stack.address("file", "tcp"))
        self.addCleanup(self.proxy.close)
        self.ledger = Ledger()

    def next_version(self, name):
        return self.ledger.begin(name, self.chance.randint(*SIZES))

    def cut_next(self, direction, size):
        """At random bytes: in headers and replies too, which are before and behind those of the file."""
        cuts = [Cut(direction, self.chance.randint(1, size + 200), self.chance.choice([RESET, END, SILENCE]))
                for _ in range(self.chance.randint(1, CUTS_MAX))]
        self.proxy.cut_next(*cuts)

    def test_uploads(self):
        moved, size, attempts = 0, 0, 0
        for number in range(TRANSFERS):
            version = self.next_version(f"up/{number}")
            content = version.content()
            with self.subTest(number=number, size=version.size):
                self.cut_next(TO_SERVER, version.size)
                sending = ResumingUpload(self.proxy.address, version.name, content, f"resume-{number}")
                self.assertEqual(sending.run()["status"], "ok")
                self.assertEqual((stack.file_root / version.name).read_bytes(), content)
                self.assertLess(sending.moved, MOVED_MAX * version.size)
            moved, size, attempts = moved + sending.moved, size + version.size, attempts + sending.attempts
        self.assertGreater(attempts, 1.5 * TRANSFERS)
        report(f"{TRANSFERS} uploads in {attempts} attempts: moved {moved / size:.3f} times their size")

    def test_downloads(self):
        moved, size, attempts = 0, 0, 0
        for number in range(TRANSFERS):
            version = self.next_version(f"down/{number % 5}")
            with connect(stack.address("file", "tcp")) as peer:
                self.assertEqual(upload(peer, version.name, version.content())["status"], "ok")
            with self.subTest(number=number, size=version.size):
                self.cut_next(TO_CLIENT, version.size)
                receiving = ResumingDownload(self.proxy.address, version.name)
                receiving.run()
                self.assertEqual(bytes(receiving.content), version.content())
                self.assertLess(receiving.moved, MOVED_MAX * version.size)
            moved, size, attempts = moved + receiving.moved, size + version.size, attempts + receiving.attempts
        self.assertGreater(attempts, 1.5 * TRANSFERS)
        self.assertLess(self.proxy.forwarded(TO_CLIENT), MOVED_MAX * size)
        report(f"{TRANSFERS} downloads in {attempts} attempts: moved {moved / size:.3f} times their size")


class ChangedFileTest(unittest.TestCase):
    """Between two attempts the client's file becomes another of the same length."""

    def setUp(self):
        self.address = stack.address("file", "tcp")
        ledger = Ledger()
        self.name = f"changed-{self._testMethodName}"
        self.older, self.before, self.after = (ledger.begin(self.name, 5_000_000) for _ in range(3))
        with connect(self.address) as peer:
            self.assertEqual(upload(peer, self.name, self.older.content())["status"], "ok")

    def begin(self, **header):
        set_faults(client, "file", "tcp", stream_received={"cut_after_bytes": 3_000_000})
        interrupted = ResumingUpload(self.address, self.name, self.before.content(), self.name, **header)
        with self.assertRaises((OSError, EOFError)):
            with connect(self.address) as peer:
                interrupted.attempt(peer, 0)
        set_faults(client, "file")

    def stored(self):
        with connect(self.address) as peer:
            return download(peer, self.name)[1]

    def test_client_that_compares_notices(self):
        self.begin()
        resumed = ResumingUpload(self.address, self.name, self.after.content(), self.name)
        resumed.attempts = 1
        with self.assertRaises(FileChanged):
            resumed.run()
        self.assertEqual(resumed.moved, 0)
        self.assertEqual(self.stored(), self.older.content())
        anew = ResumingUpload(self.address, self.name, self.after.content(), f"{self.name}-2")
        self.assertEqual(anew.run()["status"], "ok")
        self.assertEqual(self.stored(), self.after.content())

    def test_client_that_does_not_is_told_by_its_digest(self):
        self.begin()
        content = self.after.content()
        with connect(self.address) as peer:
            offset = request(peer, op="status", upload_id=self.name)["offset"]
            self.assertGreater(offset, 0)
            careless = ResumingUpload(self.address, self.name, content, self.name,
                                      sha256=hashlib.sha256(content).hexdigest())
            reply = careless.attempt(peer, offset)
        self.assertEqual((reply["status"], reply.get("code")), ("error", "DATA_LOSS"))
        self.assertEqual(self.stored(), self.older.content())


if __name__ == "__main__":
    unittest.main()
