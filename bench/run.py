#!/usr/bin/env python3
"""Measures rawgate beside bare loops, Node, Redis, chrony, sockperf, OpenSSH, nginx, nghttpx, rsync and fio, and prints how they compare.

Needs a release build with the programs of bench/ (script/bench makes one) and, for the peers, what the bench group of
script/packages lists.
"""

import argparse
import pathlib
import sys

import report
from file_servers import file_system_of
from measure import Effort
from rows import COMPARISONS
from servers import missing_programs

ROOT = pathlib.Path(__file__).resolve().parent.parent


def full(data):
    return Effort(rounds=5, seconds=1, requests=1_000_000, connections=100_000, file_bytes=512 << 20, data=data)


def quick(data):
    return Effort(rounds=3, seconds=0.5, requests=200_000, connections=10_000, file_bytes=256 << 20, data=data)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter and fewer runs: some two minutes")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--only", choices=sorted(COMPARISONS), action="append", help="this comparison; may be repeated")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", help="the build to measure")
    parser.add_argument("--data", type=pathlib.Path, help="folder on a disk to store files in, in a new folder that is "
                        "removed again; default: the build's")
    arguments = parser.parse_args()
    arguments.data = arguments.data or arguments.build
    if file_system_of(arguments.data) == "tmpfs":
        parser.error(f"{arguments.data} is in memory, where nothing can be made durable: --data names another folder")
    if arguments.write and (arguments.quick or arguments.only):
        parser.error("--write is for the whole and full measurement")
    return arguments


def main():
    arguments = parse_arguments()
    if missing := missing_programs():
        sys.exit(f"missing: {', '.join(missing)} (script/bootstrap bench installs them)")
    effort = (quick if arguments.quick else full)(arguments.data)
    rows = []
    for name, compare in COMPARISONS.items():
        if arguments.only and name not in arguments.only:
            continue
        for row in compare(arguments.build, effort):
            report.print_row(row)
            rows.append(row)
    met = [row.met for row in rows if row.met is not None]
    print(f"{sum(met)} of {len(met)} figures met")
    if arguments.write:
        (ROOT / "docs/performance.md").write_text(report.document(rows, effort))
        print("docs/performance.md written")


if __name__ == "__main__":
    main()
