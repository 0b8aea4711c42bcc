"""Clients that have seen enough after a few bytes, as in `ssh host command | head`: their commands go with them."""

import unittest

from tests.conformance.exec_client import packed_request
from tests.conformance.plain_client import connect, receive_exactly
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.processes import process_exists, read_pids, wait_for_exit_of
from tests.harness.stack import Stack

exec_ = rpc.exec_
LISTENERS = ("raw", "sized", "header", "framed")
# More than sockets hold, so that the service is still sending when its client leaves.
LARGE = 30_000_000
# A tree of three that writes down its process ids, one of them out of the command's session and deaf to SIGTERM.
TREE = ("P=%s; echo $$ >> $P; sleep 1000 & echo $! >> $P;"
        " (setsid sh -c 'trap \"\" TERM; echo $$ >> '$P'; while :; do sleep 1; done' &) ;")
TREE_SIZE = 3

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("exec", "--commands_max=4")
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def requests(listener, *commands):
    """What one connection is asked, all of it sent ahead."""
    if listener == "framed":
        return b"".join(packed_request(command=command) for command in commands)
    return b"".join(command.encode() + b"\n" for command in commands)


class EarlyLeaverTest(unittest.TestCase):
    def setUp(self):
        self.pids = stack.scratch / self.id().rpartition(".")[2]

    def tree(self, then="wait"):
        """A command whose processes will be found in self.pids."""
        return TREE % self.pids + then

    def assert_ended(self, pids):
        for pid in pids:
            wait_for_exit_of(pid)
        self.pids.unlink()

    def test_raw_client_that_leaves_while_its_next_command_runs(self):
        """It closes, no more than that; what it has not read makes a reset of it."""
        for listener in LISTENERS:
            with self.subTest(listener=listener):
                with connect(stack.address("exec", listener)) as raw:
                    raw.sendall(requests(listener, "echo a few bytes", self.tree()))
                    receive_exactly(raw, 3)
                    running = read_pids(self.pids, TREE_SIZE)
                    self.assertTrue(all(process_exists(pid) for pid in running))
                self.assert_ended(running)

    def test_raw_client_that_leaves_in_the_middle_of_a_large_reply(self):
        """The commands that it had sent ahead are not begun."""
        for listener in LISTENERS:
            with self.subTest(listener=listener):
                with connect(stack.address("exec", listener)) as raw:
                    raw.sendall(requests(listener, f"head -c {LARGE} /dev/zero", self.tree()))
                    receive_exactly(raw, 3)
                wait_until(lambda: client.listener("exec", listener).counters.connections_open == 0, "its end")
                self.assertFalse(self.pids.exists())

    def assert_call_ends_tree(self, start):
        """Cancels a call that `start` makes after the first bytes of an output without end."""
        request = exec_.RunRequest(shell_command=self.tree("exec yes"), output_policy=exec_.OUTPUT_POLICY_KEEP_LAST)
        events = start(request)
        self.assertEqual(next(events).WhichOneof("event"), "started")
        self.assertEqual(next(events).output.data[:4], b"y\ny\n")
        running = read_pids(self.pids, TREE_SIZE)
        self.assertTrue(all(process_exists(pid) for pid in running))
        events.cancel()
        self.assert_ended(running)

    def test_run_that_is_cancelled_in_the_middle_of_its_output(self):
        self.assert_call_ends_tree(lambda request: client.exec.Run(request, timeout=rpc.PATIENCE))

    def test_interact_that_is_cancelled_in_the_middle_of_its_output(self):
        def start(request):
            messages = iter([exec_.InteractRequest(start=request)])
            return client.exec.Interact(messages, timeout=rpc.PATIENCE)

        self.assert_call_ends_tree(start)

    def test_attachment_that_is_left_ends_nothing(self):
        """Reading is one thing, wanting the command another."""
        events = client.exec.Run(exec_.RunRequest(shell_command=self.tree("echo one; wait")), timeout=rpc.PATIENCE)
        job_id = next(events).started.job_id
        running = read_pids(self.pids, TREE_SIZE)
        attached = client.exec.Attach(exec_.AttachRequest(job_id=job_id), timeout=rpc.PATIENCE)
        self.assertEqual(next(attached).attached.job.job_id, job_id)
        self.assertEqual(next(attached).output.data, b"one\n")
        attached.cancel()
        # A second reader finds it running: the first one's end has come before its beginning.
        again = client.exec.Attach(exec_.AttachRequest(job_id=job_id), timeout=rpc.PATIENCE)
        self.assertEqual(next(again).attached.job.state, exec_.JOB_STATE_RUNNING)
        self.assertTrue(all(process_exists(pid) for pid in running))
        events.cancel()
        self.assert_ended(running)


class ManyEarlyLeaversTest(unittest.TestCase):
    def test_hundreds_leave_room_for_the_next(self):
        """broken-pipe.sh: only four commands may run at once, so that one which stayed would soon be missed."""
        for number in range(300):
            with connect(stack.address("exec", LISTENERS[number % len(LISTENERS)])) as raw:
                raw.sendall(requests(LISTENERS[number % len(LISTENERS)], "echo a few bytes", "yes", "sleep 1000"))
                receive_exactly(raw, 3)
        outcome = list(client.exec.Run(exec_.RunRequest(shell_command="exit 44"), timeout=rpc.PATIENCE))[-1].outcome
        self.assertEqual(outcome.exited.code, 44)


if __name__ == "__main__":
    unittest.main()
