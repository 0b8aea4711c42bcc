"""Talks to a desk: chat_client.py HOST PORT"""

import socket
import sys
import threading

desk = (sys.argv[1], int(sys.argv[2]))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.bind(("", 0))


def receive():
    while True:
        message, sender = client.recvfrom(4096)
        print(f"\n{sender[0]}:{sender[1]} says: {message.decode('utf-8')}")


threading.Thread(target=receive, daemon=True).start()

while True:
    text = input("you: ")
    if text == "exit":
        break
    client.sendto(text.encode("utf-8"), desk)
client.close()
