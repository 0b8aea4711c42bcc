"""Completion of `rawgate` command lines, in the shells themselves: bash, zsh at a terminal, fish."""

import socket
import subprocess
import unittest

from tests.harness.command_line import RAWGATE, CommandLine
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.program import clean_environment
from tests.harness.stack import Stack
from tests.harness.terminal import Terminal

stack = None
rawgate = None

BASH = r"""
source <(rawgate completion bash)
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
# As readline takes a line apart: at blanks, and at = and : by themselves.
mapfile -t COMP_WORDS < <(sed 's/[=:]/\n&\n/g; s/ \+/\n/g' <<<"$1" | sed '/^$/d')
[[ $1 == *' ' ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_rawgate rawgate "${COMP_WORDS[COMP_CWORD]}"
printf '%s\n' "${COMPREPLY[@]}"
"""


def setUpModule():
    global stack, rawgate
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    for name in ("echo", "exec", "file"):
        stack.start_service(name)
    stack.start_gateway()
    config = stack.directory / "config.json"
    rawgate = CommandLine(RAWGATE_GATEWAY=stack.gateway_target, RAWGATE_CONFIG=str(config))
    rawgate.run("context", "add", "lab", "--address", "127.0.0.1:1")
    source = stack.directory / "a.txt"
    source.write_text("x")
    wait_until(lambda: len(rawgate.json("ps")["services"]) == 3, "the gateway has met the services")
    wait_until(stored(source), "the file service serves")
    rawgate.run("put", source, "--to", "reports/with blank.txt")


def stored(source):
    def attempt():
        try:
            rawgate.run("put", source, "--to", "reports/first.txt")
        except AssertionError:
            return False
        return True
    return attempt


def environment():
    return clean_environment(**rawgate.environment, PATH=f"{RAWGATE.parent}:/usr/bin:/bin", HOME=str(stack.directory),
                             TERM="xterm", LC_ALL="C.UTF-8")


class CompleteTest(unittest.TestCase):
    """What the scripts ask."""

    def words(self, *line, **extra):
        out = rawgate.out("complete", "--", *line, **extra)
        return [each.split("\t")[0] for each in out.splitlines()]

    def test_commands_and_options(self):
        self.assertEqual(self.words("st"), ["start", "stop", "stat"])
        self.assertIn("context", self.words(""))
        self.assertNotIn("complete", self.words(""))
        self.assertEqual(self.words("context", "a"), ["add"])
        self.assertEqual(self.words("ps", "--js"), ["--json"])
        self.assertIn("--context", self.words("ps", "--"))
        self.assertEqual(self.words("help", "jo"), ["jobs"])

    def test_names_of_the_far_side(self):
        self.assertEqual(self.words("stop", "e"), ["echo", "exec", "echo/tcp", "echo/tcp-2", "echo/udp", "echo/udp-2",
                                                   "exec/raw", "exec/raw-2", "exec/sized", "exec/sized-2", "exec/header",
                                                   "exec/header-2", "exec/framed", "exec/framed-2"])
        self.assertEqual(self.words("connections", "fi"), ["file"])
        self.assertEqual(self.words("get", "re"), ["reports/", ":nospace"])
        self.assertEqual(self.words("get", "reports/"), ["reports/first.txt", "reports/with blank.txt"])
        job = rawgate.out("run", "--detach", "--", "sleep 600").strip()
        self.assertEqual(self.words("kill", ""), [job])
        self.assertEqual(self.words("kill", job, "K"), ["KILL"])
        rawgate.run("kill", job, "KILL")

    def test_values(self):
        self.assertEqual(self.words("--context", ""), ["lab"])
        self.assertEqual(self.words("--context=l"), ["--context=lab"])
        self.assertEqual(self.words("echo", "--transform=u"), ["--transform=upper"])
        self.assertEqual(self.words("put", "x"), [":files"])
        self.assertEqual(self.words("get", "a", "-o", ""), [":files"])
        self.assertEqual(self.words("config", "set", "tls-"), ["tls-ca", "tls-certificate", "tls-key"])

    def test_the_gateway_that_the_line_names_is_asked(self):
        self.assertEqual(self.words("--gateway", stack.gateway_target, "stop", "fi", RAWGATE_GATEWAY="127.0.0.1:1"),
                         ["file", "file/tcp", "file/tcp-2"])
        self.assertEqual(self.words("--context", "lab", "stop", ""), [])

    def test_without_a_gateway_it_is_silent(self):
        self.assertEqual(self.words("stop", "", RAWGATE_GATEWAY="127.0.0.1:1"), [])
        # One that takes connections and says nothing is not waited for.
        with socket.create_server(("127.0.0.1", 0)) as mute:
            self.assertEqual(self.words("stop", "", RAWGATE_GATEWAY=f"127.0.0.1:{mute.getsockname()[1]}"), [])


