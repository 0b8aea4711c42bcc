"""Processes that are not our children: those that commands leave behind, or must not."""

import os
import pathlib

from tests.harness.deadlines import wait_until


def process_exists(pid):
    """Whether a process runs under this id; a zombie has ended."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def peak_memory(pid):
    """The most bytes that a process has been resident with since it began."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


def wait_for_exit_of(pid):
    wait_until(lambda: not process_exists(pid), f"end of process {pid}")


def read_pids(path, count):
    """Process ids that a command wrote to a file, one a line, once there are `count` of them."""
    path = pathlib.Path(path)
    wait_until(lambda: path.exists() and path.read_text().count("\n") >= count, f"{count} lines in {path}")
    return [int(line) for line in path.read_text().split()]


def contents_for_each(folder, name):
    """(id, content of its file `name`) of every process or thread in a folder of /proc. They may end meanwhile, so this
    is not Path.glob(), which does not put up with that."""
    for entry in os.listdir(folder):
        if entry.isdecimal():
            try:
                content = pathlib.Path(folder, entry, name).read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            yield int(entry), content


def command_lines_with(marker):
    """Process ids of everything on this machine whose command line contains these bytes."""
    return [pid for pid, command_line in contents_for_each("/proc", "cmdline") if marker in command_line]


def all_threads_are_stopped(pid):
    threads = contents_for_each(f"/proc/{pid}/task", "stat")
    return all(stat.rpartition(b")")[2].split()[0] == b"T" for _, stat in threads)


def children_of(pid):
    """Process ids of the children of a process, zombies included."""
    return [child for child, stat in contents_for_each("/proc", "stat") if int(stat.rpartition(b")")[2].split()[1]) == pid]


def descendants_of(pid):
    """Process ids of all that descends from a process, zombies included."""
    children = {}
    for child, stat in contents_for_each("/proc", "stat"):
        parent = int(stat.rpartition(b")")[2].split()[1])
        children.setdefault(parent, []).append(child)
    found, left = [], [pid]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return found
