"""Comparisons of what answers datagrams."""

import os

from measure import Row, in_turns, load, median, rate_row
from udp_servers import NTP_REQUEST, SOCKPERF_REQUEST, UdpServers

SOCKETS = 32
# Each rate of the search for the highest that is answered, from the one before.
STEP = 1.25
FIRST_RATE = 20_000
LAST_RATE = 2_000_000
LONG_FORMAT = b"%A, %d %B %Y %H:%M:%S %j %U; " * 10
# Times the peak rate.
OVERLOAD_LEAST = 1.8


def udp(build, effort):
    """One datagram in flight on each of 32 sockets, and on one."""
    with UdpServers(build) as servers:
        return [*formats(build, effort, servers), *ntp(build, effort, servers), *greeting(build, effort, servers),
                *latency(build, effort, servers)]


def exchange_datagrams(build, server, effort, payload, sockets=SOCKETS):
    return load(build, "udp_load", server.port, sockets, effort.seconds, payload.hex())


def compared(build, effort, what, payload, ours, peers):
    """Rows of rates; `peers` are pairs of a server and the figure, if there is one."""
    results = in_turns(effort.rounds, [ours, *(peer for peer, _ in peers)],
                       lambda server: exchange_datagrams(build, server, effort, payload))
    rate = {name: median(results, name, "per_second") for name in results}
    return [rate_row(what, peer.name, rate[ours.name], rate[peer.name], figure) for peer, figure in peers]


def formats(build, effort, servers):
    ours, bare = servers.ours("time", "udp"), servers.bare("bare_time")
    rows = []
    for title, payload in (("default format", b""), ("%H:%M:%S", b"%H:%M:%S")):
        rows += compared(build, effort, f"UDP time, {SOCKETS} sockets, {title}", payload, ours, [(bare, 0.95)])
    return rows


def ntp(build, effort, servers):
    ours = servers.ours("time", "ntp", transport="udp")
    peers = [(servers.chronyd(), 1.1), (servers.bare("bare_datagram", "ntp"), None)]
    return compared(build, effort, f"NTP, {SOCKETS} sockets", NTP_REQUEST, ours, peers)


def greeting(build, effort, servers):
    ours, bare = servers.ours("echo", "udp"), servers.bare("bare_datagram", "greeting")
    return compared(build, effort, f"UDP echo, {SOCKETS} sockets, 64 B, greeting", b"a" * 64, ours, [(bare, None)])


def latency(build, effort, servers):
    """The same client for both, since sockperf's takes a server that answers with its own bytes for none."""
    ours, sockperf = servers.ours("echo", "udp", "--udp_reply=identity"), servers.sockperf()
    results = in_turns(effort.rounds, [ours, sockperf],
                       lambda server: exchange_datagrams(build, server, effort, SOCKPERF_REQUEST, sockets=1))
    mine, floor = (median(results, server.name, "p50_us") for server in (ours, sockperf))
    return [Row("UDP echo, 64 B, 1 socket: median round trip", sockperf.name, f"{mine:,.1f} us", f"{floor:,.1f} us",
                f"{mine / floor:.2f}", "", None)]


def overload(build, effort):
    """More datagrams than can be answered, without waiting for answers. Server and load have a processor each."""
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        return [Row("UDP overload: takes two processors, this machine has one", "", "", "", "", ">= 0.90", False)]
    with UdpServers(build) as servers:
        def offer(server, rate, payload):
            return load(build, "udp_open_load", server.port, SOCKETS, effort.seconds, rate, payload.hex(),
                        processor=processors[1])

        # One that takes long enough to format that a sender can be twice as fast.
        time = servers.ours("time", "udp", processor=processors[0])
        rows = [overload_row("UDP time, 300 B of format", effort, lambda rate: offer(time, rate, LONG_FORMAT))]
        ours = servers.ours("time", "ntp", transport="udp", processor=processors[0])
        chronyd = servers.chronyd(processor=processors[0])
        results = in_turns(effort.rounds, [ours, chronyd], lambda server: offer(server, LAST_RATE, NTP_REQUEST))
        mine, theirs = (median(results, server.name, "per_second") for server in (ours, chronyd))
        rows.append(rate_row("NTP, one processor, offered all that another can send", chronyd.name, mine, theirs, 1.1))
    return rows


def overload_row(what, effort, offer):
    """`offer(rate)` offers so much for a while and tells what was sent and answered."""
    peak = highest_answered(offer)
    results = {"calm": [], "flood": []}
    for _ in range(effort.rounds):
        results["calm"].append(offer(peak))
        results["flood"].append(offer(2 * peak))
    mine, theirs = (median(results, name, "per_second") for name in ("flood", "calm"))
    factor = median(results, "flood", "sent_per_second") / peak
    row = rate_row(f"{what}, overload: {factor:.1f} x the peak rate offered", "itself, the peak rate offered",
                   mine, theirs, 0.9)
    # A sender that cannot send so much proves nothing.
    row.met = row.met and factor >= OVERLOAD_LEAST
    return row


def highest_answered(offer):
    """The most answers per second at any rate offered, up to where more has brought no more twice."""
    best, rate, worse = 0, FIRST_RATE, 0
    while worse < 2 and rate < LAST_RATE:
        answered = offer(rate)["per_second"]
        worse = worse + 1 if answered < 0.9 * rate and answered < 1.02 * best else 0
        best, rate = max(best, answered), rate * STEP
    return best
