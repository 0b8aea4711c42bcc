"""What rawgate-exec does not do, asked at every door: each with a reason of its own, and the next request is served."""

import os
import unittest

import grpc

from tests.conformance.exec_client import packed_request, receive_reply
from tests.conformance.plain_client import connect, packed_size
from tests.harness import rpc
from tests.harness.stack import Stack
from tests.parity import exec_doors
from tests.parity.exec_doors import Refusal, Result

INVALID_ARGUMENT = grpc.StatusCode.INVALID_ARGUMENT
COMMAND_MAX = 64 * 1024
VARIABLES_MAX = 1024
ENVIRONMENT_MAX = 128 * 1024
INPUT_MAX = 1 << 20


def shell(text, **options):
    return {"command": text, **options}


# Requests that are refused, and the reason. The code of a typed call is INVALID_ARGUMENT.
REFUSED = [
    (shell("x" * (COMMAND_MAX + 1)), "COMMAND_TOO_LONG"),
    ({"argv": ["true", "x" * COMMAND_MAX]}, "COMMAND_TOO_LONG"),
    ({"argv": ["true"] + [""] * 4096}, "COMMAND_TOO_LONG"),
    (shell("echo a\0b"), "BAD_COMMAND"),
    ({"argv": ["echo", "a", "b\0"]}, "BAD_COMMAND"),
    ({}, "NO_COMMAND"),
    ({"argv": []}, "NO_COMMAND"),
    ({"argv": [""]}, "NO_COMMAND"),
    (shell("true", cwd="usr"), "BAD_WORKING_DIRECTORY"),
    (shell("true", cwd="/usr\0"), "BAD_WORKING_DIRECTORY"),
    (shell("true", cwd="/" * 4096), "BAD_WORKING_DIRECTORY"),
    (shell("true", env={str(number): "" for number in range(VARIABLES_MAX + 1)}), "BAD_ENVIRONMENT"),
    (shell("true", env={"A": "x" * ENVIRONMENT_MAX}), "BAD_ENVIRONMENT"),
    (shell("true", env={"A": "x" * 70_000, "B": "x" * 70_000}), "BAD_ENVIRONMENT"),
    (shell("true", env={"": "x"}), "BAD_ENVIRONMENT"),
    (shell("true", env={"A=B": "x"}), "BAD_ENVIRONMENT"),
    (shell("true", env={"A\0": "x"}), "BAD_ENVIRONMENT"),
    (shell("true", env={"A": "x\0"}), "BAD_ENVIRONMENT"),
    (shell("true", env={"RAWGATE_JOB_ID": "1"}), "BAD_ENVIRONMENT"),
    (shell("true", timeout_ms=3_600_001), "BAD_TIMEOUT"),
]

# What the system refuses only when it is tried, and how it says so.
START_FAILED = [
    ({"argv": ["/no/such/program"]}, "No such file or directory"),
    ({"argv": ["no-such-program-at-all"]}, "No such file or directory"),
    ({"argv": ["/etc/hostname/program"]}, "Not a directory"),
    ({"argv": ["{scratch}/not-executable"]}, "Permission denied"),
    ({"argv": ["{scratch}"]}, "Permission denied"),
    ({"argv": ["{scratch}/no-program"]}, "Exec format error"),
    ({"argv": ["{scratch}/no-interpreter"]}, "No such file or directory"),
    (shell("true", cwd="/no/such/folder"), "No such file or directory"),
    (shell("true", cwd="/etc/hostname"), "Not a directory"),
]

# The shell is there, what it is told to run is not: that is an exit code.
SHELL_FAILURES = [
    (shell("/no/such/program 2>/dev/null"), 127),
    (shell("no-such-program-at-all 2>/dev/null"), 127),
    (shell("{scratch}/not-executable 2>/dev/null"), 126),
    (shell("cd /no/such/folder 2>/dev/null || exit 9"), 9),
]

