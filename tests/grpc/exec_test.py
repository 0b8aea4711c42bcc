"""ExecService through the gateway: one `started`, output as it comes, exactly one `outcome`."""

import unittest

import grpc

from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.processes import read_pids, wait_for_exit_of
from tests.harness.stack import Stack

exec_ = rpc.exec_
stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("exec", "--output_max_bytes=2000000", "--command_timeout_max=10m", "--commands_max=4",
                        environment={"RAWGATE_LOG_LEVEL": "info", "SECRET": "of the service"})
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


class Result:
    """What a whole Run call told, checked for the shape that every call has."""

    def __init__(self, events):
        kinds = [event.WhichOneof("event") for event in events]
        assert kinds[0] == "started" and kinds[-1] == "outcome", kinds
        assert set(kinds[1:-1]) <= {"output"}, kinds
        self.started = events[0].started
        self.outcome = events[-1].outcome
        self.stdout, self.stderr = b"", b""
        for event in events[1:-1]:
            self._append(event.output)

    def _append(self, output):
        name = "stdout" if output.stream == exec_.OUTPUT_STREAM_STDOUT else "stderr"
        so_far = getattr(self, name)
        assert output.offset == len(so_far), (output.offset, len(so_far))
        setattr(self, name, so_far + output.data)


def run(shell_command="", argv=None, timeout_seconds=None, **fields):
    request = exec_.RunRequest(**fields)
    if argv:
        request.argv.arguments.extend(argv)
    elif shell_command:
        request.shell_command = shell_command
    if timeout_seconds is not None:
        request.timeout.FromMilliseconds(int(timeout_seconds * 1000))
    return request


def result_of(*arguments, **fields):
    return Result(list(client.exec.Run(run(*arguments, **fields), timeout=rpc.PATIENCE)))


class RunTest(unittest.TestCase):
    def test_shell_command(self):
        result = result_of("echo out; echo err >&2; exit 3")
        self.assertEqual((result.stdout, result.stderr, result.outcome.exited.code), (b"out\n", b"err\n", 3))
        self.assertEqual((result.outcome.stdout_size, result.outcome.stderr_size), (4, 4))
        self.assertTrue(result.started.job_id)
        self.assertGreater(result.started.pid, 0)

    def test_argv_knows_no_shell(self):
        result = result_of(argv=["printf", "%s|", "a b", "$HOME", ";", ""])
        self.assertEqual(result.stdout, b"a b|$HOME|;||")

    def test_standard_input(self):
        self.assertEqual(result_of("cat", stdin=b"\0in\xff").stdout, b"\0in\xff")
        self.assertEqual(result_of("wc -c", stdin=b"x" * 1_000_000).stdout.split(), [b"1000000"])
        self.assertEqual(result_of("cat; echo end").stdout, b"end\n")

    def test_standard_input_that_nobody_reads(self):
        self.assertEqual(result_of("exit 5", stdin=b"x" * 1_000_000).outcome.exited.code, 5)

    def test_environment(self):
        variables = [exec_.EnvironmentVariable(name="A", value="1"), exec_.EnvironmentVariable(name="A", value="2 3")]
        self.assertEqual(result_of('echo "$A"', environment=variables).stdout, b"2 3\n")

    def test_environment_is_clean(self):
        names = {line.split(b"=")[0] for line in result_of(argv=["env"]).stdout.splitlines()}
        self.assertIn(b"PATH", names)
        self.assertNotIn(b"SECRET", names)
        self.assertNotIn(b"RAWGATE_LOG_LEVEL", names)

    def test_working_directory(self):
        self.assertEqual(result_of("pwd", working_directory="/").stdout, b"/\n")

    def test_output_comes_as_it_is_written(self):
        """The command waits for a file that appears only after its first line has been seen."""
        gate = stack.scratch / "gate"
        call = client.exec.Run(run(f"echo first; until [ -e {gate} ]; do sleep 0.01; done; echo second"),
                               timeout=rpc.PATIENCE)
        self.assertEqual(next(call).WhichOneof("event"), "started")
        self.assertEqual(next(call).output.data, b"first\n")
        gate.touch()
        self.assertEqual(next(call).output.data, b"second\n")
        self.assertEqual(next(call).outcome.exited.code, 0)

    def test_large_output_in_order(self):
        result = result_of("seq 1 150000")
        self.assertEqual(result.stdout, b"".join(b"%d\n" % number for number in range(1, 150001)))

    def test_usage_and_times(self):
        outcome = result_of("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done").outcome
        self.assertGreater(outcome.resource_usage.user_time.ToNanoseconds(), 0)
        self.assertGreater(outcome.resource_usage.max_resident_bytes, 100_000)
        self.assertGreater(outcome.end_time.ToNanoseconds(), outcome.start_time.ToNanoseconds())


