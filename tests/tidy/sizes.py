"""How long files and functions may be."""

import ast
import json
import shutil
import subprocess

from source import CPP, Finding

FILE_LINES_MAX = 320
TEST_LINES_MAX = 500
MAIN_LINES_MAX = 60
FUNCTION_LINES_MAX = 60


def check(source):
    if source.suffix not in CPP + (".py",) and not source.path.startswith("script/"):
        return
    limit = _limit(source.name)
    if len(source.lines) > limit:
        yield source.finding(limit + 1, f"{len(source.lines)} lines; at most {limit}")
    if source.suffix == ".py":
        yield from _python_functions(source)


def _limit(name):
    if name.endswith("_main.cc"):
        return MAIN_LINES_MAX
    # Cases stand one after another; nobody reads them as one.
    return TEST_LINES_MAX if name.endswith("_test.cc") else FILE_LINES_MAX


def _python_functions(source):
    for node in ast.walk(ast.parse(source.text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _too_long(source.path, node.name, node.lineno, node.end_lineno)


def check_cpp_functions(paths, root):
    """The functions of C++ files, found by universal-ctags: one run for all `paths`, which are relative to `root`."""
    if not shutil.which("ctags"):
        raise RuntimeError("ctags is missing: script/bootstrap test installs it")
    command = ["ctags", "--output-format=json", "--fields=+ne", "--languages=C++", "--langmap=C++:+.h"]
    command += ["--kinds-C++=f", "-f", "-", "-L", "-"]
    tags = subprocess.run(command, input="\n".join(paths), cwd=root, text=True, capture_output=True, check=True)
    for line in tags.stdout.splitlines():
        tag = json.loads(line)
        if "end" in tag:
            yield from _too_long(tag["path"], tag["name"], tag["line"], tag["end"])


def _too_long(path, name, first, last):
    lines = last - first + 1
    if lines > FUNCTION_LINES_MAX:
        yield Finding(path, first, f"{name} has {lines} lines; at most {FUNCTION_LINES_MAX}")
