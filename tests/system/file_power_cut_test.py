"""The power fails while fifty clients upload: what is on the disk then has all that was acknowledged before, and nothing
that is not whole. The disk has a write cache, of which anything may be lost, in any order: see harness/volatile_disk.py.
"""

import contextlib
import hashlib
import pathlib
import tempfile
import time
import unittest

from tests.conformance.file_client import packed_request, receive_reply, request
from tests.conformance.plain_client import connect
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.durability import chance, figure, private_mounts_or_skip, report
from tests.harness.file_writers import Writers
from tests.harness.power_cut_disk import PowerCutDisk, another_boot, check_file_system, disk_or_skip
from tests.harness.program import Program
from tests.harness.stack import Stack
from tests.harness.stored_versions import STORED, Ledger, hidden_leftovers

# Each on a new disk, with a new service. The second way to mount it is allowed to have a file's new length on the disk
# before its bytes.
ROUNDS = figure(2, 10)
CUTS = figure(3, 5)
MOUNT_OPTIONS = ((), ("data=writeback", "nodelalloc"))
CLIENTS = 50
SIZE_MAX = 200_000
LONGEST_WAIT_S = 0.4
# How often a service that does not wait for its disk may get away with it.
ATTEMPTS = 20
SURVIVES = ("none", "some", "all")
CUTS_BETWEEN_CALLS = figure(12, 60)
NAME_CHANGES = "linkat,renameat2,unlinkat"
PAUSE_US = 5000


def setUpModule():
    private_mounts_or_skip()
    disk_or_skip()


def injected(calls, what):
    """A command under which a program's system calls of these names are like that."""
    return ["strace", "-D", "-f", "-q", "-o", "/dev/null", "--seccomp-bpf", f"--trace={calls}",
            f"--inject={calls}:{what}"]


