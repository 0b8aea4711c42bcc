"""Remote commands with clients/python."""

import asyncio
import hashlib
import io
import signal
import subprocess
import sys
import tempfile
import unittest

from tests.clients.both import Cases, classes_of, collected, in_loop
from tests.harness import python_client
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.fault_proxy import RESET, TO_CLIENT, Cut, FaultProxy
from tests.harness.program import clean_environment
from tests.harness.stack import Stack

# pylint: disable=wrong-import-order
import rawgate

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("exec")
    stack.start_gateway()


class CommandsCases:
    def client(self, **options):
        return self.connect(stack.gateway_target, **options)

    async def test_a_program_and_its_arguments(self):
        done = await self.client().run(["printf", "%s|", "a b", "$HOME"], check=True)
        self.assertEqual((done.exit_code, done.stdout, done.stderr, done.text), (0, b"a b|$HOME|", b"", "a b|$HOME|"))
        self.assertEqual(done.outcome.result, rawgate.commands.Exited(0))
        self.assertEqual(done.outcome.stdout_size, len(done.stdout))
        self.assertLessEqual(done.outcome.start_time, done.outcome.end_time)

    async def test_a_string_is_for_a_shell(self):
        done = await self.client().run("echo out; echo err >&2; echo $GREETING; pwd; exit 3", cwd="/tmp", env={"GREETING": "hi"})
        self.assertEqual((done.exit_code, done.stdout, done.stderr), (3, b"out\nhi\n/tmp\n", b"err\n"))

    async def test_exit_codes_are_those_of_the_command_line(self):
        client = self.client()
        for command, code in ((["/no/such/program"], 127), (["/etc/passwd"], 126), ("kill -9 $$", 137)):
            with self.subTest(command=command):
                self.assertEqual((await client.run(command)).exit_code, code)
        late = await client.run("exec sleep 1000", timeout=1)
        self.assertEqual(late.exit_code, 124)
        self.assertIsInstance(late.outcome.result, rawgate.commands.TimedOut)

    async def test_check(self):
        with self.assertRaises(rawgate.CommandFailed) as raised:
            await self.client().run("echo why; exit 4", check=True)
        self.assertEqual((raised.exception.completed.stdout, raised.exception.completed.exit_code), (b"why\n", 4))
        self.assertIn("exited with 4", str(raised.exception))

    async def test_standard_input_of_any_size(self):
        client = self.client()
        for size in (0, 5, (1 << 20) + 1, 5 << 20):
            data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
            expected = hashlib.sha256(data).hexdigest()
            for name, stdin in (("bytes", data), ("file", io.BytesIO(data))):
                with self.subTest(size=size, stdin=name):
                    done = await client.run(["sha256sum"], stdin=stdin, check=True)
                    self.assertEqual(done.text.split()[0], expected)
        self.assertEqual((await client.run(["cat"], stdin="text")).stdout, b"text")

    async def test_input_that_the_command_does_not_want(self):
        done = await self.client().run("exit 5", stdin=io.BytesIO(bytes(8 << 20)))
        self.assertEqual(done.exit_code, 5)

    async def test_input_that_cannot_be_read(self):
        class Broken(io.BytesIO):
            def read(self, *_):
                raise OSError("a bad sector")

        with self.assertRaisesRegex(OSError, "a bad sector"):
            await self.client().run("cat; sleep 1000", stdin=Broken())

    async def test_errors_say_why(self):
        with self.assertRaises(rawgate.InvalidArgument) as raised:
            await self.client().run([])
        self.assertIn(raised.exception.reason, ("NO_COMMAND", "BAD_COMMAND"))

    async def test_a_conversation(self):
        job = await self.client().start("while read line; do echo got $line; done", keep_stdin_open=True)
        heard = b""
        await job.write_stdin(b"one\n")
        async for output in job:
            heard += output.data
            if heard == b"got one\n":
                await job.write_stdin(b"two\n")
            if heard == b"got one\ngot two\n":
                await job.close_stdin()
        self.assertEqual(heard, b"got one\ngot two\n")
        self.assertEqual((await job.wait()).exit_code, 0)
        with self.assertRaises(rawgate.FailedPrecondition) as raised:
            await job.write_stdin(b"three\n")
        self.assertEqual(raised.exception.reason, "JOB_ENDED")

    async def test_who_stops_reading_goes_on_there(self):
        job = await self.client().start("echo one; echo err >&2; read line; echo two", keep_stdin_open=True)
        seen = b""
        async for output in job.output():
            seen += output.data
            break
        self.assertEqual((await job.info()).state, rawgate.JobState.RUNNING)
        await job.write_stdin(b"\n")
        seen += b"".join([output.data async for output in job.output()])
        self.assertEqual(sorted(seen.split()), [b"err", b"one", b"two"])
        self.assertEqual(job.outcome.exit_code, 0)

    async def test_kill_and_wait(self):
        client = self.client()
        job = await client.start("exec sleep 1000")
        with self.assertRaises(rawgate.DeadlineExceeded):
            await job.wait(timeout=0.2)
        await job.kill()
        outcome = await job.wait()
        self.assertEqual(outcome.exit_code, 137)
        with self.assertRaises(rawgate.FailedPrecondition):
            await job.terminate()
        async with await client.start("read line; exit 6", keep_stdin_open=True) as job:
            await job.close_stdin()
        self.assertEqual(job.outcome.exit_code, 6, "awaited at the end of the block")
        with self.assertRaises(ZeroDivisionError):
            async with await client.start("exec sleep 1000") as job:
                raise ZeroDivisionError
        self.assertEqual((await job.wait()).exit_code, 137, "killed where the block failed")

    async def test_attach_by_id_and_list(self):
        client = self.client()
        started = await client.start("echo one; sleep 1000")
        await started.close()
        other = self.client()
        while (await started.info()).standard_output.size < len("one\n"):
            await asyncio.sleep(0.01)
        job = await other.attach(started.job_id, stdout_offset=2)
        async for output in job:
            self.assertEqual((output.offset, output.data, output.is_stderr), (2, b"e\n", False))
            break
        running = await collected(other.jobs(running_only=True))
        self.assertIn(started.job_id, [each.job_id for each in running])
        await job.kill()
        await job.wait()
        info = next(each for each in await collected(other.jobs()) if each.job_id == started.job_id)
        self.assertEqual((info.state, info.outcome.exit_code), (rawgate.JobState.ENDED, 137))
        with self.assertRaises(rawgate.NotFound) as raised:
            await client.attach("no such job")
        self.assertEqual(raised.exception.reason, "NO_SUCH_JOB")

    async def test_a_request_id_starts_once(self):
        client = self.client()
        request_id = f"only once {self.id()}"
        first = await client.run("echo $RAWGATE_JOB_ID", request_id=request_id)
        again = await client.run("echo $RAWGATE_JOB_ID", request_id=request_id)
        self.assertEqual((again.job_id, again.stdout), (first.job_id, first.stdout))

    async def test_connections_that_break(self):
        proxy = FaultProxy(stack.programs["gateway"].address("grpc"))
        self.addCleanup(proxy.close)
        proxy.cut_next(*[Cut(TO_CLIENT, 300_000, RESET)] * 3)
        client = self.connect("%s:%d" % proxy.address)
        done = await client.run("echo $$ >&2; seq 300000", check=True)
        self.assertEqual(proxy.cuts_left(), 0, "every cut was met")
        self.assertEqual(done.stdout, b"".join(b"%d\n" % number for number in range(1, 300_001)))
        self.assertEqual(len(done.stderr.split()), 1, "it was started once")

    async def test_nobody_knows_the_outcome_when_the_service_dies(self):
        own = Stack(stable_ports=True)
        self.addCleanup(own.stop)
        service = own.start_service("exec")
        own.start_gateway()
        job = await self.connect(own.gateway_target, retries=1).start("echo begun; sleep 1000")
        with self.assertRaises(rawgate.OutcomeUnknown) as raised:
            async for output in job:
                self.assertEqual(output.data, b"begun\n")
                service.kill()
        self.assertEqual(raised.exception.job_id, job.job_id)
        del own.programs["exec"]


