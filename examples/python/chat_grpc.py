#!/usr/bin/env python3
"""An operator who answers everybody once: "hello". Until Ctrl-C."""

import argparse
import sys

import grpc
from rawgate.chat.v1 import chat_service_pb2 as chat
from rawgate.chat.v1 import chat_service_pb2_grpc


def answer(stub, session_id):
    # A repeated request_id sends nothing: that is how everybody gets one answer, also from an operator who comes back.
    request = chat.SendMessageRequest(session_id=session_id, body=b"hello", request_id=f"hello {session_id}")
    stub.SendMessage(request, timeout=10)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gateway", nargs="?", default="127.0.0.1:50051")
    options = parser.parse_args()
    with grpc.insecure_channel(options.gateway) as channel:
        stub = chat_service_pb2_grpc.ChatServiceStub(channel)
        # What is kept comes first, then what is written while we watch.
        for response in stub.WatchMessages(chat.WatchMessagesRequest()):
            if response.HasField("caught_up"):
                print("waiting", flush=True)
            elif response.message.direction == chat.DIRECTION_INBOUND:
                text = response.message.body.decode(errors="replace")
                print(f"{response.message.session_id}: {text!r}", flush=True)  # quoted: it may hold escape sequences
                answer(stub, response.message.session_id)


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as error:
        sys.exit(f"chat_grpc: {error.code().name}: {error.details()}")
    except KeyboardInterrupt:
        pass
