"""Uploads files, each over a connection of its own: file_client.py HOST PORT"""

import json
import os
import socket
import struct
import sys

while True:
    path = input("file to upload> ").strip()
    if path == "quit":
        break
    if not os.path.isfile(path):
        print("no such file")
        continue
    client = socket.socket()
    client.connect((sys.argv[1], int(sys.argv[2])))
    header = json.dumps({"filepath": os.path.dirname(path), "filename": os.path.basename(path),
                         "filesize": os.path.getsize(path)}).encode("utf-8")
    client.send(struct.pack("i", len(header)))
    client.send(header)
    with open(path, "rb") as file:
        while True:
            content = file.read(1024)
            if not content:
                break
            client.send(content)
    client.close()
    print("uploaded", os.path.basename(path))