# As much as may be asked for.
GREATEST = [
    (shell("printf %s " + "x" * (COMMAND_MAX - 10)), b"x" * (COMMAND_MAX - 10)),
    ({"argv": ["printf", "%s"] + ["x"] * 4094}, b"x" * 4094),
    (shell("env | grep -c ^A", env={f"A{number}": "" for number in range(VARIABLES_MAX)}), b"1024\n"),
    (shell("printf %s $A | wc -c", env={"A": "x" * (ENVIRONMENT_MAX - 3)}), b"%d\n" % (ENVIRONMENT_MAX - 3)),
    (shell("printf %s $A$B | wc -c", env={"A": "x" * 65_000, "B": "x" * 66_000}), b"131000\n"),
    (shell("echo in time", timeout_ms=3_600_000), b"in time\n"),
]

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
    for name, content, mode in (("not-executable", "#!/bin/sh\n", 0o644), ("no-program", "no program\n", 0o755),
                                ("no-interpreter", "#!/no/such/interpreter\n", 0o755), ("closed", None, 0o700)):
        path = stack.scratch / name
        path.mkdir() if content is None else path.write_text(content)
        path.chmod(mode)


def in_scratch(request):
    """The request with the names of this test's own files."""
    filled = dict(request)
    if "argv" in filled:
        filled["argv"] = [argument.replace("{scratch}", str(stack.scratch)) for argument in filled["argv"]]
    if "command" in filled:
        filled["command"] = filled["command"].replace("{scratch}", str(stack.scratch))
    return filled


class RequestTest(unittest.TestCase):
    def setUp(self):
        self.doors = exec_doors.doors_of(stack, client)
        for door in self.doors:
            self.addCleanup(door.close)

    def check(self, table, check):
        """Sends each request through each door that takes it, and has `check` look at what came."""
        for request, expected in table:
            request = in_scratch(request)
            for door in self.doors:
                if door.takes(request, b""):
                    with self.subTest(door=type(door).__name__, request=str(request)[:80]):
                        check(door, expected, door.ask(request))

    def assert_refused(self, door, reason, refusal):
        typed = isinstance(door, exec_doors.TypedDoor)
        self.assertIsInstance(refusal, Refusal)
        self.assertEqual((refusal.reason, refusal.code), (reason, INVALID_ARGUMENT if typed else None))
        self.assertTrue(refusal.message)
        if isinstance(door, exec_doors.HeaderDoor):
            # The connection closes after a refusal; the next one is served.
            door.reopen()
        self.assert_serves(door)

    def assert_not_started(self, door, why, refusal):
        self.assertIsInstance(refusal, Refusal)
        self.assertEqual((refusal.reason, refusal.code), ("START_FAILED", None))
        self.assertIn(why, refusal.message)
        self.assert_serves(door)

    def assert_serves(self, door):
        self.assertEqual(door.ask(shell("echo next")), Result(("exited", 0), b"next\n"))

    def test_refused(self):
        self.check(REFUSED, self.assert_refused)

    def test_start_failed(self):
        self.check(START_FAILED, self.assert_not_started)

    @unittest.skipUnless(os.geteuid() == 0, "takes root, whose commands run as somebody else")
    def test_folder_that_is_closed_to_the_user(self):
        self.check([(shell("true", cwd=str(stack.scratch / "closed")), "Permission denied")], self.assert_not_started)

    def test_shell_failures(self):
        self.check(SHELL_FAILURES, lambda _, code, result: self.assertEqual(result, Result(("exited", code))))

    def test_greatest(self):
        def check(_, output, result):
            self.assertEqual((result.outcome, len(result.stdout)), (("exited", 0), len(output)))
            self.assertEqual(result.stdout, output)

        self.check(GREATEST, check)

    def test_input_too_long(self):
        """On 8085 the input would follow the refusal, so the connection is closed."""
        for door in self.doors[1:]:
            with self.subTest(door=type(door).__name__):
                refusal = door.ask({"argv": ["cat"]}, bytes(INPUT_MAX + 1))
                door.reopen()
                self.assert_refused(door, "INPUT_TOO_LONG", refusal)


class RawLateInputTest(unittest.TestCase):
    def test_input_beyond_what_was_announced(self):
        """It is not the command's any more but the next request, and none that could be one."""
        with connect(stack.address("exec", "framed")) as raw:
            raw.sendall(packed_request(b"abc", argv=["cat"]) + packed_size(-1))
            self.assertEqual(receive_reply(raw)[1], b"abc")
            self.assertEqual(receive_reply(raw)[0]["error"]["code"], "BAD_LENGTH")
            self.assertEqual(raw.recv(1), b"")


if __name__ == "__main__":
    unittest.main()
