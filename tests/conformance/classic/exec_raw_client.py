"""Runs commands elsewhere: exec_raw_client.py HOST PORT"""

import socket
import sys

client = socket.socket()
client.connect((sys.argv[1], int(sys.argv[2])))

while True:
    command = input("command> ")
    if command == "":
        continue
    if command == "quit":
        break
    client.send(command.encode("utf-8"))
    print(client.recv(1024).decode("utf-8"), end="")
client.close()