class OutcomeTest(unittest.TestCase):
    def kind(self, outcome):
        return outcome.WhichOneof("result")

    def test_signalled(self):
        outcome = result_of("kill -TERM $$").outcome
        self.assertEqual((outcome.signalled.name, outcome.signalled.number), ("TERM", 15))

    def test_timed_out(self):
        result = result_of("echo before; sleep 1000", timeout_seconds=0.3)
        self.assertEqual(self.kind(result.outcome), "timed_out")
        self.assertEqual(result.outcome.timed_out.timeout.ToMilliseconds(), 300)
        self.assertEqual(result.stdout, b"before\n")

    def test_timed_out_though_term_is_ignored(self):
        result = result_of("trap '' TERM; while :; do sleep 1; done", timeout_seconds=0.3)
        self.assertEqual(self.kind(result.outcome), "timed_out")

    def test_output_limit(self):
        result = result_of("yes")
        self.assertEqual(self.kind(result.outcome), "output_limit")
        self.assertEqual(result.outcome.output_limit.limit_bytes, 2_000_000)
        self.assertEqual(len(result.stdout), 2_000_000)

    def test_start_failed(self):
        for fields in ({"argv": ["/no/such/program"]}, {"argv": ["no-such-program"]}, {"argv": ["/etc/hostname"]},
                       {"argv": ["true"], "working_directory": "/no/such/folder"}):
            with self.subTest(fields):
                outcome = list(client.exec.Run(run(**fields), timeout=rpc.PATIENCE))[-1].outcome
                self.assertEqual(self.kind(outcome), "start_failed")
                self.assertGreater(outcome.start_failed.errno_value, 0)
                self.assertTrue(outcome.start_failed.message)

    def test_background_child_does_not_hold_up_the_outcome(self):
        outcome = result_of("sleep 1000 & echo started").outcome
        self.assertEqual(outcome.exited.code, 0)
        self.assertTrue(outcome.output_may_be_incomplete)


class RefusedTest(unittest.TestCase):
    def assert_refused(self, request, reason):
        self.assertEqual(rpc.error_of(client.exec.Run, request)[:2], (grpc.StatusCode.INVALID_ARGUMENT, reason))

    def test_no_command(self):
        self.assert_refused(run(), "NO_COMMAND")
        self.assert_refused(run(argv=[""]), "NO_COMMAND")
        self.assert_refused(exec_.RunRequest(argv=exec_.Argv()), "NO_COMMAND")

    def test_command_too_long(self):
        self.assert_refused(run("x" * 65537), "COMMAND_TOO_LONG")
        self.assert_refused(run(argv=["true"] + ["x"] * 4096), "COMMAND_TOO_LONG")
        self.assert_refused(run(argv=["true", "x" * 65537]), "COMMAND_TOO_LONG")

    def test_bad_environment(self):
        for name in ("", "A=B", "A\0"):
            with self.subTest(name=name):
                variable = exec_.EnvironmentVariable(name=name, value="1")
                self.assert_refused(run("true", environment=[variable]), "BAD_ENVIRONMENT")

    def test_bad_timeout(self):
        self.assert_refused(run("true", timeout_seconds=-1), "BAD_TIMEOUT")
        self.assert_refused(run("true", timeout_seconds=601), "BAD_TIMEOUT")


