"""Sends lines and prints what comes back: echo_client.py HOST PORT"""

import socket
import sys

client = socket.create_connection((sys.argv[1], int(sys.argv[2])))

while True:
    message = input(">> ").strip()
    if not message:
        continue
    if message == "quit":
        break
    client.send(message.encode())
    print("<<", client.recv(1024).decode())
client.close()
