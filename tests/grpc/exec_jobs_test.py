"""Commands that outlive the call that started them, and that are talked to: ExecService through the gateway."""

import queue
import unittest

import grpc

from tests.conformance.plain_client import connect, receive_exactly
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack

exec_ = rpc.exec_
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


def start_and_leave(shell_command=None, **fields):
    """The id of a command whose caller has gone."""
    request = exec_.RunRequest(shell_command=shell_command, on_disconnect=exec_.ON_DISCONNECT_KEEP, **fields)
    call = client.exec.Run(request, timeout=rpc.PATIENCE)
    job_id = next(call).started.job_id
    call.cancel()
    return job_id


def job(job_id):
    return client.exec.GetJob(exec_.GetJobRequest(job_id=job_id), timeout=rpc.PATIENCE).job


def attach(job_id, stdout_offset=0):
    """What was attached to, standard output from there on, and the outcome."""
    call = client.exec.Attach(exec_.AttachRequest(job_id=job_id, stdout_offset=stdout_offset), timeout=rpc.PATIENCE)
    events = list(call)
    return events[0].attached, b"".join(event.output.data for event in events[1:-1]), events[-1].outcome


class JobsTest(unittest.TestCase):
    def test_a_kept_command_is_attached_to(self):
        job_id = start_and_leave("echo one; read line; echo $line; exit 3", keep_stdin_open=True)
        client.exec.WriteStdin(exec_.WriteStdinRequest(job_id=job_id, data=b"two\n"), timeout=rpc.PATIENCE)
        wait_until(lambda: job(job_id).standard_output.size >= len("one"), "its first line")
        attached, output, outcome = attach(job_id, stdout_offset=2)
        self.assertEqual(attached.job.job_id, job_id)
        self.assertEqual((output, outcome.exited.code), (b"e\ntwo\n", 3))
        self.assertEqual(job(job_id).state, exec_.JOB_STATE_ENDED)

    def test_commands_of_raw_clients_are_listed_too(self):
        with connect(stack.address("exec", "sized")) as raw:
            raw.sendall(b"echo from a socket\n")
            receive_exactly(raw, 4)
        jobs = client.exec.ListJobs(exec_.ListJobsRequest(), timeout=rpc.PATIENCE).jobs
        listed = next(entry for entry in jobs if entry.command == "echo from a socket")
        self.assertEqual(listed.listener, "sized")
        self.assertEqual(attach(listed.job_id)[1], b"from a socket\n")

    def test_a_signal_ends_it(self):
        # No shell: that may swallow an interrupt that comes while it starts.
        job_id = start_and_leave(argv=exec_.Argv(arguments=["sleep", "600"]))
        client.exec.SignalJob(exec_.SignalJobRequest(job_id=job_id, signal=exec_.SIGNAL_INT), timeout=rpc.PATIENCE)
        self.assertEqual(attach(job_id)[2].signalled.name, "INT")

    def test_errors(self):
        ended = start_and_leave("exit 0")
        wait_until(lambda: job(ended).state == exec_.JOB_STATE_ENDED, "the end of the command")
        running = start_and_leave("sleep 600")
        signal = exec_.SignalJobRequest(job_id=ended, signal=exec_.SIGNAL_INT)
        write = exec_.WriteStdinRequest(job_id=running, data=b"x")
        resize = exec_.ResizeTerminalRequest(job_id=running)
        code = grpc.StatusCode
        for call, request, expected in (
                (client.exec.GetJob, exec_.GetJobRequest(job_id="none"), (code.NOT_FOUND, "NO_SUCH_JOB")),
                (client.exec.SignalJob, signal, (code.FAILED_PRECONDITION, "JOB_ENDED")),
                (client.exec.WriteStdin, write, (code.FAILED_PRECONDITION, "STDIN_CLOSED")),
                (client.exec.ResizeTerminal, resize, (code.FAILED_PRECONDITION, "NO_TERMINAL")),
                (client.exec.ListJobs, exec_.ListJobsRequest(page_size=-1), (code.INVALID_ARGUMENT, "BAD_PAGE_SIZE"))):
            with self.subTest(request=type(request).__name__, reason=expected[1]):
                self.assertEqual(rpc.error_of(call, request)[:2], expected)
        beyond = client.exec.Attach(exec_.AttachRequest(job_id=running, stdout_offset=1), timeout=rpc.PATIENCE)
        with self.assertRaises(grpc.RpcError) as raised:
            next(beyond)
        self.assertEqual(raised.exception.code(), code.OUT_OF_RANGE)
        client.exec.SignalJob(exec_.SignalJobRequest(job_id=running, signal=exec_.SIGNAL_KILL), timeout=rpc.PATIENCE)


class InteractTest(unittest.TestCase):
    def setUp(self):
        self.requests = queue.Queue()
        self.events = client.exec.Interact(iter(self.requests.get, None), timeout=rpc.PATIENCE)
        self.addCleanup(self.events.cancel)

    def read_until(self, wanted):
        seen = b""
        while wanted not in seen:
            seen += next(self.events).output.data

    def test_a_terminal(self):
        start = exec_.RunRequest(shell_command="exec /bin/sh -i",
                                 terminal=exec_.Terminal(size=exec_.WindowSize(rows=10, columns=20)))
        self.requests.put(exec_.InteractRequest(start=start))
        self.assertTrue(next(self.events).started.job_id)
        self.requests.put(exec_.InteractRequest(stdin=b"stty size\n"))
        self.read_until(b"10 20")
        self.requests.put(exec_.InteractRequest(resize=exec_.WindowSize(rows=30, columns=40)))
        self.requests.put(exec_.InteractRequest(stdin=b"stty size; exit 5\n"))
        self.read_until(b"30 40")
        self.assertEqual(list(self.events)[-1].outcome.exited.code, 5)
        self.requests.put(None)


if __name__ == "__main__":
    unittest.main()
