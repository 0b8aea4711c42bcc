"""The five services, alone or all behind a gateway, in a folder of their own that is removed afterwards."""

import collections
import os
import pathlib
import shutil
import tempfile

from tests.harness.ports import stable_port
from tests.harness.program import Program, grpc_target

# Every service listens at two addresses. A container without IPv6 has to name another for the second.
LOOPBACKS = ("127.0.0.1", os.environ.get("RAWGATE_TEST_SECOND_LOOPBACK", "[::1]"))
# Every address has port 0: the kernel picks one and the ready line tells which.
LISTENERS = {
    service: [f"{listener}={kind}://{host}:0" for listener, kind in listeners for host in LOOPBACKS]
    for service, listeners in {
        "echo": (("tcp", "tcp"), ("udp", "udp")),
        "exec": (("raw", "tcp"), ("sized", "tcp"), ("header", "tcp"), ("framed", "tcp")),
        "time": (("udp", "udp"),),
        "file": (("tcp", "tcp"),),
        "chat": (("udp", "udp"),),
    }.items()
}

# The flag that gives a program its HTTP server, which by default it has not.
HTTP = "--http_listen=tcp://127.0.0.1:0"


def listener_names(roles):
    """What listeners of these roles, in the order of --listen, are called: a second one of a role is ROLE-2."""
    seen = collections.Counter()
    names = []
    for role in roles:
        seen[role] += 1
        names.append(role if seen[role] == 1 else f"{role}-{seen[role]}")
    return names


class Stack:
    """Programs that belong to one test module. Use as: stack = Stack(); unittest.addModuleCleanup(stack.stop).

    With stable_ports what is stopped, or killed, can be started on the same ports again.
    """

    def __init__(self, stable_ports=False):
        self.stable_ports = stable_ports
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="rawgate-test-"))
        self.directory.chmod(0o755)
        self.file_root = self._folder("files")
        # Commands run as an unprivileged user, who needs somewhere to write.
        self.scratch = self._folder("scratch")
        self.scratch.chmod(0o1777)
        # Made by the service.
        self.chat_history = self.directory / "chat"
        self.programs = {}

    def _folder(self, name):
        path = self.directory / name
        path.mkdir()
        return path

    def _with_port(self, address):
        if not self.stable_ports or not address.endswith(":0"):
            return address
        return f"{address.removesuffix('0')}{stable_port()}"

    def start_service(self, name, *flags, listeners=None, rpc="tcp://127.0.0.1:0", environment=None,
                      under=(), label=None):
        """Starts one service; further flags come last and so win over the usual ones. `under` is a command, and its
        options, that runs the service's own. Replicas are told apart by `label`, their key in `programs`."""
        addresses = [self._with_port(address) for address in listeners or LISTENERS[name]]
        usual = [f"--listen={','.join(addresses)}", f"--rpc_listen={self._with_port(rpc)}"]
        if name == "file":
            usual.append(f"--root={self.file_root}")
        if name == "chat":
            usual.append(f"--history={self.chat_history}")
        if name == "exec":
            usual.append(f"--work_dir={self.scratch}")
        program = Program(name, [*usual, *flags], self.directory, environment, under).start()
        self.programs[label or name] = program
        return program

    def start_gateway(self, *flags, backends=None):
        """Starts a gateway in front of the services that run, but for labelled ones, or of `backends` (name to gRPC
        target)."""
        targets = {label: program.rpc_target for label, program in self.programs.items() if label == program.name}
        targets.update(backends or {})
        usual = ["--listen=grpc=tcp://127.0.0.1:0",
                 "--backends=" + ",".join(f"{name}={target}" for name, target in sorted(targets.items()))]
        self.programs["gateway"] = Program("gateway", [*usual, *flags], self.directory).start()
        return self.programs["gateway"]

    def start_all(self, *flags):
        """All six processes, as script/up would run them, but on free ports."""
        for name in LISTENERS:
            self.start_service(name, *flags)
        self.start_gateway(*flags)
        return self

    def address(self, service, listener):
        return self.programs[service].address(listener)

    def http(self, name):
        """Host and port of a program's HTTP server, which it has when it was started with HTTP."""
        return self.programs[name].address("http")

    @property
    def gateway_target(self):
        """The front door, as gRPC wants it."""
        return grpc_target(self.programs["gateway"].ready["listeners"][0]["address"])

    def stop(self):
        """Stops everything, the gateway first; each program must end cleanly."""
        failures = []
        for name in sorted(self.programs, key=lambda name: name != "gateway"):
            try:
                self.programs[name].stop()
            except AssertionError as failure:
                failures.append(str(failure))
        self.programs.clear()
        shutil.rmtree(self.directory)
        if failures:
            raise AssertionError("\n".join(failures))
