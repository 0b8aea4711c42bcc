#!/usr/bin/env python3
"""Writes to the desk over UDP and prints the first answer, which a person may take a minute to write."""

import argparse
import socket
import sys


def ask(host, port, text):
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    # Our address and port are our session: the answer comes to this socket, so it stays open.
    with socket.socket(family, kind) as client:
        client.settimeout(60)
        client.connect(address)
        client.send(text.encode())
        return client.recv(4096)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", nargs="?", default="is anybody there? 你好")
    parser.add_argument("host", nargs="?", default="127.0.0.1")
    parser.add_argument("port", nargs="?", type=int, default=8081)
    options = parser.parse_args()
    try:
        answer = ask(options.host, options.port, options.text)
    except OSError as error:
        sys.exit(f"chat_raw: {error}")
    # Quoted: bytes from the network are not let loose on the terminal.
    print("answer:", repr(answer.decode(errors="replace")))


if __name__ == "__main__":
    main()
