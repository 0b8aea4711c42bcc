"""The servers that bench/ measures: ours and what they are compared with, each on a port that it picks itself."""

import contextlib
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import time

from measure import pinned_to

BENCH = pathlib.Path(__file__).resolve().parent
PATIENCE = 20
PROGRAMS = ("chronyd", "fio", "h2load", "nghttpx", "nginx", "node", "redis-server", "redis-benchmark", "rsync", "sockperf",
            "ssh", "ssh-keygen", "sshd")


class Server:
    """A running server process on 127.0.0.1. `rpc` is the gRPC target of one of ours, `folder` where one stores files."""

    def __init__(self, name, process, port, rpc=None):
        self.name = name
        self.process = process
        self.port = port
        self.rpc = rpc
        self.folder = None

    def user_memory(self):
        """Bytes of anonymous memory that the process has touched; sockets are the kernel's and do not count."""
        return self._memory("smaps_rollup", "Anonymous:")

    def resident_memory(self):
        """Bytes of memory that the process has at hand, its program and libraries included."""
        return self._memory("status", "VmRSS:")

    def _memory(self, file, field):
        for line in pathlib.Path(f"/proc/{self.process.pid}/{file}").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
        raise RuntimeError(f"no {field} in {file}")


class Servers:
    """Starts servers by name and stops them all at the end: use as a context manager."""

    def __init__(self, build):
        self.build = build
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def ours(self, service, listener, *flags, transport=None, ballast=0, processor=None):
        """A rawgate service with one raw listener: its name is its transport's, unless told otherwise.

        Its process has `ballast` bytes of memory besides its own, and runs on that `processor` only.
        """
        command = [*pinned_to(processor), str(self.build / "bin" / f"rawgate-{service}"),
                   f"--listen={listener}={transport or listener}://127.0.0.1:0",
                   "--rpc_listen=tcp://127.0.0.1:0", "--log_level=warn", *flags]
        preload = {"LD_PRELOAD": str(self.build / "bench/ballast.so"), "BALLAST_BYTES": str(ballast)} if ballast else {}
        process, line = self._spawn(command, **preload)
        ready = json.loads(line)
        name = "rawgate with ballast" if ballast else "rawgate"
        server = self._add(name, process, port_of(ready), rpc=ready["rpc"].removeprefix("tcp://"))
        # What cannot be preloaded is only warned of.
        if server.resident_memory() < ballast:
            raise RuntimeError("ballast.so was not preloaded")
        return server

    def gateway(self, name, server):
        """The gateway before one of our services, `name`."""
        process, line = self._spawn([str(self.build / "bin/rawgate-gateway"), "--listen=grpc=tcp://127.0.0.1:0",
                                     f"--backends={name}={server.rpc}", "--log_level=warn"])
        port = port_of(json.loads(line))
        return self._add("gateway", process, port, rpc=f"127.0.0.1:{port}")

    def bare(self, program, *arguments, name="bare loop"):
        process, line = self._spawn([str(self.build / "bench" / program), *map(str, arguments)])
        return self._add(name, process, int(line))

    def node(self):
        process, line = self._spawn(["node", str(BENCH / "node_echo.js")])
        return self._add("Node net", process, int(line))

    def naive(self, script, *arguments):
        process, line = self._spawn([sys.executable, str(BENCH / script), *map(str, arguments)])
        return self._add("naive Python server", process, int(line))

    def redis(self):
        port = free_port()
        return self._daemon("redis-server", port, [
            "redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no",
            "--daemonize", "no", "--loglevel", "warning"])

    def _daemon(self, name, port, command):
        """One that stays in the foreground, and does not tell when it is ready."""
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server = self._add(name, process, port)
        await_ready(process, lambda: accepts(port))
        return server

    def _spawn(self, command, **variables):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RAWGATE_")}
        environment["RAWGATE_HTTP_LISTEN"] = "off"
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment | variables)
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command[0]} ended with {process.wait()} before it was ready")
        return process, line

    def _add(self, name, process, port, rpc=None):
        server = Server(name, process, port, rpc)
        self._stack.callback(stop, process)
        return server


def stop(process):
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def port_of(ready):
    """That of the first listener in a ready line of ours."""
    return int(ready["listeners"][0]["address"].rpartition(":")[2])


def free_port(kind=socket.SOCK_STREAM):
    """For a server that cannot pick one itself."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def await_ready(process, ready):
    """For a process that prints nothing that tells when it is ready."""
    end = time.monotonic() + PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{process.args[0]} did not start")
        time.sleep(0.01)


def program_path(program):
    """None when it is not installed. Daemons are not in every user's PATH."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")


def missing_programs():
    return [program for program in PROGRAMS if not program_path(program)]


def raise_descriptor_limit(wanted):
    """For this process and its children. Returns what could be had."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, soft), max(wanted, hard)))
        return max(wanted, soft)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
