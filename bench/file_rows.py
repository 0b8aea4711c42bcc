"""Files: what rawgate-file, and the gateway before it, are compared with."""

import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import time
from collections.abc import Callable

from file_servers import FileServers
from measure import in_turns, load, median, rate_row
from servers import Server

MIB = 2**20
SMALL = 4096
SMALL_AT_ONCE = 8


@dataclasses.dataclass
class Subject:
    """What takes a turn: run() returns what was measured."""
    name: str
    run: Callable[[], dict]


@dataclasses.dataclass
class Peers:
    """Servers that several comparisons need, and what is sent to them."""
    rawgate: Server
    copy: Server
    nginx: Server
    naive: Server
    large: pathlib.Path
    small: pathlib.Path


def files(build, effort):
    with FileServers(build, effort.data) as servers:
        peers = Peers(servers.rawgate(), servers.bare_store("copy", "bare recv+write loop"), servers.nginx(),
                      servers.naive_file(), random_file(servers.folder / "large", effort.file_bytes),
                      random_file(servers.folder / "small", SMALL))
        return [row for compare in (uploads, downloads, small_uploads, streams) for row in compare(servers, effort, peers)]


def random_file(path, size):
    with open(path, "wb") as file:
        for begin in range(0, size, MIB):
            file.write(os.urandom(min(MIB, size - begin)))
    return path


def digest_member(path, kind):
    """For the header of an upload."""
    with open(path, "rb") as file:
        digest = hashlib.new(kind)
        while data := file.read(MIB):
            digest.update(data)
    return f'"{kind}":"{digest.hexdigest()}"'


def stored_in_turns(servers, rounds, subjects, key):
    """The medians of `key` by name. Between two turns what was stored is removed and the disk comes to rest."""
    def measure(subject):
        result = subject.run()
        servers.clear()
        return result

    servers.clear()
    # Once without counting: blocks that the disk never had to keep before may cost more than others.
    in_turns(1, subjects, measure)
    results = in_turns(rounds, subjects, measure)
    return {name: median(results, name, key) for name in results}


def upload(servers, server, source, *digest, connections=1, seconds=0, protocol="rawgate"):
    return load(servers.build, "upload_load", protocol, server.port, connections, seconds, source, *digest)


def uploads(servers, effort, peers):
    """One file on one connection."""
    splice, rsync, source = servers.bare_store("splice", "bare splice loop"), servers.rsync(), peers.large
    sha256, md5 = digest_member(source, "sha256"), digest_member(source, "md5")
    speed = stored_in_turns(servers, effort.rounds, [
        Subject("plain", lambda: upload(servers, peers.rawgate, source)),
        Subject(splice.name, lambda: upload(servers, splice, source)),
        Subject("sha256", lambda: upload(servers, peers.rawgate, source, sha256)),
        Subject(peers.copy.name, lambda: upload(servers, peers.copy, source)),
        Subject("md5", lambda: upload(servers, peers.rawgate, source, md5)),
        Subject(rsync.name, lambda: rsync_upload(rsync, source)),
        Subject(peers.nginx.name, lambda: upload(servers, peers.nginx, source, protocol="http")),
        Subject(peers.naive.name, lambda: upload(servers, peers.naive, source)),
    ], "bytes_per_second")
    what = f"durable upload, {size_text(source)}"
    return [
        speed_row(what, splice.name, speed["plain"], speed[splice.name], 0.9),
        speed_row(f"{what}, SHA-256 compared", peers.copy.name, speed["sha256"], speed[peers.copy.name], 0.9),
        speed_row(f"{what}, MD5 compared", peers.copy.name, speed["md5"], speed[peers.copy.name], 0.6),
        speed_row(what, "rsync daemon, --fsync", speed["plain"], speed[rsync.name]),
        speed_row(what, "nginx PUT, not durable", speed["plain"], speed[peers.nginx.name]),
        speed_row(what, f"{peers.naive.name}, not durable", speed["plain"], speed[peers.naive.name]),
    ]


def rsync_upload(server, source):
    start = time.monotonic()
    subprocess.run(["rsync", "--whole-file", "--fsync", str(source), f"rsync://127.0.0.1:{server.port}/store/"],
                   check=True, timeout=120)
    return {"bytes_per_second": source.stat().st_size / (time.monotonic() - start)}


