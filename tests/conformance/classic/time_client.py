"""Asks a time server again and again: time_client.py HOST PORT"""

import socket
import sys

server = (sys.argv[1], int(sys.argv[2]))
client = socket.socket(socket.AF_INET6 if ":" in server[0] else socket.AF_INET, socket.SOCK_DGRAM)

while True:
    wanted = input("Format (enter for the default, quit to leave): ")
    if wanted == "quit":
        break
    client.sendto(wanted.encode(), server)
    answer, _ = client.recvfrom(1024)
    print("Server time:", answer.decode())
client.close()
