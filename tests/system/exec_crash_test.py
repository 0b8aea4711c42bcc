"""kill -9 of rawgate-exec: what its commands have started goes with it, whatever it did to stay, and the launchers too."""

import os
import unittest

from tests.conformance.exec_client import packed_request
from tests.conformance.plain_client import connect, receive_exactly, vanish
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.processes import command_lines_with, descendants_of, process_exists, read_pids, wait_for_exit_of
from tests.harness.stack import Stack

exec_ = rpc.exec_
ROUNDS = 3

# Nobody else on this machine sleeps for exactly so long.
MARKER = b"86397.%d" % os.getpid()
SLEEPER = "echo $$ >> $0; exec sleep " + MARKER.decode()
DEAF = "trap \"\" TERM HUP INT; echo $$ >> $0; while :; do sleep %s; done" % MARKER.decode()
# A tree of four, three of which are nobody's children and lead sessions of their own.
TREE = ("(setsid sh -c '{sleeper}' {pids} &) ; (setsid nohup sh -c '{deaf}' {pids} >/dev/null 2>&1 &) ;"
        " (setsid env -i /bin/sh -c '{deaf}' {pids} &) ; exec sh -c '{sleeper}' {pids}")
TREE_SIZE = 4
# Makes another such process all the time.
FORKING = "while :; do (setsid sleep {marker} &) ; sleep 0.01; done"


class CrashTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)

    def kill_service(self):
        """Returns once neither it nor any process that descended from it is there."""
        service = self.stack.programs.pop("exec")
        descendants = descendants_of(service.pid)
        service.kill()
        for pid in descendants:
            wait_for_exit_of(pid)
        wait_until(lambda: not command_lines_with(MARKER), "the end of every command")
        return descendants

    def ask(self, listener, command):
        raw = connect(self.stack.address("exec", listener))
        self.addCleanup(raw.close)
        raw.sendall(packed_request(command=command) if listener == "framed" else command.encode() + b"\n")
        return raw

    def test_nothing_is_left_of_what_clients_had_started(self):
        for number in range(ROUNDS):
            service = self.stack.start_service("exec")
            client = rpc.Client(service.rpc_target)
            self.addCleanup(client.close)
            pids = self.stack.scratch / f"pids-{number}"
            command = TREE.format(sleeper=SLEEPER, deaf=DEAF, pids=pids)
            for listener in ("raw", "sized", "header", "framed"):
                self.ask(listener, command)
            attached = client.exec.Run(exec_.RunRequest(shell_command=command), timeout=rpc.PATIENCE)
            self.start_and_leave(client, command)
            running = read_pids(pids, 6 * TREE_SIZE)
            self.assertTrue(all(process_exists(pid) for pid in running))
            self.assertLessEqual(set(running), set(self.kill_service()))
            attached.cancel()
        self.assert_successor_serves()

    def start_and_leave(self, client, command):
        request = exec_.RunRequest(shell_command=command, on_disconnect=exec_.ON_DISCONNECT_KEEP)
        call = client.exec.Run(request, timeout=rpc.PATIENCE)
        self.assertEqual(next(call).WhichOneof("event"), "started")
        call.cancel()

    def test_nothing_is_left_of_what_goes_on_forking(self):
        for _ in range(ROUNDS):
            self.stack.start_service("exec")
            for _ in range(4):
                self.ask("raw", FORKING.format(marker=MARKER.decode()))
            wait_until(lambda: len(command_lines_with(b"sleep\0" + MARKER)) >= 20, "a crowd of processes")
            self.kill_service()
        self.assert_successor_serves()

    def test_nothing_is_left_of_what_was_being_ended(self):
        """The service is killed in the grace that a cancelled command has."""
        self.stack.start_service("exec")
        pids = self.stack.scratch / "pids"
        raw = self.ask("sized", TREE.format(sleeper=SLEEPER, deaf=DEAF, pids=pids))
        running = read_pids(pids, TREE_SIZE)
        vanish(raw)
        wait_until(lambda: not all(process_exists(pid) for pid in running), "the end of the first")
        self.kill_service()
        for pid in running:
            wait_for_exit_of(pid)
        self.assert_successor_serves()

    def assert_successor_serves(self):
        self.stack.start_service("exec")
        raw = self.ask("sized", "echo served")
        self.assertEqual(receive_exactly(raw, 11), b"\x07\0\0\0served\n")


if __name__ == "__main__":
    unittest.main()
