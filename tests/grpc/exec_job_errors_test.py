"""Calls of ExecService that would be good for another command or at another time: each has a code and a reason of its
own, and the next call is served."""

import unittest

import grpc

from tests.harness import rpc
from tests.harness.stack import Stack

exec_ = rpc.exec_
INVALID_ARGUMENT = grpc.StatusCode.INVALID_ARGUMENT
FAILED_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
INPUT_MAX = 1 << 20

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("exec")
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


class JobStateTest(unittest.TestCase):
    def start(self, **fields):
        """The id of a command that goes on without us."""
        request = exec_.RunRequest(on_disconnect=exec_.ON_DISCONNECT_KEEP, **fields)
        events = client.exec.Run(request, timeout=rpc.PATIENCE)
        job_id = next(events).started.job_id
        events.cancel()
        self.addCleanup(self.kill, job_id)
        return job_id

    def kill(self, job_id):
        try:
            self.signal(job_id, exec_.SIGNAL_KILL)
        except grpc.RpcError as error:
            self.assertEqual(rpc.reason_and_details(error)[0], "JOB_ENDED")

    def start_and_await_end(self, **fields):
        job_id = self.start(**fields)
        list(client.exec.Attach(exec_.AttachRequest(job_id=job_id), timeout=rpc.PATIENCE))
        return job_id

    def signal(self, job_id, signal):
        return client.exec.SignalJob(exec_.SignalJobRequest(job_id=job_id, signal=signal), timeout=rpc.PATIENCE)

    def write(self, job_id, data=b"", **fields):
        request = exec_.WriteStdinRequest(job_id=job_id, data=data, **fields)
        return client.exec.WriteStdin(request, timeout=rpc.PATIENCE)

    def assert_errors(self, code, reason, *calls):
        for call, request in calls:
            with self.subTest(request=str(request)[:80]):
                self.assertEqual(rpc.error_of(call, request)[:2], (code, reason))
                events = list(client.exec.Run(exec_.RunRequest(shell_command="exit 3"), timeout=rpc.PATIENCE))
                self.assertEqual(events[-1].outcome.exited.code, 3)

    def test_input_after_its_end(self):
        job_id = self.start(shell_command="cat >/dev/null; sleep 1000", keep_stdin_open=True)
        self.assertEqual(self.write(job_id, b"abc", end=True).committed_size, 3)
        more = [exec_.WriteStdinRequest(job_id=job_id, data=b"more"), exec_.WriteStdinRequest(job_id=job_id, end=True)]
        self.assert_errors(FAILED_PRECONDITION, "STDIN_CLOSED",
                           *((client.exec.WriteStdin, request) for request in more))

    def test_input_for_a_command_that_has_none(self):
        job_id = self.start(shell_command="sleep 1000", stdin=b"all of it")
        request = exec_.WriteStdinRequest(job_id=job_id, data=b"more")
        self.assert_errors(FAILED_PRECONDITION, "STDIN_CLOSED", (client.exec.WriteStdin, request))

    def test_input_that_the_command_has_closed(self):
        job_id = self.start(shell_command="exec <&-; echo closed; sleep 1000", keep_stdin_open=True)
        events = client.exec.Attach(exec_.AttachRequest(job_id=job_id), timeout=rpc.PATIENCE)
        self.assertEqual(next(events).WhichOneof("event"), "attached")
        self.assertEqual(next(events).output.data, b"closed\n")
        events.cancel()
        request = exec_.WriteStdinRequest(job_id=job_id, data=b"x")
        self.assert_errors(FAILED_PRECONDITION, "STDIN_CLOSED", (client.exec.WriteStdin, request))

    def test_input_at_another_offset(self):
        job_id = self.start(shell_command="cat", keep_stdin_open=True)
        self.write(job_id, b"abc", offset=0)
        requests = [exec_.WriteStdinRequest(job_id=job_id, data=b"d", offset=offset) for offset in (0, 2, 4)]
        self.assert_errors(grpc.StatusCode.ABORTED, "WRONG_OFFSET",
                           *((client.exec.WriteStdin, request) for request in requests))
        self.assertEqual(self.write(job_id, b"d", offset=3).committed_size, 4)

    def test_more_input_than_one_call_takes(self):
        job_id = self.start(shell_command="cat", keep_stdin_open=True)
        request = exec_.WriteStdinRequest(job_id=job_id, data=bytes(INPUT_MAX + 1))
        self.assert_errors(INVALID_ARGUMENT, "INPUT_TOO_LONG", (client.exec.WriteStdin, request))
        self.assertEqual(self.write(job_id).committed_size, 0)

    def test_a_job_that_has_ended(self):
        job_id = self.start_and_await_end(shell_command="exit 0", keep_stdin_open=True)
        self.assert_errors(
            FAILED_PRECONDITION, "JOB_ENDED",
            (client.exec.SignalJob, exec_.SignalJobRequest(job_id=job_id, signal=exec_.SIGNAL_TERM)),
            (client.exec.SignalJob, exec_.SignalJobRequest(job_id=job_id, signal=exec_.SIGNAL_KILL,
                                                           target=exec_.SIGNAL_TARGET_PROCESS)),
            (client.exec.WriteStdin, exec_.WriteStdinRequest(job_id=job_id, data=b"x")),
            (client.exec.ResizeTerminal, exec_.ResizeTerminalRequest(
                job_id=job_id, size=exec_.WindowSize(rows=1, columns=1))))

    def test_a_signal_that_is_none(self):
        job_id = self.start(shell_command="sleep 1000")
        requests = [exec_.SignalJobRequest(job_id=job_id, signal=signal) for signal in (0, 99, -1)]
        self.assert_errors(INVALID_ARGUMENT, "BAD_SIGNAL", *((client.exec.SignalJob, request) for request in requests))

    def test_a_job_that_is_none(self):
        requests = {client.exec.Attach: exec_.AttachRequest, client.exec.SignalJob: exec_.SignalJobRequest,
                    client.exec.WriteStdin: exec_.WriteStdinRequest, client.exec.GetJob: exec_.GetJobRequest,
                    client.exec.ResizeTerminal: exec_.ResizeTerminalRequest}
        for job_id in ("", "0", "no-such-job", "x" * 10_000):
            self.assert_errors(grpc.StatusCode.NOT_FOUND, "NO_SUCH_JOB",
                               *((call, request(job_id=job_id)) for call, request in requests.items()))

    def test_attachment_beyond_the_end(self):
        ended = self.start_and_await_end(shell_command="printf abc; printf d >&2")
        running = self.start(shell_command="sleep 1000")
        requests = [exec_.AttachRequest(job_id=ended, stdout_offset=4),
                    exec_.AttachRequest(job_id=ended, stderr_offset=2),
                    exec_.AttachRequest(job_id=ended, stdout_offset=2**64 - 1),
                    exec_.AttachRequest(job_id=running, stdout_offset=1)]
        self.assert_errors(grpc.StatusCode.OUT_OF_RANGE, "OFFSET_BEYOND_END",
                           *((client.exec.Attach, request) for request in requests))
        at_the_end = exec_.AttachRequest(job_id=ended, stdout_offset=3, stderr_offset=1)
        events = list(client.exec.Attach(at_the_end, timeout=rpc.PATIENCE))
        self.assertEqual([event.WhichOneof("event") for event in events], ["attached", "outcome"])

    def test_a_window_that_is_none(self):
        with_terminal = self.start(shell_command="sleep 1000", terminal=exec_.Terminal())
        without = self.start(shell_command="sleep 1000")
        size = exec_.WindowSize(rows=24, columns=80)
        self.assert_errors(FAILED_PRECONDITION, "NO_TERMINAL",
                           (client.exec.ResizeTerminal, exec_.ResizeTerminalRequest(job_id=without, size=size)))
        sizes = [exec_.WindowSize(rows=65536, columns=80), exec_.WindowSize(rows=24, columns=2**32 - 1)]
        requests = [exec_.ResizeTerminalRequest(job_id=with_terminal, size=size) for size in sizes]
        self.assert_errors(INVALID_ARGUMENT, "BAD_TERMINAL",
                           *((client.exec.ResizeTerminal, request) for request in requests))

    def test_a_request_id_of_another_command(self):
        job_id = self.start(shell_command="sleep 1000", request_id="taken")
        other = exec_.RunRequest(shell_command="sleep 1001", request_id="taken")
        self.assert_errors(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", (client.exec.Run, other))
        too_long = exec_.RunRequest(shell_command="true", request_id="x" * 129)
        self.assert_errors(INVALID_ARGUMENT, "BAD_REQUEST_ID", (client.exec.Run, too_long))
        job = client.exec.GetJob(exec_.GetJobRequest(job_id=job_id), timeout=rpc.PATIENCE).job
        self.assertEqual(job.state, exec_.JOB_STATE_RUNNING)


class SequenceTest(unittest.TestCase):
    def assert_out_of_sequence(self, *messages):
        error = rpc.error_of(client.exec.Interact, iter(messages))
        self.assertEqual(error[:2], (INVALID_ARGUMENT, "BAD_SEQUENCE"))

    def test_start_comes_first_and_once(self):
        start = exec_.InteractRequest(start=exec_.RunRequest(shell_command="cat"))
        self.assert_out_of_sequence()
        self.assert_out_of_sequence(exec_.InteractRequest(stdin=b"x"), start)
        self.assert_out_of_sequence(start, start)


if __name__ == "__main__":
    unittest.main()
