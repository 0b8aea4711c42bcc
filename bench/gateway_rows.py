"""The gateway before an echo service, beside other proxies and none; and what all six processes take."""

import pathlib
import re
import subprocess
import tempfile
from statistics import median as middle

from gateway_servers import GatewayServers
from measure import Row, in_turns, load, median, rate_row

CONNECTIONS = 4
IN_FLIGHT = (1, 10, 100)
METHOD = "/rawgate.echo.v1.EchoService/Echo"
PAYLOAD = b"a" * 64
# EchoRequest and EchoResponse alike: the payload is field 1. Before it, not compressed, and the length.
MESSAGE = b"\x0a" + bytes([len(PAYLOAD)]) + PAYLOAD
FRAME = b"\0" + len(MESSAGE).to_bytes(4, "big") + MESSAGE
# How many requests tell how fast a door is, so that the run that counts takes as long as it should.
PROBE = 4_000
MEBIBYTE = 2**20


def gateway(build, effort):
    with GatewayServers(build) as servers:
        doors = servers.doors()
        rows = [*unary(build, effort, doors), *after_idle(build, effort, doors)]
    return rows + whole(build, effort)


def unary(build, effort, doors):
    """h2load counts HTTP statuses, which are 200 for gRPC's errors too: an answer counts by its bytes, which only a call
    that went well has, and a real client looks at some calls before and after.
    """
    rows = []
    with tempfile.TemporaryDirectory(prefix="rawgate-bench-") as folder:
        request = pathlib.Path(folder) / "request"
        request.write_bytes(FRAME)
        check(build, doors)
        for in_flight in IN_FLIGHT:
            results = in_turns(effort.rounds, doors, lambda door: h2load(door, request, in_flight, effort.seconds))
            rate = {door.name: median(results, door.name, "per_second") for door in doors}
            what = f"unary through the gateway, {CONNECTIONS} connections, {in_flight} in flight each"
            for peer, figure in (("nginx grpc_pass", 1.3), ("nghttpx", None), ("direct", 0.4)):
                rows.append(rate_row(what, peer, rate["gateway"], rate[peer], figure))
        check(build, doors)
    return rows


def check(build, doors):
    for door in doors:
        load(build, "call_load", door.target, 20, 0)


def h2load(door, request, in_flight, seconds):
    """A run of some `seconds`, every answer of it counted."""
    probed = run_h2load(door, request, in_flight, PROBE)
    return run_h2load(door, request, in_flight, max(PROBE, int(probed["per_second"] * seconds)))


def run_h2load(door, request, in_flight, requests):
    done = subprocess.run(
        ["h2load", "-n", str(requests), "-c", str(CONNECTIONS), "-m", str(in_flight), "-d", str(request),
         "-H", "content-type: application/grpc", "-H", "te: trailers", f"http://{door.target}{METHOD}"],
        check=True, capture_output=True, text=True, timeout=120).stdout
    succeeded = int(re.search(r"(\d+) succeeded", done)[1])
    status_ok = int(re.search(r"(\d+) 2xx", done)[1])
    data = int(re.search(r"\((\d+)\) data", done)[1])
    if not succeeded == status_ok == requests or data != requests * len(FRAME):
        raise RuntimeError(f"{door.name} did not answer all of {requests} calls:\n{done}")
    return {"per_second": float(re.search(r"([\d.]+) req/s", done)[1])}


def after_idle(build, effort, doors):
    """One call at a time, each on a connection that has been quiet for a quarter of a second."""
    subjects = [door for door in doors if door.name in ("gateway", "direct")]
    results = in_turns(effort.rounds, subjects, lambda door: load(build, "call_load", door.target, 120, 25))
    mine, direct = (median(results, door.name, "p99_us") / 1000 for door in subjects)
    return [Row("first RPC after 250 ms idle, through the gateway: p99", "direct", f"{mine:.2f} ms",
                f"{direct:.2f} ms", f"{mine / direct:.2f}", "< 3 ms", mine < 3)]


def whole(build, effort):
    """Of all six processes: how long they take to be there, and how much memory when nothing is asked of them."""
    took = []
    for _ in range(effort.rounds):
        with GatewayServers(build) as servers:
            processes, seconds = servers.whole()
            took.append(seconds)
            resident = {name: server.resident_memory() / MEBIBYTE for name, server in processes.items()}
    rows = [Row("from exec of all six to every health check green", "", f"{middle(took):.2f} s", "", "", "< 1 s",
                middle(took) < 1)]
    for name, mebibytes in resident.items():
        most = 40 if name == "gateway" else 24
        rows.append(Row(f"resident memory, idle: {name}", "", f"{mebibytes:.1f} MiB", "", "", f"<= {most} MiB",
                        mebibytes <= most))
    return rows
