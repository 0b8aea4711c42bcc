#!/usr/bin/env python3
"""Runs a shell command over plain sockets, twice: once with its output behind a size, once behind a JSON header."""

import argparse
import json
import socket
import sys

from framing import receive_exactly, receive_sized

OUTPUT_MAX = 64 << 20  # the service's own limit


def run_sized(address, command):
    with socket.create_connection(address, timeout=60) as client:
        # The newline ends the command: however the network cuts or merges the bytes, the service knows where.
        client.sendall(command.encode() + b"\n")
        return receive_sized(client, OUTPUT_MAX)


def run_with_header(address, command):
    with socket.create_connection(address, timeout=60) as client:
        client.sendall(command.encode() + b"\n")
        header = json.loads(receive_sized(client))
        if header["total_size"] > OUTPUT_MAX:
            raise ConnectionError(f"{header['total_size']} bytes of output are not what we expect")
        return header, receive_exactly(client, header["total_size"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", nargs="?", default="uname -sr")
    parser.add_argument("host", nargs="?", default="127.0.0.1")
    parser.add_argument("sized_port", nargs="?", type=int, default=8083)
    parser.add_argument("header_port", nargs="?", type=int, default=8084)
    options = parser.parse_args()
    try:
        body = run_sized((options.host, options.sized_port), options.command)
        print(f"sized: {len(body)} bytes", flush=True)
        header, body = run_with_header((options.host, options.header_port), options.command)
    except OSError as error:
        sys.exit(f"exec_raw: {error}")
    # Standard output comes first, standard error behind it.
    sys.stdout.buffer.write(body[: header["stdout_size"]])
    sys.stderr.buffer.write(body[header["stdout_size"] :])
    if "exit_code" not in header:  # a signal, a time limit, or it could not be started
        sys.exit(f"exec_raw: no exit code: {header}")
    print("exit code:", header["exit_code"])
    sys.exit(header["exit_code"])


if __name__ == "__main__":
    main()
