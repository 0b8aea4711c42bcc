"""kill -9 of rawgate-file, again and again, while fifty clients upload: what was acknowledged is whole, nothing that is
not whole is seen, and what is left can be resumed or is gone."""

import contextlib
import time
import unittest

from tests.conformance.plain_client import connect
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.durability import chance, figure, report
from tests.harness.file_writers import Writers
from tests.harness.stack import Stack
from tests.harness.stored_versions import Ledger, hidden_leftovers

CYCLES = figure(20, 200)
CLIENTS = 50
SIZE_MAX = 3 << 20
# From the first reply on: by then all fifty are at it.
LONGEST_LIFE_S = 0.5


class KillTest(unittest.TestCase):
    def setUp(self):
        self.chance = chance("kill -9 under load")
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        self.ledger = Ledger()
        self.writers = Writers(self.ledger, self.chance, SIZE_MAX, CLIENTS)
        self.addCleanup(self.writers.join)

    def test_what_was_acknowledged_is_there_and_nothing_else(self):
        for cycle in range(CYCLES):
            with self.subTest(cycle=cycle):
                self.live_and_die()
                self.restart_and_check()
        self.complete_what_is_left()
        self.assertGreater(self.ledger.stored_count(), CYCLES)
        report(f"{CYCLES} kills: {self.ledger.stored_count()} acknowledged changes, none lost, nothing partial; "
               f"{self.writers.resumed_count()} uploads resumed where they were")

    def live_and_die(self):
        service = self.stack.start_service("file")
        already = self.ledger.stored_count()
        self.writers.start(service.address("tcp"))
        wait_until(lambda: self.ledger.stored_count() > already, "the first reply")
        time.sleep(self.chance.uniform(0, LONGEST_LIFE_S))  # the moment is what the test is about
        self.writers.expect_end()
        self.stack.programs.pop("file").kill()
        self.writers.join()
        self.assertEqual(self.writers.failures(), [])
        self.ledger.settle_interrupted(self.stack.file_root, self.writers.resumable_names())

    def assert_store_is_right(self):
        now = time.monotonic_ns()
        self.assertEqual(self.ledger.faults(self.stack.file_root, now, now), [])

    def restart_and_check(self):
        """Before and after its successor has cleared up."""
        self.assert_store_is_right()
        service = self.stack.start_service("file")
        wait_until(lambda: not hidden_leftovers(self.stack.file_root), "the end of what was left")
        self.assertLessEqual(self.unfinished_uploads(service), self.writers.upload_ids())
        self.assert_store_is_right()
        self.stack.programs.pop("file").stop()

    def unfinished_uploads(self, service):
        with contextlib.closing(rpc.Client(service.rpc_target)) as client:
            request = rpc.file.ListUploadsRequest(page_size=1000)
            return {upload.upload_id for upload in client.file.ListUploads(request, timeout=rpc.PATIENCE).uploads}

    def complete_what_is_left(self):
        service = self.stack.start_service("file")
        for writer in self.writers.each:
            with connect(service.address("tcp")) as client:
                writer.finish(client)
        self.assertEqual(self.writers.failures(), [])
        self.assertEqual(self.ledger.pending(), [])
        self.assertEqual(self.unfinished_uploads(service), set())
        self.assert_store_is_right()


if __name__ == "__main__":
    unittest.main()
