"""The power fails while fifty clients upload: what is on the disk then has all that was acknowledged before, and nothing
that is not whole. The disk has a write cache, of which anything may be lost, in any order: see harness/volatile_disk.py.
"""

import contextlib
import time
import unittest

from tests.harness.deadlines import wait_until
from tests.harness.durability import chance, figure, private_mounts_or_skip, report
from tests.harness.file_writers import Writers
from tests.harness.power_cut_disk import PowerCutDisk, check_file_system, disk_or_skip
from tests.harness.stack import Stack
from tests.harness.stored_versions import Ledger

# Each on a new disk, with a new service.
ROUNDS = figure(1, 10)
CUTS = 5
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
    def load(self, **service):
        """Yields a disk with a service on it, clients at work, and their ledger."""
        with contextlib.ExitStack() as running:
            stack = Stack()
            running.callback(stack.stop)
            disk = running.enter_context(PowerCutDisk(stack.directory))
            running.callback(lambda: stack.programs.pop("file").stop())
            program = stack.start_service("file", f"--root={disk.folder}/files", **service)
            ledger = Ledger()
            writers = Writers(ledger, self.chance, SIZE_MAX, CLIENTS)
            running.callback(writers.join)
            writers.start(program.address("tcp"))
            wait_until(lambda: ledger.stored_count() >= CLIENTS, "the first replies")
            yield disk, ledger, writers

    def faults_after_power_cut(self, disk, ledger, mode):
        time.sleep(self.chance.uniform(0, LONGEST_WAIT_S))  # the moment is what the test is about
        begin = time.monotonic_ns()
        with disk.after_power_cut(self.chance.randrange(1 << 32), mode) as image:
            end = time.monotonic_ns()
            with disk.mounted_copy(image) as folder:
                faults = ledger.faults(folder / "files", begin, end)
            check_file_system(image)
            return faults

    def test_what_was_acknowledged_is_on_the_disk_and_nothing_partial(self):
        acknowledged = 0
        for _ in range(ROUNDS):
            with self.load() as (disk, ledger, writers):
                for cut in range(CUTS):
                    mode = SURVIVES[cut % len(SURVIVES)]
                    with self.subTest(cut=cut, survives=mode):
                        self.assertEqual(self.faults_after_power_cut(disk, ledger, mode), [])
                acknowledged += ledger.stored_count()
            self.assertEqual(writers.failures(), [])
        report(f"{ROUNDS * CUTS} power cuts: {acknowledged} acknowledged changes, none lost, nothing partial")

    def faults_without(self, call):
        """The same test, of a service for which one system call does nothing."""
        skipped = ["strace", "-D", "-f", "-q", "-o", "/dev/null", "--seccomp-bpf", f"--trace={call}",
                   f"--inject={call}:retval=0"]
        with self.load(under=skipped) as (disk, ledger, _):
            for attempt in range(1, ATTEMPTS + 1):
                if faults := self.faults_after_power_cut(disk, ledger, "none"):
                    report(f"without {call}: {len(faults)} faults at power cut {attempt}, such as: {faults[0][:100]}")
                    return faults
        return []

    def test_a_store_that_does_not_await_its_folders_is_found_out(self):
        self.assertNotEqual(self.faults_without("fsync"), [])

    def test_a_store_that_does_not_await_its_bytes_is_found_out(self):
        self.assertIn("not whole", "\n".join(self.faults_without("fdatasync")))


if __name__ == "__main__":
    unittest.main()
