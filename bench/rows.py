"""What is measured: each function runs one comparison and returns its rows. Those of files are in file_rows.py, those of
datagrams in udp_rows.py, those of the gateway in gateway_rows.py.
"""

import dataclasses
import subprocess

from file_rows import files
from gateway_rows import gateway
from measure import Row, in_turns, load, median, rate_row
from openssh import SharedConnection
from servers import PATIENCE, Servers, raise_descriptor_limit
from udp_rows import overload, udp


def exchange(build, server, connections, effort, request, reply):
    """One request in flight on each connection."""
    return load(build, "exchange_load", server.port, connections, effort.seconds, request.hex(), reply.hex())


def connections_text(connections):
    return f"{connections} connection{'s' if connections > 1 else ''}"


def echo(build, effort):
    """64 bytes, one message in flight on each of 1, 50 and 500 connections."""
    rows = []
    with Servers(build) as servers:
        ours, bare, node = servers.ours("echo", "tcp"), servers.bare("bare_echo"), servers.node()
        for connections in (1, 50, 500):
            what = f"TCP echo, 64 B, {connections_text(connections)}"
            results = in_turns(effort.rounds, [ours, bare, node],
                               lambda server: exchange(build, server, connections, effort, b"a" * 64, b"A" * 64))
            rate = {name: median(results, name, "per_second") for name in results}
            rows.append(rate_row(what, bare.name, rate[ours.name], rate[bare.name], 0.95))
            mine, theirs = (median(results, server.name, "p99_us") for server in (ours, bare))
            rows.append(Row(f"{what}: p99", bare.name, f"{mine:,.0f} us", f"{theirs:,.0f} us", f"{mine / theirs:.2f}",
                            "<= 1.20", mine / theirs <= 1.2))
            rows.append(rate_row(what, node.name, rate[ours.name], rate[node.name], 1.3))
    return rows


def redis_benchmark(server, test, requests):
    """Requests per second of redis-benchmark's `test` with 16 commands in flight on each of 50 connections."""
    done = subprocess.run(
        ["redis-benchmark", "-h", "127.0.0.1", "-p", str(server.port), "-t", test, "-P", "16", "-c", "50",
         "-n", str(requests), "-r", "100000", "--csv"],
        check=True, capture_output=True, text=True, timeout=120)
    # "test","rps",...  then one line for the test.
    line = done.stdout.strip().splitlines()[-1]
    return {"per_second": float(line.split(",")[1].strip('"'))}


def pipelined(build, effort):
    """redis-benchmark itself as the client: upper-cased, these commands are replies that it understands."""
    rows = []
    with Servers(build) as servers:
        ours, bare, redis = servers.ours("echo", "tcp"), servers.bare("bare_echo"), servers.redis()
        for test in ("ping_mbulk", "set"):
            what = f"TCP echo, pipelined: redis-benchmark -P 16, {test.upper()}"
            results = in_turns(effort.rounds, [ours, bare, redis],
                               lambda server: redis_benchmark(server, test, effort.requests))
            rate = {name: median(results, name, "per_second") for name in results}
            rows.append(rate_row(what, redis.name, rate[ours.name], rate[redis.name], 1.0))
            rows.append(rate_row(what, bare.name, rate[ours.name], rate[bare.name], 0.9))
    return rows


def idle(build, effort):
    """User memory of connections that do nothing."""
    reserve = 256
    limit = raise_descriptor_limit(effort.connections + reserve)
    connections = min(effort.connections, limit - reserve)
    with Servers(build) as servers:
        # One connection first, so that what the first of all allocates is not counted.
        ours = servers.ours("echo", "tcp", f"--connections_max={connections + reserve}")
        with held(build, ours, 1):
            before = ours.user_memory()
            with held(build, ours, connections):
                each = (ours.user_memory() - before) / connections
    what = f"idle TCP connection, user memory, {connections:,} held"
    if connections < effort.connections:
        what += f" (descriptor limit of this machine: {limit:,})"
    return [Row(what, "", f"{each:,.0f} B", "", "", "<= 512 B", each <= 512)]


class held:
    """Holds idle connections to a server while it is entered."""

    def __init__(self, build, server, connections):
        self.process = subprocess.Popen(
            [str(build / "bench" / "idle_load"), str(server.port), str(connections)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"idle_load ended with {self.process.wait()}")

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


# What the service makes of `echo hi`.
SHELL_COMMAND = ["/bin/sh", "-c", "echo hi"]


@dataclasses.dataclass
class SpawnLoop:
    """A command run again and again without a server of ours, in so many processes."""
    name: str
    processes: int
    command: list


def exec_commands(build, effort):
    """`echo hi`, one command in flight on each connection. A service with much memory must be as fast as one with little."""
    rows = []
    with Servers(build) as servers, SharedConnection() as connection:
        small = servers.ours("exec", "sized", transport="tcp")
        large = servers.ours("exec", "sized", transport="tcp", ballast=2**30)
        naive = servers.naive("naive_exec_server.py")
        ssh = SpawnLoop("ssh with a control socket", 1, connection.command("echo hi"))
        one = SpawnLoop("bare posix_spawn loop, 1 process", 1, SHELL_COMMAND)
        two = SpawnLoop("bare posix_spawn loop, 2 processes", 2, SHELL_COMMAND)
        for connections, bare, peers in ((1, one, [naive, ssh]), (50, two, [naive])):
            def measure(subject):
                if isinstance(subject, SpawnLoop):
                    return load(build, "bare_spawn", subject.processes, effort.seconds, *subject.command)
                return exchange(build, subject, connections, effort, b"echo hi\n", b"\3\0\0\0hi\n")

            results = in_turns(effort.rounds, [small, large, bare, *peers], measure)
            rate = {name: median(results, name, "per_second") for name in results}
            what = {ours.name: f"exec `echo hi`, sized, {connections_text(connections)}, "
                               f"{ours.resident_memory() / 2**20:,.0f} MiB resident" for ours in (small, large)}
            for name in what:
                rows.append(rate_row(what[name], bare.name, rate[name], rate[bare.name], 0.9))
            for peer in peers:
                rows.append(rate_row(what[small.name], peer.name, rate[small.name], rate[peer.name]))
    return rows


COMPARISONS = {"echo": echo, "pipelined": pipelined, "idle": idle, "udp": udp, "overload": overload, "exec": exec_commands,
               "file": files, "gateway": gateway}
