"""`rawgate call`: any method of the gateway's, and of any other server with reflection, from the command line."""

import json
import signal
import subprocess
import unittest

from tests.harness.deadlines import PATIENCE
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import Stack
from tests.harness.terminal import Terminal

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_all()


class CallTestCase(unittest.TestCase):
    def call(self, *words, input="", code=0, target=None):
        done = subprocess.run([BIN_DIR / "rawgate", "--gateway", target or stack.gateway_target, "call", *words], input=input,
                              capture_output=True, text=True, timeout=PATIENCE, env=clean_environment(), check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def answer(self, *words, **options):
        out, error = self.call(*words, **options)
        self.assertEqual(error, "")
        return [json.loads(line) for line in out.splitlines()]


class SchemaTest(CallTestCase):
    def test_lists_services_and_methods(self):
        out, _ = self.call()
        self.assertIn("rawgate.time.v1.TimeService\n", out)
        self.assertRegex(out, r"  WatchTime +WatchTimeRequest -> stream WatchTimeResponse\n")
        self.assertEqual(self.call("--list"), (out, ""))
        plain, _ = self.call("--list", "--plain")
        self.assertIn("rawgate.echo.v1.EchoService/Converse\tbidi-streaming\trawgate.echo.v1.ConverseRequest\t", plain)
        services = self.answer("--list", "--json")[0]["services"]
        self.assertEqual([service["name"] for service in services], sorted(service["name"] for service in services))
        methods = {method["name"]: method for service in services for method in service["methods"]}
        self.assertEqual(methods["Upload"]["kind"], "client-streaming")
        self.assertEqual(methods["GetTime"]["role"], "operator")

    def test_lists_one_service(self):
        out, _ = self.call("EchoService")
        self.assertEqual(out.splitlines()[0], "rawgate.echo.v1.EchoService")
        self.assertNotIn("TimeService", out)
        for words in (["--list", "EchoService"], ["--describe", "echo.v1.EchoService"]):
            self.assertEqual(self.call(*words)[0], out)
        self.assertIn("Did you mean EchoService?", self.call("--list", "EchoServce", code=2)[1])

    def test_completes_methods_and_fields(self):
        complete = lambda *words: subprocess.run(
            [BIN_DIR / "rawgate", "complete", "--", "--gateway", stack.gateway_target, "call", *words], capture_output=True, text=True,
            timeout=PATIENCE, env=clean_environment(), check=True).stdout
        self.assertEqual(complete("GetTi"), "GetTime\trawgate.time.v1.TimeService\n")
        self.assertIn("TimeService/GetTime\n", complete("TimeService/"))
        self.assertEqual(complete("GetTime", "for"), "format=\tstring\n:nospace\n")

    def test_describes_methods_messages_and_enums(self):
        out, _ = self.call("--describe", "ExecService/Run")
        self.assertIn("server-streaming, for role executor and above\n", out)
        self.assertRegex(out, r"\nargv +rawgate.exec.v1.Argv +one of command\n")
        self.assertRegex(out, r"on_disconnect +rawgate.exec.v1.OnDisconnect +end, keep\n")
        out, _ = self.call("--describe", "control.v1.Counters")
        self.assertIn("map<string, uint64>", out)
        out, _ = self.call("--describe", "ServiceState")
        self.assertRegex(out, r"SERVICE_STATE_UNREACHABLE +6\n")
        described = self.answer("--describe", "GetTime", "--json")[0]
        self.assertEqual([field["name"] for field in described["request"]["fields"]],
                         ["format", "time_zone", "client_send_time"])

    def test_names_that_are_none_are_guessed(self):
        _, error = self.call("GetTiem", code=2)
        self.assertEqual(error, "rawgate call: no method is called GetTiem. Did you mean GetTime?\n")
        _, error = self.call("GetLimits", code=2)
        self.assertIn("several methods are called GetLimits: rawgate.exec.v1.ExecService/GetLimits, ", error)
        _, error = self.call("Zebra", code=2)
        self.assertIn("'rawgate call' lists them", error)


class UnaryTest(CallTestCase):
    def test_fields_and_json_make_the_same_request(self):
        for request in (["format=x %Y", "time_zone=Asia/Tokyo"], ['{"format":"x %Y","timeZone":"Asia/Tokyo"}']):
            answer = self.answer("time.GetTime", *request)[0]
            self.assertRegex(answer["formatted"], r"x \d{4}")
            self.assertEqual(answer["timeZone"], "Asia/Tokyo")
            self.assertEqual(answer["utcOffsetSeconds"], 32400)

    def test_every_form_of_the_name(self):
        for name in ("rawgate.time.v1.TimeService/GetTime", "TimeService/GetTime", "time.GetTime", "GetTime"):
            self.assertEqual(self.answer(name, "format=here")[0]["formatted"], "here")

    def test_from_standard_input_and_from_a_file(self):
        self.assertEqual(self.answer("GetTime", "-", input='{"format":\n"here"}\n')[0]["formatted"], "here")
        path = stack.directory / "request.json"
        path.write_text('{"format":"there"}')
        self.assertEqual(self.answer("GetTime", f"@{path}")[0]["formatted"], "there")
        bytes_file = stack.directory / "bytes"
        bytes_file.write_bytes(b"\0\xffz")
        self.assertEqual(self.answer("Echo", f"payload=@{bytes_file}"), [{"payload": "AP9a"}])

    def test_defaults_are_shown_when_asked_for(self):
        self.assertNotIn("testClock", self.answer("GetTime")[0])
        self.assertIs(self.answer("GetTime", "--emit-defaults")[0]["testClock"], False)

    def test_exec_tells_its_limits_through_the_gateway(self):
        limits = self.answer("exec.GetLimits", "--emit-defaults")[0]
        self.assertEqual(limits["sandbox"], "SANDBOX_NONE")
        self.assertIs(limits["hasPolicy"], False)
        self.assertEqual(limits["defaultTimeout"], "60s")
        self.assertEqual((limits["maxRunning"], limits["maxQueued"]), (64, 256))

    def test_requests_that_are_not_good_are_not_sent(self):
        for request, message in ((["fromat=x"], "no field of rawgate.time.v1.GetTimeRequest is called fromat. Did you mean format?"),
                                 (['{"fromat":"x"}'], "Did you mean format?"),
                                 (["{}", "{}"], "GetTime takes one message, and there are more"),
                                 (["format=x", "{}"], "cannot be mixed"),
                                 (["client_send_time=noon"], "is no time"),
                                 (["-"], "a JSON object is wanted, and here is \"nonsense\""),
                                 (["@/no/such/file"], "No such file")):
            out, error = self.call("GetTime", *request, input="nonsense", code=2)
            self.assertEqual(out, "")
            self.assertIn(message, error)

    def test_errors_have_code_reason_and_details(self):
        out, error = self.call("GetJob", "job_id=none", code=1)
        self.assertEqual(out, "")
        lines = error.splitlines()
        self.assertEqual(lines[0], 'rawgate call: NOT_FOUND (NO_SUCH_JOB): no job "none" is known, or not any more. '
                                   "'rawgate jobs --all' lists those that are known.")
        self.assertEqual(json.loads(lines[1].removeprefix("  google.rpc.ErrorInfo ")),
                         {"reason": "NO_SUCH_JOB", "domain": "rawgate"})

    def test_a_deadline_and_an_unreachable_server(self):
        _, error = self.call("ExecService/Run", "shell_command=sleep 600", "--deadline", "200ms", code=1)
        self.assertEqual(error, "rawgate call: DEADLINE_EXCEEDED: the deadline of 200ms has passed.\n")
        _, error = self.call("GetTime", target="127.0.0.1:1", code=1)
        self.assertIn("cannot reach the gateway at 127.0.0.1:1", error)

    def test_headers_are_sent_and_shown(self):
        _, error = self.call("GetTime", "-H", "x-one: 1", "--header", "x-two=2", "--headers")
        self.assertTrue(all(line[:2] in ("< ", "> ") for line in error.splitlines()), error)
        for header in ("nonsense", "grpc-timeout: 1", "x-bin: ?", "X Y: 1"):
            self.call("GetTime", "--header", header, code=2)

    def test_a_service_itself_answers_as_well(self):
        # It has no reflection.
        _, error = self.call("GetTime", target=stack.programs["time"].rpc_target, code=1)
        self.assertIn("does not tell what it offers", error)


class StreamTest(CallTestCase):
    def test_a_server_s_stream_is_a_line_for_each_message(self):
        events = self.answer("ExecService/Run", "shell_command=echo hi", "timeout=5s")
        self.assertIn("started", events[0])
        self.assertEqual(events[-1]["outcome"]["exited"], {})
        self.assertEqual(self.answer("Run", "argv.arguments=printf", "argv.arguments=%s", "argv.arguments=a b")[1]["output"]["data"],
                         "YSBi")

    def test_a_client_s_stream_is_an_object_for_each_message(self):
        stored = self.answer("Upload", '{"start":{"filename":"called.txt","size":"5"}}', '{"data":"aGVs"}', '{"data":"bG8="}')
        self.assertEqual(stored[0]["file"]["size"], "5")
        self.assertEqual((stack.file_root / "called.txt").read_text(), "hello")

    def start(self, *words):
        process = subprocess.Popen([BIN_DIR / "rawgate", "--gateway", stack.gateway_target, "call", *words], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True, env=clean_environment())
        for cleanup in (process.stdin.close, process.stdout.close, process.wait, process.kill):
            self.addCleanup(cleanup)
        return process

    def test_both_streams_go_on_side_by_side(self):
        process = self.start("Converse", "-")
        for payload, answer in (("aGk=", "SEk="), ("eW91", "WU9V")):
            process.stdin.write(json.dumps({"payload": payload}))
            process.stdin.flush()
            self.assertEqual(json.loads(process.stdout.readline()), {"payload": answer})
        process.stdin.close()
        self.assertEqual(process.wait(timeout=PATIENCE), 0)

    def test_a_message_that_is_not_good_ends_the_stream(self):
        _, error = self.call("Converse", "-", input='{"payload":"aGk="}{"paylod":""}', code=2)
        self.assertIn("Did you mean payload?", error)

    def test_the_server_ends_a_stream_while_we_could_still_send(self):
        process = self.start("Interact", "-")
        process.stdin.write('{"start":{"shellCommand":"exit 3"}}')
        process.stdin.flush()
        self.assertEqual(process.wait(timeout=PATIENCE), 0)
        self.assertEqual(json.loads(process.stdout.read().splitlines()[-1])["outcome"]["exited"], {"code": 3})

    def test_ctrl_c_ends_a_stream(self):
        process = self.start("WatchTime")
        json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=PATIENCE), -signal.SIGINT)


class TerminalTest(CallTestCase):
    def test_one_answer_is_indented_at_a_terminal(self):
        terminal = Terminal([BIN_DIR / "rawgate", "--gateway", stack.gateway_target, "call", "Echo", "payload=hi"])
        self.addCleanup(terminal.close)
        terminal.expect(r'\{\r\n "payload": "SEk="\r\n\}\r\n')


if __name__ == "__main__":
    unittest.main()
