"""A gigabyte of output, raw and typed, costs no memory to speak of; and who reads slowly slows nobody else."""

import pathlib
import unittest

from tests.conformance.plain_client import connect, receive_exactly
from tests.harness import rpc
from tests.harness.deadlines import PATIENCE
from tests.harness.stack import Stack
from tests.parity import exec_doors
from tests.parity.exec_doors import Result

exec_ = rpc.exec_
MEBIBYTE = 1 << 20
# The memory of neither has anything to do with how much a command writes.
GROWTH_MAX = 32 * MEBIBYTE
# A gigabyte takes seconds, where the disk is slow or a sanitizer looks on even minutes.
LONG_PATIENCE = 3 * PATIENCE

# Of a length that has nothing to do with that of any page or buffer, so that no piece could be taken for another.
LINE = (b"0123456789abcdefghijklmnopqrstuvwxyz" * 30)[:996] + b"\n"
PATTERN = LINE * 2000
# Of the pattern: as much as is written again and again.
PIECE = len(LINE) * 67_313
GIBIBYTE = 16 * PIECE  # and a little more
# Much more than all buffers between a command and its client hold.
SLOW = 4 * PIECE

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    (stack.scratch / "piece").write_bytes(LINE * (PIECE // len(LINE)))
    stack.start_service("exec", f"--output_max_bytes={2 * GIBIBYTE}", "--command_timeout=10m",
                        "--history_file_max_bytes=0")
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def command_of(size):
    """`size` is a number of pieces, in bytes."""
    return "cat" + f" {stack.scratch}/piece" * (size // PIECE)


class Received:
    """How much of the pattern has come so far. Anything else is an error."""

    def __init__(self):
        self.size = 0

    def add(self, data):
        assert PATTERN.startswith(data, self.size % len(LINE)), f"other bytes than were written, after {self.size}"
        self.size += len(data)


class Memory:
    """What a process has resident, from when this was made."""

    def __init__(self, program):
        self.folder = pathlib.Path(f"/proc/{program.pid}")
        (self.folder / "clear_refs").write_text("5")  # the peak begins anew: proc_pid_clear_refs(5)
        self.at_start = self._field("VmRSS")

    def growth(self):
        """Of the highest since then."""
        return self._field("VmHWM") - self.at_start

    def _field(self, name):
        lines = (self.folder / "status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))


def receive(raw, size, received):
    buffer = memoryview(bytearray(MEBIBYTE))
    while received.size < size:
        count = raw.recv_into(buffer, min(MEBIBYTE, size - received.size))
        assert count, f"the stream ended after {received.size} bytes"
        received.add(buffer[:count])


def follow(events, received):
    """Reads a call to its end and returns the outcome."""
    for event in events:
        if event.WhichOneof("event") == "output":
            assert event.output.offset == received.size, (event.output.offset, received.size)
            received.add(event.output.data)
    return event.outcome


class MemoryTest(unittest.TestCase):
    def setUp(self):
        # What is allocated once, whatever the size of an output, is no growth.
        list(client.exec.Run(exec_.RunRequest(shell_command="head -c 4000000 /dev/zero"), timeout=PATIENCE))
        self.memory = {name: Memory(program) for name, program in stack.programs.items()}

    def tearDown(self):
        for name, memory in self.memory.items():
            self.assertLess(memory.growth(), GROWTH_MAX, f"growth of {name}")

    def test_raw(self):
        with connect(stack.address("exec", "raw")) as raw:
            raw.settimeout(LONG_PATIENCE)
            raw.sendall(command_of(GIBIBYTE).encode() + b"\necho next\n")
            receive(raw, GIBIBYTE, Received())
            self.assertEqual(receive_exactly(raw, 5), b"next\n")

    def run_typed(self, **fields):
        received = Received()
        request = exec_.RunRequest(shell_command=command_of(GIBIBYTE), **fields)
        outcome = follow(client.exec.Run(request, timeout=LONG_PATIENCE), received)
        self.assertEqual((outcome.exited.code, outcome.stdout_size, received.size), (0, GIBIBYTE, GIBIBYTE))

    def test_typed(self):
        self.run_typed()

    def test_typed_of_which_only_the_last_is_kept(self):
        self.run_typed(output_policy=exec_.OUTPUT_POLICY_KEEP_LAST)


class SlowReaderTest(unittest.TestCase):
    def assert_others_are_served(self):
        """On the slow reader's connection to the gateway, on another, and on the raw ports."""
        other = rpc.Client(stack.gateway_target, {"grpc.use_local_subchannel_pool": 1})
        self.addCleanup(other.close)
        doors = [*exec_doors.doors_of(stack, client), *exec_doors.doors_of(stack, other)]
        for door in doors:
            self.addCleanup(door.close)
            self.assertEqual(door.ask({"command": "echo quick"}), Result(("exited", 0), b"quick\n"))

    def answered(self):
        return client.listener("exec", "raw").counters.requests

    def test_raw_reader_that_pauses(self):
        received, before = Received(), self.answered()
        with connect(stack.address("exec", "raw")) as raw:
            raw.settimeout(LONG_PATIENCE)
            raw.sendall(command_of(SLOW).encode() + b"\n")
            self.assert_others_are_served()  # while it runs
            receive(raw, 10_000, received)
            self.assert_others_are_served()  # while its output waits
            self.assertEqual(self.answered(), before)
            receive(raw, SLOW, received)

    def job(self, job_id):
        return client.exec.GetJob(exec_.GetJobRequest(job_id=job_id), timeout=PATIENCE).job

    def test_typed_reader_that_pauses(self):
        """The command itself waits for its reader."""
        request = exec_.RunRequest(shell_command=command_of(SLOW), output_policy=exec_.OUTPUT_POLICY_KEEP_LAST)
        events = client.exec.Run(request, timeout=LONG_PATIENCE)
        job_id = next(events).started.job_id
        received = Received()
        received.add(next(events).output.data)
        self.assert_others_are_served()
        job = self.job(job_id)
        self.assertEqual(job.state, exec_.JOB_STATE_RUNNING)
        self.assertLess(job.standard_output.size, SLOW)
        outcome = follow(events, received)
        self.assertEqual((outcome.exited.code, received.size), (0, SLOW))

    def test_a_reader_that_pauses_holds_up_no_other_reader_of_a_command_that_is_kept_whole(self):
        events = client.exec.Run(exec_.RunRequest(shell_command=command_of(SLOW)), timeout=LONG_PATIENCE)
        job_id = next(events).started.job_id
        slow, quick = Received(), Received()
        slow.add(next(events).output.data)
        attached = client.exec.Attach(exec_.AttachRequest(job_id=job_id), timeout=LONG_PATIENCE)
        self.assertEqual(follow(attached, quick).exited.code, 0)
        self.assertEqual(quick.size, SLOW)
        self.assertLess(slow.size, SLOW)
        self.assertEqual(follow(events, slow).exited.code, 0)
        self.assertEqual(slow.size, SLOW)


if __name__ == "__main__":
    unittest.main()