class BashTest(unittest.TestCase):
    def replies(self, line):
        done = subprocess.run(["bash", "--norc", "-c", BASH, "bash", line], env=environment(), capture_output=True, text=True,
                              timeout=PATIENCE, check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split("\n")[:-1]

    def test_replies(self):
        self.assertEqual(self.replies("rawgate st"), ["start", "stop", "stat"])
        self.assertEqual(self.replies("rawgate context r"), ["remove"])
        self.assertEqual(self.replies("rawgate connections fi"), ["file"])
        self.assertEqual(self.replies("rawgate get reports/"), ["reports/first.txt", r"reports/with\ blank.txt"])

    def test_words_that_bash_takes_apart(self):
        self.assertEqual(self.replies("rawgate --context=l"), ["lab"])
        self.assertEqual(self.replies(f"rawgate --gateway={stack.gateway_target} connections fi"), ["file"])

    def test_local_files(self):
        self.assertIn(f"{stack.directory}/a.txt", self.replies(f"rawgate put {stack.directory}/a."))


class FishTest(unittest.TestCase):
    def replies(self, line):
        script = f"rawgate completion fish | source; complete -C '{line}'"
        done = subprocess.run(["fish", "--no-config", "-c", script], env=environment(), capture_output=True, text=True,
                              timeout=PATIENCE, check=True)
        return [reply.split("\t")[0] for reply in done.stdout.splitlines()]

    def test_replies(self):
        self.assertEqual(sorted(self.replies("rawgate st")), ["start", "stat", "stop"])
        self.assertEqual(self.replies("rawgate connections fi"), ["file"])
        self.assertEqual(self.replies("rawgate get reports/f"), ["reports/first.txt"])
        self.assertEqual(self.replies("rawgate --context=l"), ["--context=lab"])
        self.assertIn("start", self.replies("rawgate "))
        self.assertIn(f"{stack.directory}/a.txt", self.replies(f"rawgate put {stack.directory}/a."))


class ZshTest(unittest.TestCase):
    def setUp(self):
        self.terminal = Terminal(["zsh", "-f", "-i"], environment={**environment(), "PROMPT": "> "})
        self.addCleanup(self.terminal.close)
        self.terminal.type("PROMPT='ready> '; autoload -Uz compinit; compinit -u; source <(rawgate completion zsh)")
        self.terminal.type("print -r -- begun:$?")
        self.terminal.expect("begun:0")

    def completed(self, line):
        """What the shell makes of the line, by the tab key."""
        self.terminal.press(f"{line}\t".encode())
        # The whole line is printed, quoted, by a key of ours.
        self.terminal.press(b"\x18p")
        return self.terminal.expect(r"\[\[(.*?)\]\]").group(1).decode()

    def test_replies(self):
        self.terminal.type(r"show() { print -r -- $'\n'\[\[$BUFFER\]\]; BUFFER=; }; zle -N show; bindkey '^Xp' show")
        self.assertEqual(self.completed("rawgate wat"), "rawgate watch ")
        self.assertEqual(self.completed("rawgate connections fi"), "rawgate connections file ")
        self.assertEqual(self.completed("rawgate get rep"), "rawgate get reports/")
        self.assertEqual(self.completed("rawgate get reports/w"), r"rawgate get reports/with\ blank.txt ")
        self.assertEqual(self.completed("rawgate --context=l"), "rawgate --context=lab ")
        self.assertEqual(self.completed(f"rawgate put {stack.directory}/a."), f"rawgate put {stack.directory}/a.txt ")


if __name__ == "__main__":
    unittest.main()