class PowerCutTest(unittest.TestCase):
    def setUp(self):
        self.chance = chance(f"power cuts: {self._testMethodName}")

    @contextlib.contextmanager
    def load(self, mount_options=(), **service):
        """Yields a disk with a service on it, clients at work, and their ledger."""
        with contextlib.ExitStack() as running:
            stack = Stack()
            running.callback(stack.stop)
            disk = running.enter_context(PowerCutDisk(stack.directory, mount_options))
            running.callback(lambda: stack.programs.pop("file").stop())
            program = stack.start_service("file", f"--root={disk.folder}/files", **service)
            ledger = Ledger()
            writers = Writers(ledger, self.chance, SIZE_MAX, CLIENTS)
            running.callback(writers.join)
            writers.start(program.address("tcp"))
            wait_until(lambda: ledger.stored_count() >= CLIENTS, "the first replies")
            yield disk, ledger, writers

    @contextlib.contextmanager
    def power_cut(self, disk, mode):
        """Yields what is left, mounted, and the moments before and after."""
        time.sleep(self.chance.uniform(0, LONGEST_WAIT_S))  # the moment is what the test is about
        begin = time.monotonic_ns()
        with disk.after_power_cut(self.chance.randrange(1 << 32), mode) as image:
            end = time.monotonic_ns()
            with disk.mounted_copy(image) as folder:
                yield folder / "files", begin, end
            check_file_system(image)

    def test_what_was_acknowledged_is_on_the_disk_and_nothing_partial(self):
        self.check_power_cuts(ROUNDS, CUTS)

    def test_so_it_is_between_any_two_calls_that_change_names(self):
        """What comes between two such calls, and may hold on the disk for long, is met seldom otherwise."""
        self.check_power_cuts(1, CUTS_BETWEEN_CALLS, under=injected(NAME_CHANGES, f"delay_exit={PAUSE_US}"))

    def check_power_cuts(self, rounds, cuts, **service):
        acknowledged = resumed = 0
        for number in range(rounds):
            with self.load(MOUNT_OPTIONS[number % len(MOUNT_OPTIONS)], **service) as (disk, ledger, writers):
                for cut in range(cuts):
                    mode = SURVIVES[cut % len(SURVIVES)]
                    with self.subTest(cut=cut, survives=mode), self.power_cut(disk, mode) as (root, begin, end):
                        self.assertEqual(ledger.faults(root, begin, end), [])
                        resumed += self.check_next_service(disk, root, ledger, writers, begin)
                acknowledged += ledger.stored_count()
            self.assertEqual(writers.failures(), [])
        report(f"{rounds * cuts} power cuts: {acknowledged} acknowledged changes, none lost, nothing partial; "
               f"{resumed} uploads went on")

    def check_next_service(self, disk, root, ledger, writers, begin):
        """The one that finds what the power cut left. Returns how many uploads it goes on with."""
        flags = [f"--root={root}", "--listen=tcp=tcp://127.0.0.1:0", "--rpc_listen=tcp://127.0.0.1:0"]
        with another_boot(disk.work):
            service = Program("file", flags, disk.work).start()
        try:
            wait_until(lambda: not hidden_leftovers(root), "the end of what was left")
            with contextlib.closing(rpc.Client(service.rpc_target)) as client:
                uploads = client.file.ListUploads(rpc.file.ListUploadsRequest(page_size=1000)).uploads
            committed = {each.upload_id: each.committed_size for each in uploads}
            for version, upload_id, least in writers.told_before(begin):
                self.assertTrue(ledger.shows_stored(root, version) or committed.get(upload_id, -1) >= least,
                                (version, upload_id, least, committed))
            for each in uploads:
                self.check_resuming(service, root, each, writers.version_of(each.upload_id))
            return sum(each.committed_size > 0 for each in uploads)
        finally:
            service.stop()

    def check_resuming(self, service, root, upload, version):
        content = version.content()
        with connect(service.address("tcp")) as client:
            status = request(client, op="status", upload_id=upload.upload_id)
            prefix = content[:status["offset"]]
            self.assertEqual(status["prefix_sha256"], hashlib.sha256(prefix).hexdigest(), version)
            header = {"filename": version.name, "filesize": version.size, "upload_id": upload.upload_id,
                      "offset": len(prefix)}
            client.sendall(packed_request(header) + content[len(prefix):])
            self.assertEqual(receive_reply(client)["status"], "ok")
        self.assertEqual((root / version.name).read_bytes(), content)

    def fault_without(self, call, like):
        """The same check, of a service for which one system call does nothing, finds a fault like this."""
        with self.load(under=injected(call, "retval=0")) as (disk, ledger, _):
            for attempt in range(1, ATTEMPTS + 1):
                with self.power_cut(disk, "none") as (root, begin, end):
                    faults = [fault for fault in ledger.faults(root, begin, end) if like in fault]
                if faults:
                    report(f"without {call}: {len(faults)} faults at power cut {attempt}, such as: {faults[0][:100]}")
                    return True
        return False

    def test_one_that_was_replaced_since_counts_as_stored(self):
        """Of what is found after a power cut: but only if it was stored for certain before."""
        ledger = Ledger()
        older = ledger.begin("name", 10)
        with tempfile.TemporaryDirectory() as root:
            path = pathlib.Path(root) / "name"
            self.assertFalse(ledger.shows_stored(root, older))
            path.write_bytes(ledger.begin("name", 20).content())
            self.assertFalse(ledger.shows_stored(root, older))
            ledger.settle(older, STORED)
            self.assertFalse(ledger.shows_stored(root, older))
            path.write_bytes(ledger.begin("name", 30).content())
            self.assertTrue(ledger.shows_stored(root, older))
            path.unlink()
            self.assertFalse(ledger.shows_stored(root, older))

    def test_a_store_that_does_not_await_its_folders_is_found_out(self):
        self.assertTrue(self.fault_without("fsync", "is missing"))

    def test_a_store_that_does_not_await_its_bytes_is_found_out(self):
        self.assertTrue(self.fault_without("fdatasync", "is not whole"))


if __name__ == "__main__":
    unittest.main()
