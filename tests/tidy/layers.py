"""Who may include whom: the arrows of ARCHITECTURE.md, as absences."""

import fnmatch
import re

from source import CPP

# Each may include itself and those before it.
RUNTIME_LAYERS = ("base", "observe", "net", "metrics", "http", "http2", "rpc", "host")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
ASIO = re.compile(r"^(boost/)?asio(/|\.hpp)")
GRPC = re.compile(r"^grpc(pp)?/")
GENERATED = re.compile(r"\.pb\.h$")

# (files, what they may not include, why)
FORBIDDEN = (
    ("runtime/base/*", ASIO, "base knows no Asio"),
    ("runtime/observe/*", ASIO, "observe knows no Asio"),
    ("runtime/base/*", GRPC, "base knows no gRPC"),
    ("runtime/observe/*", GRPC, "observe knows no gRPC"),
    ("runtime/net/*", GRPC, "net knows no gRPC"),
    ("runtime/metrics/*", GRPC, "metrics know no gRPC"),
    ("runtime/http/*", GRPC, "http knows no gRPC"),
    ("runtime/http2/*", GRPC, "http2 knows no gRPC"),
    ("runtime/*", re.compile("^(services|gateway|cli)/"), "runtime knows none of its users"),
    ("gateway/*", re.compile("^services/"), "the gateway reaches services by RPC alone"),
    ("gateway/*", re.compile("^cli/"), "the gateway knows no CLI"),
    ("cli/*", re.compile("^(services|gateway)/"), "the CLI is a client of the gateway's RPC alone"),
    ("services/*", re.compile("^(gateway|cli)/"), "services do not know who calls them"),
    ("*_core.*", ASIO, "a core knows no sockets"),
    ("*_core.*", GRPC, "a core knows no gRPC"),
    ("*_core.*", GENERATED, "a core knows no protobuf"),
    ("*_core_test.cc", GENERATED, "a core is tested without protobuf"),
)
NAMING_GENERATED_TYPES = ("*_servicer*", "*_policy_file.cc", "gateway/*", "cli/*", "runtime/rpc/*", "tests/*", "bench/*", "examples/*")


def check(source):
    if source.suffix not in CPP:
        return
    for number, line in enumerate(source.lines, 1):
        match = INCLUDE.match(line)
        if match:
            for reason in _objections(source, match.group(1)):
                yield source.finding(number, f"includes {match.group(1)}: {reason}")


def _objections(source, included):
    for pattern, forbidden, reason in FORBIDDEN:
        if fnmatch.fnmatch(source.path, pattern) and forbidden.search(included):
            yield reason
    if GENERATED.search(included) and not any(fnmatch.fnmatch(source.path, each) for each in NAMING_GENERATED_TYPES):
        yield "only servicers, the gateway and the CLI name generated types"
    if included.startswith("runtime/testing/") and not _is_test(source):
        yield "runtime/testing is for tests"
    yield from _upward(source.path, included)
    yield from _sideways(source.path, included)


def _is_test(source):
    return source.name.endswith(("_test.cc", "_fuzz.cc", "_testing.h")) or source.path.startswith(("runtime/testing/", "tests/"))


def _upward(path, included):
    here, there = _runtime_layer(path), _runtime_layer(included)
    if here is not None and there is not None and there > here:
        yield f"runtime/{RUNTIME_LAYERS[here]} is below runtime/{RUNTIME_LAYERS[there]}"


def _runtime_layer(path):
    parts = path.split("/")
    if parts[0] == "runtime" and len(parts) > 2 and parts[1] in RUNTIME_LAYERS:
        return RUNTIME_LAYERS.index(parts[1])
    return None


def _sideways(path, included):
    here, there = path.split("/"), included.split("/")
    if here[0] == there[0] == "services" and here[1] != there[1]:
        yield "one service knows nothing of another"
