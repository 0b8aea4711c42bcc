"""One rawgate program as a child process: started, awaited by its ready line, stopped by SIGTERM."""

import json
import os
import pathlib
import selectors
import signal
import subprocess
import time

from tests.harness.deadlines import PATIENCE

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BIN_DIR = pathlib.Path(os.environ.get("RAWGATE_BIN_DIR", REPOSITORY / "build/release/bin"))


def clean_environment(**extra):
    """The caller's environment without any RAWGATE_ variable, each of which is a flag of our programs. HTTP, whose
    default is a fixed port that stacks side by side cannot share, is off; the log is for people, who read it when a test
    fails. `rawgate` knows nothing of the contexts of whoever runs the tests."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAWGATE_")}
    environment["RAWGATE_HTTP_LISTEN"] = "off"
    environment["RAWGATE_LOG_FORMAT"] = "text"
    environment["RAWGATE_CONFIG"] = "/dev/null"
    environment.update(extra)
    return environment


def parse_address(uri):
    """What socket.connect() wants: (host, port) for tcp://, tls:// and udp://, a path for unix:// and unixgram://."""
    scheme, rest = uri.split("://", 1)
    if scheme in ("unix", "unixgram"):
        return rest
    host, port = rest.rsplit(":", 1)
    return host.strip("[]"), int(port)


def grpc_target(uri):
    """The same as gRPC wants it: HOST:PORT, or unix:///PATH as it is."""
    return uri.removeprefix("tcp://")


class Program:
    """A running service or gateway. Its log goes to <directory>/<name>.log. `under` is a command, and its options, that
    runs the program's own in the same process, as setpriv and `strace -D` do, with the descriptors `pass_fds`."""

    def __init__(self, name, flags, directory, environment=None, under=(), pass_fds=()):
        self.name = name
        self.command = [*under, str(BIN_DIR / f"rawgate-{name}"), *flags]
        self.log_path = pathlib.Path(directory) / f"{name}.log"
        self.environment = clean_environment(**(environment or {}))
        self.pass_fds = pass_fds
        self.process = None
        self.ready = None

    def spawn(self):
        """Starts the process without awaiting anything. It dies with the test, however the test ends."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.command],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=self.environment,
                pass_fds=self.pass_fds)
        return self

    def start(self):
        """Starts the process and returns once it has said that it accepts on every listener."""
        self.spawn()
        self.ready = json.loads(self._first_line())
        return self

    def _first_line(self):
        line = b""
        end = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0, end - time.monotonic())):
                    self.kill()
                    raise AssertionError(f"{self.name} was not ready in time\n{self.log_tail()}")
                byte = os.read(self.process.stdout.fileno(), 1)
                if not byte:
                    self.process.stdout.close()
                    raise AssertionError(
                        f"{self.name} ended with {self.process.wait()} before it was ready\n{self.log_tail()}")
                line += byte
        return line

    @property
    def pid(self):
        return self.process.pid

    def address(self, listener):
        """Where a listener was bound, as socket.connect() wants it."""
        for entry in self.ready["listeners"]:
            if entry["name"] == listener:
                return parse_address(entry["address"])
        raise KeyError(f"{self.name} has no listener {listener}: {self.ready}")

    @property
    def rpc_target(self):
        """A service's internal RPC address, as gRPC wants it."""
        return grpc_target(self.ready["rpc"])

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        """SIGTERM, then everything a clean exit owes: code 0, in time, and only the ready line ever on stdout."""
        if not self.alive():
            raise AssertionError(f"{self.name} had already ended with {self.process.poll()}\n{self.log_tail()}")
        self.process.send_signal(signal.SIGTERM)
        self.expect_exit(0)

    def expect_exit(self, *codes):
        """Awaits the end of the process, with one of these codes (-N: by signal N) and without another word on stdout."""
        try:
            rest, _ = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end in time\n{self.log_tail()}") from None
        if self.process.returncode not in codes:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}, not {codes}\n{self.log_tail()}")
        if rest:
            raise AssertionError(f"{self.name} printed more than its ready line: {rest!r}")

    def kill(self):
        """SIGKILL, and nothing is asserted."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def log_tail(self, lines=40):
        text = self.log_path.read_text(errors="replace").splitlines()
        return "\n".join([f"--- last lines of {self.name}'s log:", *text[-lines:], "---"])

    def descriptor_count(self, but_for="nothing"):
        """How many descriptors are open, not counting those whose link in /proc begins with `but_for`."""
        return sum(not link.startswith(but_for) for link in self._descriptor_links())

    def _descriptor_links(self):
        folder = f"/proc/{self.pid}/fd"
        for descriptor in os.listdir(folder):
            try:
                yield os.readlink(f"{folder}/{descriptor}")
            except FileNotFoundError:
                pass  # closed meanwhile

    def cpu_seconds(self):
        """User and system time of the process since it started."""
        stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def anonymous_bytes(self):
        """Memory of its own that the process has touched; sockets are the kernel's and do not count."""
        lines = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Anonymous:"))
