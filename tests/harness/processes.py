"""Processes that are not our children: those that commands leave behind, or must not."""

import pathlib

from tests.harness.deadlines import wait_until


def process_exists(pid):
    """Whether a process runs under this id; a zombie has ended."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def wait_for_exit_of(pid):
    wait_until(lambda: not process_exists(pid), f"end of process {pid}")


def read_pids(path, count):
    """Process ids that a command wrote to a file, one a line, once there are `count` of them."""
    path = pathlib.Path(path)
    wait_until(lambda: path.exists() and path.read_text().count("\n") >= count, f"{count} lines in {path}")
    return [int(line) for line in path.read_text().split()]


def command_lines_with(marker):
    """Process ids of everything on this machine whose command line contains these bytes."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker in path.read_bytes():
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has just ended
    return found


def descendants_of(pid):
    """Process ids of all that descends from a process, zombies included."""
    children = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        children.setdefault(parent, []).append(int(path.parent.name))
    found, left = [], [pid]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return found
