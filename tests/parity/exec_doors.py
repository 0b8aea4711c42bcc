"""Every door through which a command goes in, with one answer to look at: what it did, or why it was refused.

A request has the keys of a framed one, see services/exec/PROTOCOL.md. Each door may be asked any number of times; the
raw ones stay on one connection, as long as that is left open.
"""

import hashlib
import typing

import grpc

from tests.conformance.exec_client import packed_request, receive_reply
from tests.conformance.plain_client import connect
from tests.harness import rpc


class Result(typing.NamedTuple):
    """A command that ran."""

    outcome: tuple  # ("exited", code), ("signalled", name), ("timed_out",) or ("output_limit",)
    stdout: bytes = b""
    stderr: bytes = b""


class Refusal(typing.NamedTuple):
    """A command that did not. Raw clients are told the reason alone; START_FAILED is no error of a typed call."""

    reason: str
    message: str
    code: grpc.StatusCode | None = None


class RawDoor:
    """A listener whose replies have a JSON header."""

    def __init__(self, stack, listener):
        self.address = stack.address("exec", listener)
        self.raw = connect(self.address)

    def close(self):
        self.raw.close()

    def reopen(self):
        """After a refusal that the service closes the connection for."""
        self.close()
        self.raw = connect(self.address)

    def _reply(self):
        header, body = receive_reply(self.raw)
        assert header["md5"] == hashlib.md5(body).hexdigest(), header
        if "error" in header:
            return Refusal(header["error"]["code"], header["error"]["message"])
        stdout, stderr = body[:header["stdout_size"]], body[header["stdout_size"]:]
        assert len(stderr) == header["stderr_size"], header
        return Result(self._outcome(header), stdout, stderr)

    def _outcome(self, header):
        if header["timed_out"]:
            return ("timed_out",)
        if header["truncated"]:
            return ("output_limit",)
        return ("exited", header["exit_code"]) if "exit_code" in header else ("signalled", header["signal"])


class HeaderDoor(RawDoor):
    """Port 8084."""

    def __init__(self, stack):
        super().__init__(stack, "header")

    def takes(self, request, stdin):
        """Without framing there is nothing but the text of a command."""
        return request.keys() == {"command"} and not stdin

    def ask(self, request, stdin=b""):
        assert self.takes(request, stdin), request
        self.raw.sendall(request["command"].encode() + b"\n")
        return self._reply()


class FramedDoor(RawDoor):
    """Port 8085."""

    def __init__(self, stack):
        super().__init__(stack, "framed")

    def takes(self, request, stdin):
        return True

    def ask(self, request, stdin=b""):
        self.raw.sendall(packed_request(stdin, **request))
        return self._reply()


def run_request(request, stdin=b""):
    """The typed request that asks for the same."""
    typed = rpc.exec_.RunRequest(stdin=stdin, working_directory=request.get("cwd", ""))
    if "command" in request:
        typed.shell_command = request["command"]
    if "argv" in request:
        typed.argv.arguments.extend(request["argv"])
    if "timeout_ms" in request:
        typed.timeout.FromMilliseconds(request["timeout_ms"])
    for name, value in request.get("env", {}).items():
        typed.environment.add(name=name, value=value)
    return typed


class TypedDoor:
    """A call through the gateway that ends with an outcome."""

    def __init__(self, client):
        self.client = client

    def close(self):
        pass

    def reopen(self):
        pass

    def takes(self, request, stdin):
        return True

    def ask(self, request, stdin=b""):
        try:
            events = list(self._call(request, stdin))
        except grpc.RpcError as error:
            return Refusal(rpc.reason_and_details(error)[0], error.details(), error.code())
        kinds = [event.WhichOneof("event") for event in events]
        assert (kinds[0], kinds[-1]) == ("started", "outcome") and set(kinds[1:-1]) <= {"output"}, kinds
        return self._result([event.output for event in events[1:-1]], events[-1].outcome)

    def _result(self, outputs, outcome):
        kind = outcome.WhichOneof("result")
        if kind == "start_failed":
            return Refusal("START_FAILED", outcome.start_failed.message)
        streams = {rpc.exec_.OUTPUT_STREAM_STDOUT: b"", rpc.exec_.OUTPUT_STREAM_STDERR: b""}
        for output in outputs:
            assert output.offset == len(streams[output.stream]), output.offset
            streams[output.stream] += output.data
        stdout, stderr = streams.values()
        assert (outcome.stdout_size, outcome.stderr_size) == (len(stdout), len(stderr)), outcome
        detail = {"exited": (outcome.exited.code,), "signalled": (outcome.signalled.name,)}.get(kind, ())
        return Result((kind, *detail), stdout, stderr)


class RunDoor(TypedDoor):
    """ExecService.Run."""

    def _call(self, request, stdin):
        return self.client.exec.Run(run_request(request, stdin), timeout=rpc.PATIENCE)


class InteractDoor(TypedDoor):
    """ExecService.Interact: standard input comes as a message of its own, and ends with the half-close."""

    def _call(self, request, stdin):
        messages = [rpc.exec_.InteractRequest(start=run_request(request))]
        if stdin:
            messages.append(rpc.exec_.InteractRequest(stdin=stdin))
        return self.client.exec.Interact(iter(messages), timeout=rpc.PATIENCE)


def doors_of(stack, client):
    return [HeaderDoor(stack), FramedDoor(stack), RunDoor(client), InteractDoor(client)]
