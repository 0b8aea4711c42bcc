"""Greets a UDP server: greeting_client.py HOST PORT"""

import socket
import sys

client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    text = input("say: ")
    if text == "quit":
        break
    client.sendto(text.encode(), (sys.argv[1], int(sys.argv[2])))
    print("server says:", client.recv(1024).decode())
