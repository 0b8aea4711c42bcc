"""What should not have been left behind: notes to oneself, code in comments, traces of one machine."""

import ast
import json
import re

from source import CPP

NOTE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(\((#\d+|https?://\S+)\))?")
# A statement or the end of a block; indented further than text it is an example, as in a header's usage.
CPP_CODE = re.compile(
    r"^//\s{0,2}(?:"
    r"(?:return|delete|throw|co_await|co_return|using|break|continue)\b.*;"
    r"|[\w:.>\-\[\]]+\(.*\);"
    r"|[\w:<>,&*\s]+\s[\w.\->\[\]]+\s*=\s*.+;"
    r"|(?:if|for|while|switch)\s*\(.*\)\s*\{?"
    r"|#\s*(?:include|define|if|endif)\b.*"
    r"|[{}]+;?"
    r")$"
)
MACHINE_PATH = re.compile(r"(?<![\w.~$})*-])/(?:work|root)/")
NPM_REGISTRY = "https://registry.npmjs.org/"


def check(source):
    yield from _notes(source)
    yield from _code_in_comments(source)
    yield from _machine_paths(source)
    if source.name == "package-lock.json":
        yield from _registry_hosts(source)


def _notes(source):
    for number, text in source.comments:
        match = NOTE.search(text)
        if match and not (match.group(1) == "TODO" and match.group(2)):
            yield source.finding(number, f"{match.group(1)} without an issue, as in TODO(#12)")


def _code_in_comments(source):
    for number, text in source.comments:
        if source.suffix in CPP and CPP_CODE.match(text.rstrip()):
            yield source.finding(number, f"code in a comment: {text.strip()}")
        if source.suffix == ".py" and _is_python_statement(text.lstrip("#").strip()):
            yield source.finding(number, f"code in a comment: {text.strip()}")


def _is_python_statement(text):
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return False
    statements = (ast.Assign, ast.AugAssign, ast.Import, ast.ImportFrom, ast.Return, ast.Delete, ast.Assert, ast.Raise)
    return any(
        isinstance(node, statements) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
        for node in body
    )


def _machine_paths(source):
    for number, line in enumerate(source.lines, 1):
        match = MACHINE_PATH.search(line)
        if match:
            yield source.finding(number, f"a path of one machine: {match.group(0)}")


def _registry_hosts(source):
    for name, package in json.loads(source.text).get("packages", {}).items():
        resolved = package.get("resolved", NPM_REGISTRY)
        if not resolved.startswith(NPM_REGISTRY):
            yield source.finding(1, f"{name} comes from {resolved}, not from {NPM_REGISTRY}")
