"""Runs commands elsewhere and checks what comes back: exec_header_client.py HOST PORT"""

import hashlib
import json
import socket
import struct
import sys

client = socket.socket()
client.connect((sys.argv[1], int(sys.argv[2])))

while True:
    command = input("command> ").strip()
    if not command:
        continue
    if command == "quit":
        break
    client.send(command.encode("utf-8"))
    header_size = struct.unpack("i", client.recv(4))[0]
    header = json.loads(client.recv(header_size).decode("utf-8"))
    body = b""
    while len(body) < header["total_size"]:
        body += client.recv(1024)
    print(body.decode("utf-8"), end="")
    print("md5 is right" if hashlib.md5(body).hexdigest() == header["md5"] else "md5 IS WRONG")
client.close()
