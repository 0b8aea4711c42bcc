"""A server of files as textbooks have it. What rawgate-file is measured against. Takes a folder; prints its port.

A thread for each connection, 1 KiB at a time, and nothing that makes a file durable. Speaks as much of
services/file/PROTOCOL.md as the loads send.
"""

import json
import os
import socketserver
import struct
import sys


class FileHandler(socketserver.BaseRequestHandler):
    def handle(self):
        while prefix := self.request.recv(4):
            request = json.loads(self.request.recv(struct.unpack("<i", prefix)[0]))
            path = os.path.join(self.server.folder, request["filename"])
            if request.get("op") == "download":
                self.send_file(path)
            else:
                self.receive_file(path, request["filesize"])

    def receive_file(self, path, size):
        received = 0
        with open(path, "wb") as file:
            while received < size:
                data = self.request.recv(1024)
                file.write(data)
                received += len(data)
        self.reply({"status": "ok"})

    def send_file(self, path):
        size = os.path.getsize(path)
        self.reply({"status": "ok", "filesize": size, "total_size": size})
        with open(path, "rb") as file:
            while data := file.read(1024):
                self.request.sendall(data)

    def reply(self, fields):
        header = json.dumps(fields, separators=(",", ":")).encode()
        self.request.sendall(struct.pack("<i", len(header)) + header)


class FileServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), FileHandler)
        self.folder = folder


if __name__ == "__main__":
    with FileServer(sys.argv[1]) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
