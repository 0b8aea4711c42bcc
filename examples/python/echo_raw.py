#!/usr/bin/env python3
"""echo over plain sockets: upper case over TCP, a greeting over UDP."""

import argparse
import socket
import sys


def echo_over_tcp(host, port, message):
    with socket.create_connection((host, port), timeout=10) as client:
        client.sendall(message)
        # "I send no more": the service answers all that it has, then ends the stream as well. Without this both sides
        # would wait for each other.
        client.shutdown(socket.SHUT_WR)
        answer = b""
        # One recv() returns what has come so far, maybe less than was sent, so we read until the end: b"".
        while piece := client.recv(4096):
            answer += piece
        return answer


def ask_over_udp(host, port, message):
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as client:
        client.settimeout(10)
        # Nothing is sent by connect(); but answers come from this address only, and we are told when nobody is there.
        client.connect(address)
        client.send(message)
        return client.recv(65535)  # a datagram is whole, or it does not come at all


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host", nargs="?", default="127.0.0.1")
    parser.add_argument("port", nargs="?", type=int, default=8080)
    options = parser.parse_args()
    try:
        print("tcp:", echo_over_tcp(options.host, options.port, b"hello").decode())
        print("udp:", ask_over_udp(options.host, options.port, b"hello").decode())
    except OSError as error:
        sys.exit(f"echo_raw: {error}")


if __name__ == "__main__":
    main()