class CancelTest(unittest.TestCase):
    TREE = "P=%s; echo $$ >> $P; sleep 1000 & echo $! >> $P; wait"

    def start_tree(self, name, **options):
        pids = stack.scratch / name
        call = client.exec.Run(run(self.TREE % pids), **options)
        self.assertEqual(next(call).WhichOneof("event"), "started")
        return call, read_pids(pids, 2)

    def test_cancelled_call_ends_the_whole_tree(self):
        call, pids = self.start_tree("cancel", timeout=rpc.PATIENCE)
        call.cancel()
        for pid in pids:
            wait_for_exit_of(pid)

    def test_passed_deadline_ends_the_whole_tree(self):
        call, pids = self.start_tree("deadline", timeout=2)
        with self.assertRaises(grpc.RpcError) as raised:
            list(call)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        for pid in pids:
            wait_for_exit_of(pid)

    def test_lost_client_ends_the_whole_tree(self):
        lost = rpc.client_of(stack)
        pids = stack.scratch / "lost"
        call = lost.exec.Run(run(self.TREE % pids), timeout=rpc.PATIENCE)
        next(call)
        running = read_pids(pids, 2)
        lost.close()
        for pid in running:
            wait_for_exit_of(pid)


class EndedByOthersTest(unittest.TestCase):
    """Whoever ends a command, its caller learns the outcome."""

    def start(self, by):
        call = by.exec.Run(run("sleep 1000"), timeout=rpc.PATIENCE)
        self.assertEqual(next(call).WhichOneof("event"), "started")
        return call

    def assert_cancelled(self, call):
        events = list(call)
        self.assertEqual([event.WhichOneof("event") for event in events], ["outcome"])
        self.assertEqual(events[0].outcome.WhichOneof("result"), "cancelled")

    def test_stopped_service(self):
        self.addCleanup(client.start, "exec")
        call = self.start(client)
        client.stop("exec", grace_ms=0)
        self.assert_cancelled(call)

    def test_operator_closes_the_call(self):
        call = self.start(client)
        # Calls that earlier tests cancelled are listed until their commands have ended.
        ids = wait_until(lambda: ids if len(ids := self.ids_of_calls()) == 1 else None, "only one call")
        client.control.CloseConnection(rpc.control.CloseConnectionRequest(service="exec", connection_id=ids[0]))
        self.assert_cancelled(call)

    def ids_of_calls(self):
        rows = client.control.ListConnections(rpc.control.ListConnectionsRequest(service="exec")).connections
        return [row.id for row in rows if row.listener == "rpc"]

    def test_process_goes(self):
        other = Stack()
        direct = rpc.Client(other.start_service("exec", "--grace=0s").rpc_target)
        self.addCleanup(direct.close)
        call = self.start(direct)
        other.stop()
        self.assert_cancelled(call)


class CommandsMaxTest(unittest.TestCase):
    def test_too_many_commands(self):
        """Some run, some wait for their turn, and those beyond are refused with a time to try again."""
        calls = [client.exec.Run(run("sleep 1000"), timeout=rpc.PATIENCE) for _ in range(400)]
        refused = wait_until(lambda: next((call for call in calls if call.done()), None), "a refusal")
        reason, details = rpc.reason_and_details(refused.exception())
        self.assertEqual((refused.code(), reason), (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_COMMANDS"))
        self.assertGreater(details["google.rpc.RetryInfo"].retry_delay.ToNanoseconds(), 0)
        for call in calls:
            call.cancel()
        wait_until(self.admitted, "room for another command")

    def admitted(self):
        try:
            return result_of("true").outcome.exited.code == 0
        except grpc.RpcError as error:
            self.assertEqual(error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
            return False


if __name__ == "__main__":
    unittest.main()
