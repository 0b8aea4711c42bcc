#!/usr/bin/env python3
"""echo through the gateway: one call, then a conversation on one stream."""

import argparse
import sys

import grpc
from rawgate.echo.v1 import echo_service_pb2 as echo
from rawgate.echo.v1 import echo_service_pb2_grpc


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gateway", nargs="?", default="127.0.0.1:50051")
    options = parser.parse_args()
    with grpc.insecure_channel(options.gateway) as channel:
        stub = echo_service_pb2_grpc.EchoServiceStub(channel)

        # A call without a deadline may wait for ever.
        response = stub.Echo(echo.EchoRequest(payload=b"hello"), timeout=10)
        print("echo:", response.payload.decode())

        # Requests are taken from the iterator as they can be sent; when it ends, our side of the stream does.
        requests = (echo.ConverseRequest(payload=word) for word in (b"one", b"two", b"three"))
        for response in stub.Converse(requests, timeout=10):
            print("converse:", response.payload.decode())


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as error:
        sys.exit(f"echo_grpc: {error.code().name}: {error.details()}")
