"""The power fails while fifty clients upload: what is on the disk then has all that was acknowledged before, and nothing
that is not whole. The disk has a write cache, of which anything may be lost, in any order: see harness/volatile_disk.py.
"""

import contextlib
import hashlib
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
from tests.harness.stored_versions import Ledger, hidden_leftovers

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


def setUpModule():
    private_mounts_or_skip()
    disk_or_skip()


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
        acknowledged = resumed = 0
        for number in range(ROUNDS):
            with self.load(MOUNT_OPTIONS[number % len(MOUNT_OPTIONS)]) as (disk, ledger, writers):
                for cut in range(CUTS):
                    mode = SURVIVES[cut % len(SURVIVES)]
                    with self.subTest(cut=cut, survives=mode), self.power_cut(disk, mode) as (root, begin, end):
                        self.assertEqual(ledger.faults(root, begin, end), [])
                        resumed += self.check_next_service(disk, root, writers, begin)
                acknowledged += ledger.stored_count()
            self.assertEqual(writers.failures(), [])
        report(f"{ROUNDS * CUTS} power cuts: {acknowledged} acknowledged changes, none lost, nothing partial; "
               f"{resumed} uploads went on")

    def check_next_service(self, disk, root, writers, begin):
        """The one that finds what the power cut left. Returns how many uploads it goes on with."""
        flags = [f"--root={root}", "--listen=tcp=tcp://127.0.0.1:0", "--rpc_listen=tcp://127.0.0.1:0"]
        with another_boot(disk.work):
            service = Program("file", flags, disk.work).start()
        try:
            wait_until(lambda: not hidden_leftovers(root), "the end of what was left")
            with contextlib.closing(rpc.Client(service.rpc_target)) as client:
                uploads = client.file.ListUploads(rpc.file.ListUploadsRequest(page_size=1000)).uploads
            self.check_what_was_told(root, {each.upload_id: each.committed_size for each in uploads}, writers, begin)
            for each in uploads:
                self.check_resuming(service, root, each, writers.version_of(each.upload_id))
            return sum(each.committed_size > 0 for each in uploads)
        finally:
            service.stop()

    def check_what_was_told(self, root, committed, writers, begin):
        for version, upload_id, least in writers.told_before(begin):
            path = root / version.name
            stored = path.exists() and path.read_bytes() == version.content()
            self.assertTrue(stored or committed.get(upload_id, -1) >= least, (version, upload_id, least, committed))

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
        skipped = ["strace", "-D", "-f", "-q", "-o", "/dev/null", "--seccomp-bpf", f"--trace={call}",
                   f"--inject={call}:retval=0"]
        with self.load(under=skipped) as (disk, ledger, _):
            for attempt in range(1, ATTEMPTS + 1):
                with self.power_cut(disk, "none") as (root, begin, end):
                    faults = [fault for fault in ledger.faults(root, begin, end) if like in fault]
                if faults:
                    report(f"without {call}: {len(faults)} faults at power cut {attempt}, such as: {faults[0][:100]}")
                    return True
        return False

    def test_a_store_that_does_not_await_its_folders_is_found_out(self):
        self.assertTrue(self.fault_without("fsync", "is missing"))

    def test_a_store_that_does_not_await_its_bytes_is_found_out(self):
        self.assertTrue(self.fault_without("fdatasync", "is not whole"))


if __name__ == "__main__":
    unittest.main()
