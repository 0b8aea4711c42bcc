"""The servers that bench/ measures: ours and what they are compared with, each on a port that it picks itself."""

import contextlib
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import time

BENCH = pathlib.Path(__file__).resolve().parent
PATIENCE = 20


class Server:
    """A running server process on 127.0.0.1."""

    def __init__(self, name, process, port):
        self.name = name
        self.process = process
        self.port = port

    def user_memory(self):
        """Bytes of anonymous memory that the process has touched; sockets are the kernel's and do not count."""
        rollup = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        for line in rollup.splitlines():
            if line.startswith("Anonymous:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no Anonymous: in smaps_rollup")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


class Servers:
    """Starts servers by name and stops them all at the end: use as a context manager."""

    def __init__(self, build):
        self.build = build
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def ours(self, service, listener, *flags, transport=None):
        """A rawgate service with one raw listener: its name is its transport's, unless told otherwise."""
        command = [str(self.build / "bin" / f"rawgate-{service}"),
                   f"--listen={listener}={transport or listener}://127.0.0.1:0",
                   "--rpc_listen=tcp://127.0.0.1:0", "--log_level=warn", *flags]
        process, line = self._spawn(command)
        address = json.loads(line)["listeners"][0]["address"]
        return self._add("rawgate", process, int(address.rpartition(":")[2]))

    def bare(self, program):
        process, line = self._spawn([str(self.build / "bench" / program)])
        return self._add("bare loop", process, int(line))

    def node(self):
        process, line = self._spawn(["node", str(BENCH / "node_echo.js")])
        return self._add("Node net", process, int(line))

    def redis(self):
        """It cannot pick a port itself, and prints nothing that tells when it is ready."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no",
             "--daemonize", "no", "--loglevel", "warning"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server = self._add("redis-server", process, port)
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return server
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("redis-server did not start")
            time.sleep(0.01)

    def _spawn(self, command):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RAWGATE_")}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command[0]} ended with {process.wait()} before it was ready")
        return process, line

    def _add(self, name, process, port):
        server = Server(name, process, port)
        self._stack.callback(server.stop)
        return server


def missing_programs():
    return [program for program in ("node", "redis-server", "redis-benchmark") if not shutil.which(program)]


def raise_descriptor_limit(wanted):
    """For this process and its children. Returns what could be had."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, soft), max(wanted, hard)))
        return max(wanted, soft)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
