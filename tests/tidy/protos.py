"""The shape of our protos: buf's STANDARD and COMMENTS rules as far as they matter here, a role on every method, and the
errors of each as they are."""

import re

from source import CPP

PACKAGE = re.compile(r"^package\s+([\w.]+);", re.MULTILINE)
SERVICE = re.compile(r"^service\s+(\w+)", re.MULTILINE)
RPC = re.compile(r"^\s*rpc\s+(\w+)\s*\(\s*(?:stream\s+)?([\w.]+)\s*\)\s*returns\s*\(\s*(?:stream\s+)?([\w.]+)\s*\)\s*([{;])")
ROLE = re.compile(r"option\s*\(rawgate\.access\.v1\.required_role\)\s*=\s*ROLE_(?!UNSPECIFIED)\w+;")
ENUM = re.compile(r"^\s*enum\s+(\w+)\s*\{")
ENUM_VALUE = re.compile(r"^\s*(\w+)\s*=\s*(-?\w+)")
MESSAGE = re.compile(r"^\s*message\s+(\w+)")
FIELD = re.compile(r"^\s*(?:repeated\s+|optional\s+)?(?:map<[^>]+>|[\w.]+)\s+(\w+)\s*=\s*\d+\s*[;\[]")
PASCAL = re.compile(r"^[A-Z][A-Za-z0-9]*$")
SNAKE = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
# What wants a comment of its own.
DOCUMENTED = re.compile(r"^\s*(?:service|rpc|message|enum|oneof)\s+(\w+)")
READS = re.compile(r"^(Get|List|Stat|Watch|Download)")
IDEMPOTENCY = re.compile(r"option\s+idempotency_level\s*=\s*NO_SIDE_EFFECTS;")
ALL_CAPITALS = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")
LITERAL = re.compile(r'"([A-Z]+(?:_[A-Z]+)+)"')
TESTS = re.compile(r"(^|[/_])test")
CODES = {"INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
         "FAILED_PRECONDITION", "OUT_OF_RANGE", "DATA_LOSS"}


def check(source):
    if source.suffix != ".proto" or not source.path.startswith("protos/"):
        return
    # The gateway serves these too.
    yield from _methods(source)
    # Names and their order are Google's.
    if source.path.startswith("protos/google/"):
        return
    yield from _package(source)
    yield from _names(source)
    yield from _comments(source)
    yield from _enums(source)


def check_reasons(sources):
    """Reasons that the comments of methods promise and no program sends."""
    programs = [each for each in sources if each.suffix in CPP and not TESTS.search(each.path)]
    sent = {reason for source in programs for reason in LITERAL.findall(source.text)}
    contracts = [each for each in sources if each.suffix == ".proto" and each.path.startswith("protos/")]
    values = {match.group(1) for each in contracts for match in map(ENUM_VALUE.match, each.lines) if match}
    for source in contracts:
        for number, line in enumerate(source.lines, 1):
            if MESSAGE.match(line) or ENUM.match(line):
                break
            for word in ALL_CAPITALS.findall(line.partition("//")[2]):
                if word not in sent | CODES | values:
                    yield source.finding(number, f"{word} is sent nowhere")


def _package(source):
    expected = source.path.removeprefix("protos/").rpartition("/")[0].replace("/", ".")
    package = PACKAGE.search(source.text)
    if not package or package.group(1) != expected:
        yield source.finding(1, f"its folder wants package {expected}")
    if 'syntax = "proto3";' not in source.text:
        yield source.finding(1, 'no syntax = "proto3"')


def _names(source):
    for name in SERVICE.findall(source.text):
        if not name.endswith("Service"):
            yield source.finding(1, f"service {name} is not called {name}Service")
    for number, line in enumerate(source.lines, 1):
        message, field = MESSAGE.match(line), FIELD.match(line)
        if message and not PASCAL.match(message.group(1)):
            yield source.finding(number, f"message {message.group(1)} is not PascalCase")
        if field and not line.lstrip().startswith("option ") and not SNAKE.match(field.group(1)):
            if not field.group(1).isupper():
                yield source.finding(number, f"field {field.group(1)} is not lower_snake_case")


def _comments(source):
    for number, line in enumerate(source.lines, 1):
        named = DOCUMENTED.match(line) or FIELD.match(line) or ENUM_VALUE.match(line)
        if named and line.lstrip().startswith(("option ", "syntax ")):
            continue
        if named and not (number > 1 and source.lines[number - 2].lstrip().startswith("//")):
            yield source.finding(number, f"no comment above {named.group(1)}")


def _methods(source):
    for index, line in enumerate(source.lines):
        match = RPC.match(line)
        if not match:
            if re.match(r"^\s*rpc\b", line):
                yield source.finding(index + 1, "an rpc stands on one line up to its {")
            continue
        name, request, response, opening = match.groups()
        if (request, response) != (f"{name}Request", f"{name}Response"):
            yield source.finding(index + 1, f"{name} wants {name}Request and {name}Response of its own")
        comment = _comment_above(source.lines, index)
        if comment and "// Errors: " not in comment:
            yield source.finding(index + 1, f"the comment of {name} lists no 'Errors: '")
        options = "" if opening == ";" else _block(source.lines, index)
        if not ROLE.search(options):
            yield source.finding(index + 1, f"{name} has no required_role")
        if READS.match(name) and not IDEMPOTENCY.search(options):
            yield source.finding(index + 1, f"{name} reads only, but is not NO_SIDE_EFFECTS")


def _enums(source):
    for index, line in enumerate(source.lines):
        match = ENUM.match(line)
        if not match:
            continue
        prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", match.group(1)).upper() + "_"
        values = [ENUM_VALUE.match(each) for each in _block(source.lines, index).splitlines()[1:]]
        values = [each.groups() for each in values if each and each.group(1) != "option"]
        if not values or values[0] != (f"{prefix}UNSPECIFIED", "0"):
            yield source.finding(index + 1, f"{match.group(1)} does not begin with {prefix}UNSPECIFIED = 0")
        for name, _ in values:
            if not name.startswith(prefix):
                yield source.finding(index + 1, f"{name} has no prefix {prefix}")


def _comment_above(lines, index):
    first = index
    while first > 0 and lines[first - 1].lstrip().startswith("//"):
        first -= 1
    return "\n".join(line.strip() for line in lines[first:index])


def _block(lines, start):
    """The text from line `start` to the brace that closes what it opens."""
    depth, taken = 0, []
    for line in lines[start:]:
        taken.append(line)
        code = line.partition("//")[0]
        depth += code.count("{") - code.count("}")
        if depth <= 0:
            break
    return "\n".join(taken)
