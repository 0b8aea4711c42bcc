"""A thousand commands that are cancelled with all that they have started, which does what it can to stay: no process is
left, no zombie, and no descriptor."""

import os
import unittest

from tests.conformance.exec_client import packed_request
from tests.conformance.plain_client import connect, vanish
from tests.harness import rpc
from tests.harness.deadlines import SCALE, wait_until
from tests.harness.processes import command_lines_with, descendants_of, process_exists, read_pids, wait_for_exit_of
from tests.harness.stack import Stack

exec_ = rpc.exec_
TREES_PER_BATCH = 200
# Launchers that have nothing to do are let go after ten seconds, and their descriptors with them.
IDLE_LAUNCHERS_GO = 60 * SCALE

# What each process of a tree does: it writes down its id, then waits for a writer that never comes. It runs no other
# program for that, which would take most of this test's time.
STAY = "read id rest < /proc/self/stat; echo $id >> {pids}; read nothing < {nobody}"
DEAF = "trap \"\" TERM HUP INT QUIT; "
# A command, and of how many such processes it consists.
SHAPES = [
    ("double fork", "( ({stay}) & ) ; {stay}", 2),
    ("session of its own", "setsid sh -c '{stay}' & {stay}", 2),
    ("nohup", "nohup sh -c '{stay}' >/dev/null 2>&1 & {stay}", 2),
    ("deaf to SIGTERM", "{deaf} ({stay}) & {stay}", 2),
    ("all of it", "(setsid nohup sh -c '{deaf} ( ({stay}) & ) ; {stay}' >/dev/null 2>&1 &) ;"
                  " (setsid env -i /bin/sh -c '{deaf} {stay}' &) ; {stay}", 4),
]

stack = None
client = None


def nobody():
    """A pipe without a writer. Its name is in the command line of every process of a tree."""
    return stack.scratch / "nobody"


def start_raw(listener):
    """A client of this listener; what is returned makes it vanish."""
    def start(command):
        raw = connect(stack.address("exec", listener))
        raw.sendall(packed_request(command=command) if listener == "framed" else command.encode() + b"\n")
        return lambda: vanish(raw)

    return start


def start_run(command):
    return client.exec.Run(exec_.RunRequest(shell_command=command)).cancel


def start_interact(command):
    messages = iter([exec_.InteractRequest(start=exec_.RunRequest(shell_command=command))])
    return client.exec.Interact(messages).cancel


# Typed calls are as many as raw clients.
DOORS = [start_raw("raw"), start_run, start_raw("sized"), start_interact, start_raw("header"), start_run,
         start_raw("framed"), start_interact]


class CancelledTreesTest(unittest.TestCase):
    def start(self, *flags):
        global stack, client
        stack = Stack()
        self.addCleanup(stack.stop)
        stack.start_service("exec", f"--commands_max={TREES_PER_BATCH}", *flags)
        stack.start_gateway()
        client = rpc.client_of(stack)
        self.addCleanup(client.close)
        os.mkfifo(nobody())

    def test_nothing_is_left_of_a_thousand(self):
        self.start()
        self.assert_nothing_is_left_of(batches=5)

    def test_nothing_is_left_where_commands_have_no_cgroups(self):
        self.start("--nocommand_cgroups")
        self.assert_nothing_is_left_of(batches=1)

    def assert_nothing_is_left_of(self, batches):
        service = stack.programs["exec"]
        self.warm_up()
        processes, descriptors = len(descendants_of(service.pid)), service.descriptor_count()
        for number in range(batches):
            self.start_and_cancel(stack.scratch / f"pids-{number}")
        wait_until(lambda: not command_lines_with(bytes(nobody())), "the end of every command")
        wait_until(lambda: service.descriptor_count() <= descriptors, "every descriptor closed", IDLE_LAUNCHERS_GO)
        wait_until(lambda: len(descendants_of(service.pid)) <= processes, "the end of every process", IDLE_LAUNCHERS_GO)

    def warm_up(self):
        """Leaves the launchers that a service keeps, and whatever it opens once."""
        calls = [client.exec.Run(exec_.RunRequest(shell_command="read line", keep_stdin_open=True)) for _ in range(2)]
        for call in calls:
            request = exec_.WriteStdinRequest(job_id=next(call).started.job_id, end=True)
            client.exec.WriteStdin(request, timeout=rpc.PATIENCE)
            self.assertTrue(list(call)[-1].HasField("outcome"))

    def start_and_cancel(self, pids):
        stay = STAY.format(pids=pids, nobody=nobody())
        cancels, size = [], 0
        for number in range(TREES_PER_BATCH):
            _, command, count = SHAPES[number % len(SHAPES)]
            start = DOORS[number // len(SHAPES) % len(DOORS)]
            cancels.append(start(command.format(stay=stay, deaf=DEAF)))
            size += count
        running = read_pids(pids, size)
        self.assertEqual(len(set(running)), size)
        self.assertTrue(all(process_exists(pid) for pid in running))
        for cancel in cancels:
            cancel()
        for pid in running:
            wait_for_exit_of(pid)


if __name__ == "__main__":
    unittest.main()
