"""A server of commands as textbooks have it. What rawgate-exec is measured against. Prints its port.

One recv is one command; the size of the reply is sent, and then the reply.
"""

import socketserver
import struct
import subprocess


class CommandHandler(socketserver.BaseRequestHandler):
    def handle(self):
        while command := self.request.recv(1024):
            done = subprocess.run(command.decode(), shell=True, stdin=subprocess.DEVNULL, capture_output=True)
            reply = done.stdout + done.stderr
            self.request.send(struct.pack("<i", len(reply)))
            self.request.send(reply)


class CommandServer(socketserver.ThreadingTCPServer):
    # More than the usual 5, so that what is measured is commands, and not connections that are tried again.
    request_queue_size = 128


if __name__ == "__main__":
    with CommandServer(("127.0.0.1", 0), CommandHandler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
