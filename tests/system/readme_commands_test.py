"""Every command that README.md and three of docs/ show, run in their order as a reader would: in one shell, from a folder
like the repository's, against the six processes. The documents' ports become those of this test's own processes.

A command must succeed. What stands behind `# -> ` in its lines, or in lines of comment below it, is what it prints, and
all of it; "..." there stands for anything, and a time for any other. What cannot run here is in NOT_RUN, with the
reason."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import unittest

from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.ports import stable_port
from tests.harness.program import BIN_DIR, REPOSITORY, clean_environment
from tests.harness.stack import HTTP, LISTENERS, Stack
from tests.harness.terminal import CONTROL_C, CONTROL_D, Terminal

DOCUMENTS = ("README.md", "docs/observability.md", "docs/security.md", "docs/faults.md")

NOT_RUN = {
    "./script/up -d": "builds; tests/script/up_test.py starts it",
    "RAWGATE_ALLOW_FAULTS=true ./script/up -d": "builds; the services here have the flag",
    "./script/bootstrap test": "installs packages of Debian",
    "./script/test": "runs this test",
    "./script/lint": "installs packages of Debian; tests/tidy is the part of it that is a test",
    "./script/bench": "measures for long, and writes to docs/",
    **{command: "tests/docker has it" for command in (
        "docker compose up -d",
        "docker compose exec gateway rawgate ps",
        "docker compose down",
        "docker compose --profile observability up -d",
        "docker compose --profile tls --profile observability down",
        "docker compose --profile tls up -d gateway-tls",
        "docker compose run --rm certificates rawgate ps",
        "docker compose run --rm -T certificates cat ca.pem > ca.pem",
        "(umask 077; docker compose run --rm -T certificates cat token > token)",
        "rawgate --gateway localhost:50443 --tls-ca ca.pem --token-file token ps",
    )},
    "prometheus --config.file=deploy/prometheus/prometheus.yml --storage.tsdb.path=/tmp/rawgate-metrics":
        "tests/system/prometheus_test.py has it",
}

# What each shows at a terminal before anything is typed, the key that ends it, and how it ends then.
STAY = {
    "rawgate watch": ("watching ", CONTROL_C, -signal.SIGINT),
    "rawgate date --watch": (r"\d\d:\d\d:\d\d", CONTROL_C, -signal.SIGINT),
    "rawgate chat": ("> ", CONTROL_C, -signal.SIGINT),
    "rawgate shell": (r"[$#] ", CONTROL_D, 0),
}

# Commands that are there to show a failure, and their exit code.
FAIL = {"rawgate kill $JOB": 1}

# Ports of raw listeners, by service and role, as documents have them.
RAW_PORTS = {
    "echo": {"tcp": 8080, "udp": 8080},
    "exec": {"raw": 8082, "sized": 8083, "header": 8084, "framed": 8085},
    "time": {"udp": 9000},
    "file": {"tcp": 8090},
    "chat": {"udp": 8081},
}
GRPC_PORT, HTTP_PORT, FIRST_SERVICE_HTTP_PORT = 50051, 8088, 50071
FAR_HOST = "lab.example"

# The forms in which documents show a time.
TIMES = (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", r"\d{4}-\d\d-\d\d", r"\d\d:\d\d")

# Reads commands, each with a zero byte behind it, and prints the exit code of each, whose output goes to the file $1.
SHELL = 'while IFS= read -r -d "" command; do eval "$command" </dev/null >"$1" 2>&1; echo $?; done'


def fenced(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def is_whole(lines):
    """Whether bash would not ask for another line; of a here-document without an end it only warns."""
    checked = subprocess.run(["bash", "-n", "-c", lines], capture_output=True, check=False)
    return not checked.stderr and not lines.endswith("\\\n")


def commands_of(block):
    """The commands of a block of shell lines, each with the lines of comment, and the empty ones, that follow it."""
    commands, lines = [], ""
    for line in block.splitlines(keepends=True):
        if not lines and commands and re.match("#|$", line):
            commands[-1] += line
            continue
        lines += line
        if is_whole(lines):
            commands.append(lines)
            lines = ""
    if lines:
        raise AssertionError(f"this is no whole command:\n{lines}")
    return commands


def name_of(command):
    """Its first line without the comment, which is what lists here call it."""
    return re.sub(r"\s+#.*", "", command.splitlines()[0])


def shown_by(command):
    return "\n".join(re.findall(r"#(?: .*?)?? -> (.*)$", command, re.MULTILINE))


def pattern_of(shown):
    """A regular expression for what may be printed where a document shows this."""
    def piece(text):
        if text == "...":
            return "(?s:.*)"
        return next((time for time in TIMES if re.fullmatch(time, text)), re.escape(text))

    return "".join(map(piece, re.split(rf"(\.\.\.|{'|'.join(TIMES)})", shown)))


class Reader:
    """A shell in a folder with what the commands name: the programs, the contract, and documents to send."""

    def __init__(self, folder, gateway):
        self.folder = pathlib.Path(folder)
        for name in ("docs", "protos"):
            shutil.copytree(REPOSITORY / name, self.folder / name)
        shutil.copy(REPOSITORY / "README.md", self.folder)
        (self.folder / "build/release").mkdir(parents=True)
        (self.folder / "build/release/bin").symlink_to(BIN_DIR.resolve())
        # Which a person at a terminal would not see in between either.
        (self.folder / ".curlrc").write_text("no-progress-meter\n")
        self.output = self.folder / ".output"
        self.shell = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "bash", "-c", SHELL, "bash", self.output], cwd=folder, encoding="utf-8",
            env=clean_environment(HOME=folder, RAWGATE_GATEWAY=gateway), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            start_new_session=True)

    def run(self, command):
        """Exit code and output, of both kinds."""
        giving_up = threading.Timer(PATIENCE, os.killpg, (self.shell.pid, signal.SIGKILL))
        giving_up.start()
        self.shell.stdin.write(command + "\0")
        self.shell.stdin.flush()
        code = self.shell.stdout.readline()
        giving_up.cancel()
        output = self.output.read_text(encoding="utf-8")
        if not code:
            self.shell.wait()
            raise AssertionError(f"no end within {PATIENCE:g} s, or it ended the shell: {command}\n{output}")
        return int(code), output

    def close(self):
        self.shell.stdin.close()
        self.shell.wait(PATIENCE)
        self.shell.stdout.close()


class ReadmeCommandsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(stable_ports=True)
        cls.addClassCleanup(cls.stack.stop)
        cls.front = None
        cls.home = cls.stack.directory / "home"
        (cls.home / ".rawgate/run").mkdir(parents=True)
        cls.start_services()
        cls.reader = Reader(cls.home, cls.stack.gateway_target)
        cls.addClassCleanup(cls.reader.close)
        cls.await_health(f"http://127.0.0.1:{cls.ports[HTTP_PORT]}")

    @classmethod
    def start_services(cls):
        """What listens at one well-known port, be it over TCP, UDP or IPv6, gets one port here, too."""
        cls.ports = {}
        for number, (service, usual) in enumerate(LISTENERS.items()):
            listeners = []
            for entry in usual:
                well_known = RAW_PORTS[service][entry.partition("=")[0]]
                if well_known not in cls.ports:
                    cls.ports[well_known] = stable_port()
                listeners.append(f"{entry.removesuffix('0')}{cls.ports[well_known]}")
            if service == "echo":
                listeners.append(f"tcp=unix://{cls.home}/.rawgate/run/echo.sock")
            flags = ["--allow_faults", *(["--test_clock"] if service == "time" else [])]
            program = cls.stack.start_service(service, HTTP, *flags, listeners=listeners)
            cls.ports[FIRST_SERVICE_HTTP_PORT + number] = program.address("http")[1]
        gateway = cls.stack.start_gateway(HTTP)
        cls.ports.update({HTTP_PORT: gateway.address("http")[1], GRPC_PORT: gateway.address("grpc")[1]})

    @classmethod
    def await_health(cls, gateway):
        """As script/up does: until the gateway reaches every service."""
        wait_until(lambda: '"ready":true' in cls.reader.run(f"curl --insecure {gateway}/readyz")[1], "the services")

    @classmethod
    def start_front(cls):
        """The gateway of the chapter about other machines, with what `init-tls` has made."""
        cls.front = Stack()
        cls.addClassCleanup(cls.front.stop)
        made = cls.home / "rawgate-tls"
        cls.front.start_gateway(
            HTTP, f"--tls_certificate={made}/server.pem", f"--tls_key={made}/server-key.pem",
            f"--tls_client_ca={made}/ca.pem", f"--access_file={made}/access.textproto",
            backends={name: cls.stack.programs[name].rpc_target for name in LISTENERS})
        cls.await_health(f"https://localhost:{cls.front.http('gateway')[1]}")

    def here(self, text):
        """The text with ports and hosts of this test."""
        text = re.sub(r"\b\d{4,5}\b", lambda match: str(self.ports.get(int(match[0]), match[0])), text)
        if self.front:
            grpc, http = (self.front.address("gateway", name)[1] for name in ("grpc", "http"))
            text = text.replace(f"{FAR_HOST}:{self.ports[HTTP_PORT]}", f"localhost:{http}")
            text = text.replace(f"--gateway {FAR_HOST}", f"--gateway localhost:{grpc}")
        return text

    def check(self, command):
        """Runs a command, and compares."""
        code, output = self.reader.run(self.here(command))
        self.assertEqual(code, FAIL.get(name_of(command), 0), output)
        shown = shown_by(command)
        if shown:
            self.assertRegex(output.rstrip("\n"), rf"\A{pattern_of(self.here(shown))}\Z")
        else:
            self.assertNotRegex(command, r"\bcurl ", f"the document must show what it prints: {output}")

    def check_at_terminal(self, command):
        pattern, key, code = STAY[name_of(command)]
        terminal = Terminal(["bash", "-c", command], environment={
            "PATH": f"{BIN_DIR}:{os.environ['PATH']}", "HOME": self.home, "RAWGATE_GATEWAY": self.stack.gateway_target})
        self.addCleanup(terminal.close)
        terminal.expect(pattern)
        terminal.press(key)
        self.assertEqual(terminal.wait(), code)

    def test_commands(self):
        met = set()
        for document in DOCUMENTS:
            text = (REPOSITORY / document).read_text(encoding="utf-8")
            commands = [command for block in fenced(text, "sh") for command in commands_of(block)]
            # Later blocks go on with what earlier ones have defined.
            program = "".join(fenced(text, "python"))
            if program:
                commands.append(f"/usr/bin/python3 - <<'END'\n{program}END\n")
            for command in commands:
                name = name_of(command)
                met.add(name)
                self.assertIsNone(self.reader.shell.poll(), "nothing is left to run the other commands")
                with self.subTest(document=document, command=name):
                    if name in STAY:
                        self.check_at_terminal(command)
                    elif name not in NOT_RUN:
                        self.check(command)
                if self.front is None and (self.home / "rawgate-tls").exists():
                    self.start_front()
        self.assertEqual({*NOT_RUN, *STAY, *FAIL} - met, set(), "lists here name what no document has")


if __name__ == "__main__":
    unittest.main()
