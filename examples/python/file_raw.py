#!/usr/bin/env python3
"""Uploads a file over a plain socket, downloads it again, and compares the digests."""

import argparse
import hashlib
import os
import socket
import sys

from framing import receive_exactly, receive_json, send_json


def checked(reply):
    if reply["status"] != "ok":
        sys.exit(f"file_raw: {reply['reason']!r}: {reply['message']!r}")  # quoted: a terminal obeys what comes from afar
    return reply


def upload(client, path, name):
    """Returns the file's digest, which the service has compared with what arrived, once all of it is on disk there."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        send_json(client, filename=name, filesize=file.seek(0, os.SEEK_END), sha256=digest)
        client.sendfile(file, offset=0)  # from file to socket within the kernel
    checked(receive_json(client))
    return digest


def download(client, name):
    send_json(client, op="download", filename=name)
    left = checked(receive_json(client))["filesize"]
    digest = hashlib.sha256()
    while left > 0:  # in pieces, so that a large file needs no large memory
        piece = receive_exactly(client, min(left, 65536))
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", default=__file__)
    parser.add_argument("name", nargs="?", help="what the service is to call it")
    parser.add_argument("host", nargs="?", default="127.0.0.1")
    parser.add_argument("port", nargs="?", type=int, default=8090)
    options = parser.parse_args()
    name = options.name or os.path.basename(options.file)
    try:
        with socket.create_connection((options.host, options.port), timeout=60) as client:
            digest = upload(client, options.file, name)
            print("stored:", name, digest)
            if download(client, name) != digest:
                sys.exit("file_raw: other bytes came back")
            print("downloaded: the same bytes")
    except OSError as error:
        sys.exit(f"file_raw: {error}")


if __name__ == "__main__":
    main()