class EndedCallersTest(Cases):
    """Who does not wait for a command's end any more does not want it."""

    @in_loop
    async def test_a_cancelled_task(self):
        with rawgate.connect(stack.gateway_target) as observer:
            client = self.connect(stack.gateway_target)
            task = asyncio.create_task(client.run("sleep 1000", request_id=self.id()))
            started = lambda: any(job.request_id == self.id() for job in observer.jobs(running_only=True))
            await asyncio.to_thread(wait_until, started, "its job")
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            job = next(each for each in observer.jobs() if each.request_id == self.id())
            self.assertEqual(observer.attach(job.job_id).wait().exit_code, 137)

    def test_control_c(self):
        program = ("import rawgate, sys\nwith rawgate.connect() as client:\n"
                   "    client.run('echo >&2; exec sleep 1000', request_id=sys.argv[1])\n")
        with tempfile.TemporaryFile() as errors, rawgate.connect(stack.gateway_target) as observer:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", sys.executable, "-c", program, self.id()], stderr=errors,
                env=clean_environment(PYTHONPATH=python_client.FOLDER, RAWGATE_GATEWAY=stack.gateway_target))
            job = wait_until(lambda: next((job for job in observer.jobs() if job.request_id == self.id()), None), "its job")
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)
            errors.seek(0)
            self.assertIn(b"KeyboardInterrupt", errors.read())
            self.assertEqual(observer.attach(job.job_id).wait(timeout=PATIENCE).exit_code, 137)


globals().update(classes_of(CommandsCases))

if __name__ == "__main__":
    unittest.main()
