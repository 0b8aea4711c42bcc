#!/usr/bin/env python3
"""The time through the gateway, and how far our clock is from the service's."""

import argparse
import sys
import time

import grpc
from rawgate.time.v1 import time_service_pb2, time_service_pb2_grpc

SAMPLES = 8


def seconds(timestamp):
    return timestamp.seconds + timestamp.nanos / 1e9


def sample(stub):
    """One exchange: what was answered, and (delay, offset) as NTP computes them (RFC 5905 section 8)."""
    sent = time.time()
    response = stub.GetTime(time_service_pb2.GetTimeRequest(format="%Y-%m-%d %H:%M:%S"), timeout=10)
    received = time.time()
    there_from, there_until = seconds(response.server_receive_time), seconds(response.server_send_time)
    delay = (received - sent) - (there_until - there_from)
    offset = ((there_from - sent) + (there_until - received)) / 2
    return response, (delay, offset)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gateway", nargs="?", default="127.0.0.1:50051")
    options = parser.parse_args()
    with grpc.insecure_channel(options.gateway) as channel:
        stub = time_service_pb2_grpc.TimeServiceStub(channel)
        samples = [sample(stub) for _ in range(SAMPLES)]
    # The exchange that was under way for the shortest time has the least room for error: half its delay.
    delay, offset = min(measured for _, measured in samples)
    print("time:", samples[-1][0].formatted)
    print(f"offset: {offset * 1e3:+.3f} ms, give or take {delay * 1e3 / 2:.3f} ms")


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as error:
        sys.exit(f"time_grpc: {error.code().name}: {error.details()}")
