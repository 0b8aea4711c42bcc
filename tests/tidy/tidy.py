"""Checks what compilers do not: see the rules beside this file. Prints file:line: what; fails when there is any."""

import itertools
import pathlib
import subprocess
import sys

import documents
import layers
import leftovers
import protos
import sizes
from source import CPP, Source

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Texts of others, kept word for word.
FOREIGN = ("LICENSE",)


def project_files(root):
    """Everything that is, or is about to be, under version control."""
    # The checkout may belong to another user than the one who tests it.
    command = ["git", "-c", f"safe.directory={root}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode()
    return sorted(path for path in set(listing.split("\0")) if path and not path.startswith(FOREIGN))


def read(root, paths):
    for path in paths:
        file = pathlib.Path(root) / path
        if not file.is_file():
            continue
        try:
            yield Source(path, file.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            pass  # A picture, say.


def check_tree(root):
    sources = list(read(root, project_files(root)))
    for source in sources:
        yield from itertools.chain(
            layers.check(source),
            sizes.check(source),
            leftovers.check(source),
            documents.check(source, root),
            protos.check(source),
        )
    yield from protos.check_reasons(sources)
    yield from sizes.check_cpp_functions([each.path for each in sources if each.suffix in CPP], root)


def main():
    findings = sorted(check_tree(ROOT), key=lambda each: (each.path, each.line))
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings" if findings else "tidy")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
