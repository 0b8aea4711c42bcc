#!/usr/bin/env python3
"""The time over UDP: the datagram is a strftime format, the answer is the time in it."""

import argparse
import socket
import sys

TRIES = 3


def ask(host, port, time_format):
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as client:
        client.settimeout(1)
        client.connect(address)
        for _ in range(TRIES):
            # UDP loses datagrams, theirs and ours, and tells nobody. Asking twice does no harm here, so we ask again.
            client.send(time_format.encode())
            try:
                return client.recv(1024).decode()
            except TimeoutError:
                continue
        raise TimeoutError(f"no answer to {TRIES} datagrams")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host", nargs="?", default="127.0.0.1")
    parser.add_argument("port", nargs="?", type=int, default=9000)
    options = parser.parse_args()
    try:
        print("time:", ask(options.host, options.port, "%Y-%m-%d %H:%M:%S"))
    except OSError as error:
        sys.exit(f"time_raw: {error}")


if __name__ == "__main__":
    main()
