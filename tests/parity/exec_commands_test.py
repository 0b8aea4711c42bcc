"""What OpenSSH's regression tests ask of a remote command (exit-status.sh, exit-status-signal.sh, broken-pipe.sh,
yes-head.sh, stderr-data.sh, stderr-after-eof.sh, transfer.sh), asked at every door of rawgate-exec."""

import random
import unittest

from tests.harness import rpc
from tests.harness.stack import Stack
from tests.parity import exec_doors
from tests.parity.exec_doors import Result

EVERY_BYTE = bytes(range(256))
# Longer than any buffer on the way, and of no length that a buffer would have.
BINARY = EVERY_BYTE + random.Random(7).randbytes(5_000_003)
INPUT_MAX = 1 << 20

STATUSES = (0, 1, 4, 5, 44, 126, 127, 128, 254, 255)
SIGNALS = ("HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
           "TERM", "XCPU", "XFSZ", "VTALRM", "PROF", "SYS")

SUCCESS = ("exited", 0)


def shell(text):
    return {"command": text}


# What is asked, with which standard input, and what comes of it.
ENDS = [
    *((shell(f"exit {status}"), b"", Result(("exited", status))) for status in STATUSES),
    # Its output has ended long before it does.
    *((shell(f"exec >&- 2>&-; sleep 0.1; exit {status}"), b"", Result(("exited", status))) for status in (0, 1, 255)),
    *((shell(f"exec >/dev/null 2>&1; echo x; exit {status}"), b"", Result(("exited", status))) for status in (0, 44)),
    # What it leaves behind has no say in how it ended.
    (shell("(sleep 1000 >/dev/null 2>&1 &) ; exit 44"), b"", Result(("exited", 44))),
    *((shell(f"kill -{name} $$"), b"", Result(("signalled", name))) for name in SIGNALS),
    (shell("printf out; printf err >&2; kill -TERM $$"), b"", Result(("signalled", "TERM"), b"out", b"err")),
    # A signal that a command's child ended by is an exit code of its shell, as everywhere.
    (shell("exec 2>/dev/null; sh -c 'kill -TERM $$'; exit $?"), b"", Result(("exited", 128 + 15))),
    ({"argv": ["false"]}, b"", Result(("exited", 1))),
]

PIPES = [
    (shell("yes | head -n 2000"), b"", Result(SUCCESS, b"y\n" * 2000)),
    # SIGPIPE is not ignored, or yes would end with an error message, and what never looks would never end.
    (shell("{ yes; echo $? >&2; } | head -n 1"), b"", Result(SUCCESS, b"y\n", b"141\n")),
    ({"argv": ["grep", "-E", "^Sig(Blk|Ign):", "/proc/self/status"]}, b"",
     Result(SUCCESS, b"SigBlk:\t%016d\nSigIgn:\t%016d\n" % (0, 0))),
]

OUTPUTS = [
    (shell("true"), b"", Result(SUCCESS)),
    (shell("printf 'no newline'"), b"", Result(SUCCESS, b"no newline")),
    (shell("printf x >&2"), b"", Result(SUCCESS, b"", b"x")),
    (shell("echo"), b"", Result(SUCCESS, b"\n")),
    # Standard error that comes after the end of standard output, and the other way round.
    (shell("echo out; exec >&-; sleep 0.1; echo late >&2; exit 3"), b"", Result(("exited", 3), b"out\n", b"late\n")),
    (shell("echo err >&2; exec 2>&-; sleep 0.1; echo late; exit 3"), b"", Result(("exited", 3), b"late\n", b"err\n")),
    (shell("cat {binary}"), b"", Result(SUCCESS, BINARY)),
    (shell("cat {binary} >&2"), b"", Result(SUCCESS, b"", BINARY)),
    (shell("cat {binary} >&2 & cat {binary}; wait"), b"", Result(SUCCESS, BINARY, BINARY)),
    (shell("cat {binary} | cat | dd bs=999 status=none | tee /dev/null"), b"", Result(SUCCESS, BINARY)),
]

INPUTS = [
    (shell("cat; read line; echo $?"), b"", Result(SUCCESS, b"1\n")),
    ({"argv": ["cat"]}, b"", Result(SUCCESS)),
    ({"argv": ["cat"]}, EVERY_BYTE, Result(SUCCESS, EVERY_BYTE)),
    ({"argv": ["cat"]}, BINARY[:INPUT_MAX], Result(SUCCESS, BINARY[:INPUT_MAX])),
    (shell("cat >&2; exit 5"), b"no newline", Result(("exited", 5), b"", b"no newline")),
    # What it does not read is nobody's loss.
    (shell("exit 7"), BINARY[:INPUT_MAX], Result(("exited", 7))),
    (shell("exec <&-; sleep 0.1; echo done"), BINARY[:INPUT_MAX], Result(SUCCESS, b"done\n")),
    ({"argv": ["head", "-c", "3"]}, BINARY[:INPUT_MAX], Result(SUCCESS, BINARY[:3])),
    (shell("kill -KILL $$"), BINARY[:INPUT_MAX], Result(("signalled", "KILL"))),
]

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
    (stack.scratch / "binary").write_bytes(BINARY)


class CommandsTest(unittest.TestCase):
    def setUp(self):
        self.doors = exec_doors.doors_of(stack, client)
        for door in self.doors:
            self.addCleanup(door.close)

    def check(self, table):
        for request, stdin, expected in table:
            if "command" in request:
                request = shell(request["command"].replace("{binary}", str(stack.scratch / "binary")))
            for door in self.doors:
                if door.takes(request, stdin):
                    with self.subTest(door=type(door).__name__, request=request, stdin=len(stdin)):
                        self.assert_same(door.ask(request, stdin), expected)

    def assert_same(self, result, expected):
        """A failure does not print megabytes."""
        shown = [(part.outcome, len(part.stdout), len(part.stderr)) if isinstance(part, Result) else part
                 for part in (result, expected)]
        self.assertEqual(*shown)
        self.assertTrue(result == expected, f"{result.stdout[:100]!r} {result.stderr[:100]!r}")

    def test_ends(self):
        self.check(ENDS)

    def test_broken_pipes(self):
        self.check(PIPES)

    def test_outputs(self):
        self.check(OUTPUTS)

    def test_inputs(self):
        self.check(INPUTS)


class InteractInputTest(unittest.TestCase):
    """Input has no limit when it comes in messages."""

    def interact(self, command, messages):
        requests = [rpc.exec_.InteractRequest(start=exec_doors.run_request(shell(command)))]
        requests += [rpc.exec_.InteractRequest(stdin=message) for message in messages]
        events = list(client.exec.Interact(iter(requests), timeout=rpc.PATIENCE))
        return events[-1].outcome, b"".join(event.output.data for event in events[1:-1])

    def test_megabytes_come_back_unchanged(self):
        pieces = [BINARY[start:start + 70_001] for start in range(0, len(BINARY), 70_001)]
        outcome, output = self.interact("cat; exit 9", pieces)
        self.assertEqual((outcome.exited.code, len(output)), (9, len(BINARY)))
        self.assertTrue(output == BINARY)

    def test_megabytes_that_nobody_reads(self):
        outcome, output = self.interact("exec <&-; echo done; exit 9", [bytes(INPUT_MAX)] * 20)
        self.assertEqual((outcome.exited.code, output), (9, b"done\n"))


if __name__ == "__main__":
    unittest.main()
