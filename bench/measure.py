"""How everything here is measured, and what comes of it: the lines of the table.

Ours and the peers run at the same time, take the same load from the same client, and are measured in turns (A B C A B C ...),
so that whatever else the machine does meanwhile hits all of them. Compared are the medians.
"""

import dataclasses
import json
import pathlib
import statistics
import subprocess


@dataclasses.dataclass
class Row:
    """One line of the table. `met` is None where no figure was set."""
    what: str
    peer: str
    ours: str
    theirs: str
    ratio: str
    figure: str
    met: bool | None


@dataclasses.dataclass
class Effort:
    """How long to measure, how much, and in which folder to store files."""
    rounds: int
    seconds: float
    requests: int
    connections: int
    file_bytes: int
    data: pathlib.Path


def in_turns(rounds, servers, measure):
    """measure(server) for each server, `rounds` times in turns: {server name: [result, ...]}."""
    results = {server.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            results[server.name].append(measure(server))
    return results


def pinned_to(processor):
    """What to put before a command that is to run on that processor only; nothing for None."""
    return [] if processor is None else ["taskset", "--cpu-list", str(processor)]


def load(build, program, *arguments, processor=None):
    """Runs one of our load generators and returns what it printed."""
    command = [*pinned_to(processor), str(build / "bench" / program), *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return json.loads(done.stdout)


def median(results, name, key):
    return statistics.median(result[key] for result in results[name])


def rate_row(what, peer, ours, theirs, figure=None):
    ratio = ours / theirs
    target, met = ("", None) if figure is None else (f">= {figure:.2f}", ratio >= figure)
    return Row(what, peer, f"{ours:,.0f}/s", f"{theirs:,.0f}/s", f"{ratio:.2f}", target, met)