def downloads(servers, effort, peers):
    """One file, which is in memory, again and again on one connection."""
    source = peers.large
    protocols = {peers.rawgate: "rawgate", peers.nginx: "http", peers.naive: "rawgate"}
    for server in protocols:
        # The same pages for all of them.
        os.link(source, server.folder / source.name)
    results = in_turns(effort.rounds, protocols, lambda server: load(
        servers.build, "download_load", protocols[server], server.port, 1, effort.seconds, source.name,
        source.stat().st_size))
    speed = {name: median(results, name, "bytes_per_second") for name in results}
    what, ours = f"download, {size_text(source)}", speed[peers.rawgate.name]
    return [speed_row(what, "nginx, sendfile", ours, speed[peers.nginx.name], 0.95),
            speed_row(what, peers.naive.name, ours, speed[peers.naive.name])]


def small_uploads(servers, effort, peers):
    """New files of one block, so many at once, the reply of each awaited before the next."""
    def small(server):
        return upload(servers, server, peers.small, connections=SMALL_AT_ONCE, seconds=effort.seconds)

    scratch = servers.folder / "fio"
    # Turns are short, and a disk that others use as well is restless.
    rate = stored_in_turns(servers, 2 * effort.rounds, [
        Subject("rawgate", lambda: small(peers.rawgate)),
        Subject("fio", lambda: fio_fsyncs(scratch, effort.seconds)),
        Subject(peers.copy.name, lambda: small(peers.copy)),
    ], "per_second")
    what = f"durable upload, {SMALL // 1024} KiB, {SMALL_AT_ONCE} at once"
    return [rate_row(what, "fio, new files with fsync", rate["rawgate"], rate["fio"], 0.9),
            rate_row(what, peers.copy.name, rate["rawgate"], rate[peers.copy.name])]


def fio_fsyncs(folder, seconds):
    """Files per second that fio makes, writes and fsyncs, as many at once; it does not fsync their folder."""
    folder.mkdir()
    # More files than can be made in the time; far more would take longer to prepare than the time.
    done = subprocess.run(
        ["fio", "--name=small", f"--directory={folder}", "--ioengine=psync", "--rw=write", f"--bs={SMALL}",
         f"--filesize={SMALL}", "--nrfiles=3000", "--openfiles=1", "--file_service_type=sequential",
         "--create_on_open=1", "--fsync=1", f"--numjobs={SMALL_AT_ONCE}", "--thread", "--group_reporting",
         f"--runtime={seconds * 1000:.0f}ms", "--output-format=json"],
        check=True, capture_output=True, text=True, timeout=120)
    shutil.rmtree(folder)
    return {"per_second": json.loads(done.stdout)["jobs"][0]["write"]["iops"]}


def streams(servers, effort, peers):
    """FileService.Upload, whose reply has the file's SHA-256."""
    gateway, size = servers.gateway("file", peers.rawgate), peers.large.stat().st_size

    def stream(target):
        return load(servers.build, "stream_load", target, 0, size)

    speed = stored_in_turns(servers, effort.rounds, [
        Subject("gateway", lambda: stream(gateway.rpc)),
        Subject("direct", lambda: stream(peers.rawgate.rpc)),
        Subject("raw", lambda: upload(servers, peers.rawgate, peers.large)),
    ], "bytes_per_second")
    what = f"durable upload through the gateway, {size_text(peers.large)}"
    return [speed_row(what, "rawgate's own raw upload", speed["gateway"], speed["raw"], 0.35),
            speed_row(what, "the same without the gateway", speed["gateway"], speed["direct"])]


def size_text(path):
    return f"{path.stat().st_size // MIB} MiB"


def speed_row(what, peer, ours, theirs, figure=None):
    """As rate_row(), of bytes."""
    row = rate_row(what, peer, ours, theirs, figure)
    return dataclasses.replace(row, ours=speed_text(ours), theirs=speed_text(theirs))


def speed_text(bytes_per_second):
    return f"{bytes_per_second / MIB:,.0f} MiB/s"
