"""The log: JSON lines for programs, text for people, one line for each event whatever a client puts into it."""

import datetime
import json
import re
import subprocess
import tempfile
import unittest

import grpc

from tests.harness import rpc
from tests.harness.access import TOKENS, AccessFile, as_user, bearer, one_user_for_each_role
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.program import BIN_DIR, Program, clean_environment
from tests.harness.stack import Stack
from tests.harness.terminal import Terminal

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
JSON = {"RAWGATE_LOG_FORMAT": "json"}
ECHO_PATH = "/rawgate.echo.v1.EchoService/Echo"


def events_of(program):
    """Every line of a program's log, each of which must be a whole JSON object in UTF-8."""
    text = program.log_path.read_bytes()
    assert text.endswith(b"\n"), text[-100:]
    return [json.loads(line.decode()) for line in text.split(b"\n")[:-1]]


class CallLogTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.stop)
        cls.service = cls.stack.start_service("echo", environment={**JSON, "RAWGATE_LOG_LEVEL": "debug"})

    def gateway(self, *flags, level="info"):
        program = Program("gateway", ["--listen=grpc=tcp://127.0.0.1:0", f"--backends=echo={self.service.rpc_target}", *flags],
                          self.folder(), {**JSON, "RAWGATE_LOG_LEVEL": level}).start()
        self.addCleanup(program.stop)
        client = rpc.Client(program.ready["listeners"][0]["address"].removeprefix("tcp://"))
        self.addCleanup(client.close)
        return program, client

    def folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return folder.name

    def calls(self, program, method):
        return [event for event in events_of(program) if event["message"] == "call" and event["method"] == method]

    def echo(self, client, *metadata):
        client.echo.Echo(rpc.echo.EchoRequest(payload=b"x"), metadata=metadata, timeout=PATIENCE)

    def test_a_forwarded_call_and_its_trace(self):
        program, client = self.gateway("--log_calls")
        self.echo(client, ("traceparent", TRACEPARENT))
        [call] = wait_until(lambda: self.calls(program, ECHO_PATH), "the gateway's line")
        self.assertEqual((call["level"], call["program"], call["code"], call["traceparent"]),
                         ("info", "rawgate-gateway", "OK", TRACEPARENT))
        self.assertRegex(call["peer"], r"^tcp://127\.0\.0\.1:\d+$")
        self.assertGreater(call["duration_ms"], 0)
        self.assertRegex(call["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(call["time"].replace("Z", "+00:00"))
        self.assertLess(abs(age.total_seconds()), 3600)
        # The service has the same trace, and the client's address as the gateway told it.
        [in_service] = wait_until(
            lambda: [one for one in self.calls(self.service, ECHO_PATH) if one.get("traceparent") == TRACEPARENT],
            "the service's line")
        self.assertEqual((in_service["level"], in_service["peer"]), ("debug", call["peer"]))

    def test_calls_that_the_gateway_answers_itself(self):
        program, client = self.gateway("--log_calls")
        client.control.ListServices(rpc.control.ListServicesRequest(), timeout=PATIENCE)
        path = "/rawgate.control.v1.ControlService/ListServices"
        [call] = wait_until(lambda: self.calls(program, path), "the line")
        self.assertEqual((call["code"], call["level"]), ("OK", "info"))

    def test_who_called(self):
        access = AccessFile(f"{self.folder()}/access", one_user_for_each_role())
        program, client = self.gateway("--log_calls", access.flag)
        listed = "/rawgate.control.v1.ControlService/ListServices"
        self.echo(client, *as_user("operator"))
        client.control.ListServices(rpc.control.ListServicesRequest(), metadata=as_user("viewer"), timeout=PATIENCE)
        for metadata in (as_user("viewer"), bearer("nobody-has-this"), ()):
            rpc.error_of(client.echo.Echo, rpc.echo.EchoRequest(payload=b"x"), metadata=metadata)
        wait_until(lambda: len(self.calls(program, ECHO_PATH)) == 4 and self.calls(program, listed), "the lines")
        users = [(call.get("user"), call["code"]) for call in self.calls(program, ECHO_PATH)]
        self.assertEqual(users, [("operator", "OK"), ("viewer", "PERMISSION_DENIED"), (None, "UNAUTHENTICATED"),
                                 (None, "UNAUTHENTICATED")])
        self.assertEqual(self.calls(program, listed)[0]["user"], "viewer")
        for token in (*TOKENS.values(), "nobody-has-this"):
            self.assertNotIn(token, program.log_path.read_text())
        # The service is told, and writes it down as well.
        wait_until(lambda: [one for one in self.calls(self.service, ECHO_PATH) if one.get("user") == "operator"],
                   "the service's line")

    def test_without_the_flag_calls_are_for_debugging(self):
        program, client = self.gateway()
        self.echo(client)
        other, other_client = self.gateway(level="debug")
        self.echo(other_client)
        wait_until(lambda: self.calls(other, ECHO_PATH), "the line at debug")
        self.assertEqual(self.calls(other, ECHO_PATH)[0]["level"], "debug")
        self.assertEqual(self.calls(program, ECHO_PATH), [])

    def test_what_a_client_makes_up_stays_in_its_line(self):
        program, client = self.gateway("--log_calls")
        paths = ['/x"},{"level":"error"', "/" + "y" * 3000, "/\\n\\u0000", "/[31mred"]
        for path in paths:
            call = client.channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
            with self.assertRaises(grpc.RpcError):
                call(b"", metadata=[("traceparent", 'x"\\'), ("x-rawgate-user", "somebody")], timeout=PATIENCE)
        wait_until(lambda: sum(event["message"] == "call" for event in events_of(program)) == len(paths), "the lines")
        for path in paths:
            [call] = self.calls(program, path)
            self.assertEqual((call["code"], call["level"]), ("UNIMPLEMENTED", "info"))
            self.assertNotIn("traceparent", call)
            self.assertNotIn("user", call)


class FormatTest(unittest.TestCase):
    def run_to_end(self, *flags, environment=None):
        return subprocess.run([BIN_DIR / "rawgate-echo", "--listen=tcp=tcp://127.0.0.1:0", "--rpc_listen=unix:///no/such/socket",
                               *flags], env=clean_environment(**(environment or {})), capture_output=True, timeout=PATIENCE,
                              check=False)

    def test_json_where_no_terminal_is(self):
        result = self.run_to_end("--log_format=auto")
        for line in result.stderr.splitlines():
            event = json.loads(line)
            self.assertEqual(event["program"], "rawgate-echo")
            self.assertLessEqual({"time", "level", "message"}, set(event))
        self.assertTrue(result.stderr)

    def test_text_when_asked_for(self):
        result = self.run_to_end("--log_format=text")
        for line in result.stderr.decode().splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [a-z]+ rawgate-echo: \S")
        self.assertTrue(result.stderr)

    def test_text_on_a_terminal(self):
        terminal = Terminal([BIN_DIR / "rawgate-echo", "--listen=tcp=tcp://127.0.0.1:0", "--rpc_listen=tcp://127.0.0.1:0",
                             "--log_format=auto"])
        self.addCleanup(terminal.close)
        terminal.expect('"ready":"echo"')
        terminal.press(b"\x03")
        terminal.expect("rawgate-echo: Interrupt: draining")
        self.assertIsNone(re.search(rb'"message"', terminal.screen))

    def test_other_formats_are_refused(self):
        result = self.run_to_end("--log_format=xml")
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"--log_format", result.stderr)

    def test_grpc_speaks_in_the_same_format(self):
        """A port that is taken is something that gRPC itself has to say a word about."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        first = Program("echo", ["--listen=tcp=tcp://127.0.0.1:0", "--rpc_listen=tcp://127.0.0.1:0"], folder.name).start()
        self.addCleanup(first.stop)
        result = self.run_to_end(f"--rpc_listen={first.ready['rpc']}", "--log_format=json")
        self.assertEqual(result.returncode, 1)
        events = [json.loads(line) for line in result.stderr.splitlines()]
        self.assertTrue([event for event in events if event["message"].startswith("gRPC: ") and event["source"]], events)


if __name__ == "__main__":
    unittest.main()
