#!/usr/bin/env python3
"""Runs a shell command through the gateway: output as it comes, and the command's exit code as our own."""

import argparse
import sys

import grpc
from google.protobuf.duration_pb2 import Duration
from rawgate.exec.v1 import exec_service_pb2, exec_service_pb2_grpc, output_pb2


def run(stub, command):
    request = exec_service_pb2.RunRequest(shell_command=command, timeout=Duration(seconds=60))
    # Should we end early, so does the call, and with it the command.
    for response in stub.Run(request, timeout=70):
        kind = response.WhichOneof("event")
        if kind == "started":
            print("started:", response.started.job_id, file=sys.stderr)
        elif kind == "output":
            is_error = response.output.stream == output_pb2.OUTPUT_STREAM_STDERR
            stream = sys.stderr.buffer if is_error else sys.stdout.buffer
            stream.write(response.output.data)
            stream.flush()  # or a pipe would see it at the end only
        elif kind == "outcome":
            if response.outcome.HasField("exited"):
                return response.outcome.exited.code
            sys.exit(f"exec_grpc: no exit code: {response.outcome.WhichOneof('result')}")
    # Never take the absence of bad news for success.
    sys.exit("exec_grpc: the stream ended without an outcome")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", nargs="?", default="uname -sr")
    parser.add_argument("gateway", nargs="?", default="127.0.0.1:50051")
    options = parser.parse_args()
    with grpc.insecure_channel(options.gateway) as channel:
        sys.exit(run(exec_service_pb2_grpc.ExecServiceStub(channel), options.command))


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as error:
        sys.exit(f"exec_grpc: {error.code().name}: {error.details()}")
