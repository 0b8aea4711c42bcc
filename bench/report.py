"""The results as a table on the terminal and as docs/performance.md."""

import datetime
import os
import pathlib
import platform
import re
import subprocess

from file_servers import file_system_of
from servers import program_path

HEAD = ("what", "beside", "rawgate", "beside it", "ratio", "to reach", "")

INTRODUCTION = """\
# Performance

Written by `script/bench`; do not edit. Each line compares rawgate with a program that does only that one thing, under the same
load, on the same machine, in turns within the same minute. Numbers are medians of {rounds} runs of {seconds:g} s; what counts is
their ratio, since the numbers themselves belong to this machine. Of files stored, a run is one file.

"""

NOTES = """
The *bare loop* is `bench/bare_echo.cc`, `bench/bare_time.cc` or `bench/bare_datagram.cc`: one thread around `epoll_wait` or
`recvfrom`, with no limits, deadlines, counters or observation. The load comes from `bench/exchange_load.cc` and
`bench/udp_load.cc`, one message in flight on each connection, and every byte of an echo or of a command's output is compared;
pipelined load is `redis-benchmark` itself, whose commands upper-cased are replies that it understands. Servers and clients
share the machine's processors and are not pinned. *User memory* is what the process's anonymous pages grew by, divided by the
number of connections held; a connection's socket itself lives in the kernel.

*chronyd* serves its own clock as a stratum that it was told (`local stratum 3`), with everything else off. *sockperf server* gets
what `sockperf ping-pong` would send it, from `bench/udp_load.cc` like ours, so that one client measures both: sockperf's own takes
its bytes back for an error. Under *overload* the service has one processor and `bench/udp_open_load.cc` another, which sends at a
given rate from 32 sockets without waiting for answers. The peak rate is the highest that was answered at any rate offered; then
that much and twice as much are offered in turns, and the answers compared.

The *bare posix_spawn loop* is `bench/bare_spawn.cc`: `/bin/sh -c 'echo hi'` and its output, with no connection at all. *Resident*
is what the service's process holds (`VmRSS`); the larger one has `bench/ballast.cc` preloaded, 1 GiB of which every page has been
touched. The *naive Python server* is `bench/naive_exec_server.py`: a thread for each connection, and the size of a reply sent
before the reply, which then waits for the acknowledgement of the size, some 40 ms (Nagle's algorithm). *ssh with a control socket*
is `ssh -S SOCKET HOST 'echo hi'` again and again over a connection to a local `sshd` that is there already: a client process and a
login shell for each command. Where no figure is to be reached, the line is there to give an idea.

Files are stored on one disk, by each server in a folder of its own; between two turns what was stored is removed and the disk
comes to rest. *Durable* means that the file, and after it has got its name its folder, are on disk before the reply, for which the
client waits. `bench/upload_load.cc` sends a file that is in memory by `sendfile`, on one connection where nothing else is said. The
*bare splice loop* and the *bare recv+write loop* are `bench/bare_store.cc`: a thread for each connection moves its bytes through a
pipe of 1 MiB, or a buffer of 256 KiB, into a new file, and then `fdatasync`, `rename`, `fsync` of the folder; no digest, even
beside an upload of ours that has one. *rsync* is `rsync --whole-file --fsync` to a daemon, its client process included; it does not
sync the folder. *nginx PUT* is its DAV module, and the *naive Python server* `bench/naive_file_server.py`, a thread for each
connection and 1 KiB at a time: neither syncs anything, so that the disk does much of the work after they have answered.

`bench/download_load.cc` receives into a buffer and drops what came; the file is in memory, and the same one for all servers (hard
links). nginx has `sendfile` and `tcp_nopush` on. *fio* makes, writes and fsyncs new files in eight threads (`--ioengine=psync
--rw=write --bs=4096 --filesize=4096 --create_on_open=1 --openfiles=1 --fsync=1 --numjobs=8 --thread`): that is what file system and
disk are good for when there is neither a connection nor a second sync, that of the folder, which an upload needs before it may
answer. Through the gateway it is `bench/stream_load.cc`, one `FileService.Upload` after the other in messages of 256 KiB; its reply
has the file's SHA-256, while the raw upload beside it has no digest.

*Unary* calls are `EchoService.Echo` with 64 bytes, from `h2load` with one thread, to one echo service. *nginx grpc_pass* has
HTTP/2 towards clients and keeps its connections to the service, of which it takes one for each call in flight; *nghttpx* has
HTTP/2 on both sides; both have two workers and write no log, and the gateway has one lane for every two processors, as by itself. *direct* is h2load at the service
itself. A call counts when its answer has all its bytes, which one that failed has not, and `bench/call_load.cc` looks at status and
contents of some calls before and after. All of it shares the machine's processors. *First RPC after idle* is `bench/call_load.cc`:
a call every 25 ms, on ten connections in turn. *Health checks* are those of each service's own gRPC server and of the gateway for
each service, asked by `bench/await_health.cc` from before the processes are there; all six begin at once.

Again: `script/bench` (about nine minutes), or `script/bench --quick` for a first impression.
"""


def mark(met):
    return {True: "met", False: "not met", None: ""}[met]


def cells(row):
    return (row.what, row.peer, row.ours, row.theirs, row.ratio, row.figure, mark(row.met))


def print_row(row):
    print(f"{row.what:<62} {row.peer:<34} {row.ours:>14} {row.theirs:>14} {row.ratio:>6}  {row.figure:<9} {mark(row.met)}",
          flush=True)


def machine(data):
    """What the figures depend on, and nothing that names this machine."""
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    memory = int(re.search(r"^MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text(), re.MULTILINE)[1])
    return [
        ("date", datetime.date.today().isoformat()),
        ("processors", f"{os.cpu_count()} x {model[1] if model else platform.machine()}"),
        ("memory", f"{memory / 2**20:.0f} GiB"),
        ("kernel", f"Linux {platform.release().split('-')[0]}"),
        ("file system", file_system_of(data)),
        ("compiler", first_line("g++", "--version")),
        ("Node", first_line("node", "--version")),
        ("Python", platform.python_version()),
        ("OpenSSH", first_line("ssh", "-V").split(",")[0]),
        ("chrony", first_line(program_path("chronyd"), "--version").split()[2]),
        ("sockperf", re.search(r"version ([\w.]+)", first_line("sockperf", "--version"))[1]),
        ("Redis", first_line("redis-server", "--version").split(" sha=")[0]),
        ("nginx", first_line(program_path("nginx"), "-v").rpartition("/")[2]),
        ("nghttp2", first_line("h2load", "--version").rpartition("/")[2]),
        ("rsync", first_line("rsync", "--version").split()[2]),
        ("fio", first_line("fio", "--version")),
    ]


def first_line(*command):
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.splitlines()[0]


def markdown(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def document(rows, effort):
    return (INTRODUCTION.format(rounds=effort.rounds, seconds=effort.seconds)
            + markdown(HEAD, map(cells, rows)) + NOTES
            + "\n## The machine\n\n" + markdown(("", ""), machine(effort.data)))
