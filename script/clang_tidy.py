"""Runs clang-tidy over the translation units that end up in programs, as many at once as there are processors; with
--all over tests and benchmarks too, which takes as long again.

A unit that passed is not looked at again until it, a header of ours that it includes, its compile command or the
configuration changes: build/lint/ keeps a mark of each.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
CACHE = ROOT / "build/lint"
CLANG_TIDY = "clang-tidy-14"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
AROUND = re.compile(r"_(test|fuzz)\.cc$|^(bench|tests|runtime/testing)/")
# Options of g++ that clang does not know, and that mean nothing to analysis.
ONLY_GCC = re.compile(r"^-f(vect-cost-model=|no-semantic-interposition|no-tree-loop-distribute-patterns)")
# A header that g++ has compiled beforehand: each file includes what it needs all the same.
PRECOMPILED = re.compile(r" -include \S+/cmake_pch\.hxx\b")


class Unit:
    """One entry of compile_commands.json."""

    def __init__(self, entry, generated):
        self.file = pathlib.Path(entry["file"])
        self.name = str(self.file.relative_to(ROOT))
        self._roots = (ROOT, generated)
        arguments = PRECOMPILED.sub("", entry["command"]).split()
        if "ccache" in os.path.basename(arguments[0]):
            arguments = arguments[1:]
        self.entry = {**entry, "command": " ".join(each for each in arguments if not ONLY_GCC.match(each))}

    def digest(self, contents, configuration):
        """Changes with whatever clang-tidy could find another answer from, system headers apart."""
        total = hashlib.sha256(configuration)
        total.update(self.entry["command"].encode())
        for path in sorted(self._closure(contents)):
            total.update(path.encode() + b"\0" + contents.of(path).encode())
        return total.hexdigest()

    def _closure(self, contents):
        seen, pending = set(), [str(self.file)]
        while pending:
            path = pending.pop()
            if path in seen:
                continue
            seen.add(path)
            for included in INCLUDE.findall(contents.of(path)):
                pending += [str(root / included) for root in self._roots if (root / included).is_file()]
        return seen


class Contents:
    """Files, each read once."""

    def __init__(self):
        self._texts = {}

    def of(self, path):
        if path not in self._texts:
            self._texts[path] = pathlib.Path(path).read_text(encoding="utf-8")
        return self._texts[path]


def units(build, everything):
    entries = json.loads((build / "compile_commands.json").read_text())
    found = [Unit(each, build / "protos/gen") for each in entries if _is_ours(each["file"])]
    return [unit for unit in found if everything or not AROUND.search(unit.name)]


def _is_ours(file):
    return not pathlib.Path(file).is_relative_to(ROOT / "build")


def check(unit):
    """Returns the findings, empty when there are none."""
    result = subprocess.run(
        [CLANG_TIDY, "--quiet", "-p", CACHE, unit.file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        check=False,
    )
    if result.returncode == 0:
        return ""
    return result.stdout or result.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, help="a configured build folder, its protos generated")
    parser.add_argument("--all", action="store_true", help="tests and benchmarks too")
    options = parser.parse_args()
    everything = units(options.build.resolve(), options.all)
    marks = CACHE / "passed"
    marks.mkdir(parents=True, exist_ok=True)
    (CACHE / "compile_commands.json").write_text(json.dumps([unit.entry for unit in everything]))

    version = subprocess.run([CLANG_TIDY, "--version"], capture_output=True, check=True).stdout
    configuration, contents = (ROOT / ".clang-tidy").read_bytes() + version, Contents()
    mark_of = {unit: marks / unit.digest(contents, configuration) for unit in everything}
    pending = [unit for unit in everything if not mark_of[unit].exists()]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for unit, findings in zip(pending, pool.map(check, pending)):
            if findings:
                failed += 1
                print(findings, flush=True)
            else:
                mark_of[unit].touch()
    print(f"clang-tidy: {len(pending)} of {len(everything)} files looked at, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
