"""Clients that call without a pause and retry as gRPC clients are told to, in a process of their own: in whichever network
that is started. Writes a line of JSON for each call that has ended, and ends with its standard input.

    python3 -m tests.docker.retrying_clients --target 127.0.0.1:50051 --tls FOLDER echo=2 command=2 job=4

clients.py starts it for tests.
"""

import argparse
import itertools
import json
import pathlib
import sys
import threading
import time

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE

import grpc

ATTEMPTS = 5
BACKOFF_S, BACKOFF_MAX_S = 0.1, 1
# Of each caller, between two calls: the processors are wanted by containers that start, too.
PACE_S = 0.01
# What people are told to write: docs of gRPC, "Retry" and "Health checking".
SERVICE_CONFIG = json.dumps({
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": ""},
    "methodConfig": [
        {"name": [{}], "waitForReady": True},
        {"name": [{"service": "rawgate.echo.v1.EchoService", "method": "Echo"}],
         "waitForReady": True,
         "retryPolicy": {"maxAttempts": ATTEMPTS, "initialBackoff": f"{BACKOFF_S}s", "maxBackoff": f"{BACKOFF_MAX_S}s",
                         "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}],
})
# Of the initial metadata of every answer.
INSTANCE_KEY = "rawgate-instance"
# How long a job takes: many are under way whenever a process is told to end.
JOB = "sleep 2; echo done"


class Connection:
    """A channel to the gateway as the user whose token is in the folder of `rawgate init-tls`."""

    def __init__(self, target, tls):
        credentials = grpc.composite_channel_credentials(
            grpc.ssl_channel_credentials((tls / "ca.pem").read_bytes()),
            grpc.access_token_call_credentials((tls / "token").read_text().strip()))
        options = {"grpc.enable_http_proxy": 0, "grpc.use_local_subchannel_pool": 1, "grpc.service_config": SERVICE_CONFIG}
        self.channel = grpc.secure_channel(target, credentials, list(options.items()))
        self.echo = rpc.echo_service_pb2_grpc.EchoServiceStub(self.channel)
        self.exec = rpc.exec_service_pb2_grpc.ExecServiceStub(self.channel)
        self.file = rpc.file_service_pb2_grpc.FileServiceStub(self.channel)


def instance_of(call):
    """Of the process that answered."""
    return dict(call.initial_metadata())[INSTANCE_KEY]


def echo(connection, number):
    """Tried again by the library."""
    payload = b"call %d" % number
    response, call = connection.echo.Echo.with_call(rpc.echo.EchoRequest(payload=payload), timeout=PATIENCE)
    assert response.payload == payload.upper(), response
    return instance_of(call)


def command(connection, number):
    """One that may run twice, so that it is tried again whatever had become of it."""
    return run(connection, f"echo {number}", f"{number}\n", again_once_started=True)


def job(connection, _):
    """One that takes its time, and must not be run again once it runs."""
    return run(connection, JOB, "done\n", again_once_started=False)


def run(connection, text, expected, again_once_started):
    """A stream is not for the library to try again: 1.51.1 may lose a message of it."""
    backoff = BACKOFF_S
    for attempt in itertools.count(1):
        call = connection.exec.Run(rpc.exec_.RunRequest(shell_command=text), timeout=PATIENCE)
        events = []
        try:
            events.extend(call)
            break
        except grpc.RpcError as error:
            lost = bool(events) and not again_once_started
            if lost or attempt == ATTEMPTS or error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
        # As the policy above has it.
        time.sleep(backoff)
        backoff = min(2 * backoff, BACKOFF_MAX_S)
    output = b"".join(event.output.data for event in events).decode()
    assert output == expected and events[-1].outcome.exited.code == 0, events
    return instance_of(call)


class Caller:
    """One client on a thread and a channel of its own."""

    def __init__(self, name, call, connection, tell):
        self.name, self.call, self.connection, self.tell = name, call, connection, tell
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.stopping = threading.Event()
        self.thread.start()

    def run(self):
        number = 0
        while not self.stopping.wait(PACE_S):
            number += 1
            record = {"caller": self.name, "instance": None, "failure": None}
            try:
                record["instance"] = self.call(self.connection, number)
            except (grpc.RpcError, AssertionError, KeyError) as error:
                record["failure"] = f"{self.name}, call {number}: {error!r}"
            self.tell(record)

    def stop(self):
        self.stopping.set()
        self.thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", required=True, help="of the gateway, as gRPC has it")
    parser.add_argument("--tls", type=pathlib.Path, required=True, help="folder of `rawgate init-tls`")
    parser.add_argument("kinds", nargs="+", metavar="KIND=NUMBER", help="echo, command, job: how many callers of each")
    options = parser.parse_args()
    lock = threading.Lock()

    def tell(record):
        with lock:
            print(json.dumps(record), flush=True)

    calls = {"echo": echo, "command": command, "job": job}
    wanted = [(kind, int(number)) for kind, number in (each.split("=") for each in options.kinds)]
    callers = [Caller(f"{kind}-{index}", calls[kind], Connection(options.target, options.tls), tell)
               for kind, number in wanted for index in range(number)]
    sys.stdin.read()
    for caller in callers:
        caller.stop()


if __name__ == "__main__":
    main()
