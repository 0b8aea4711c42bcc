#!/usr/bin/env python3
"""Lists the services, then follows what happens in them: connections, requests, every read with its size. Until Ctrl-C."""

import argparse
import sys

import grpc
from rawgate.control.v1 import control_service_pb2 as control
from rawgate.control.v1 import control_service_pb2_grpc, state_pb2


def list_services(stub):
    for service in stub.ListServices(control.ListServicesRequest(), timeout=10).services:
        print(service.name, state_pb2.ServiceState.Name(service.state).removeprefix("SERVICE_STATE_"))
        for listener in service.listeners:
            print("  ", listener.name, listener.bound_address or "not bound")


def describe(event):
    kind = event.WhichOneof("kind")
    if kind == "chunk_received":
        # What one recv() of the service returned: send "hello" and "world", and see one chunk or two.
        return f"chunk of {event.chunk_received.size} bytes: {event.chunk_received.sample!r}"
    if kind == "request_served":
        return f"served {event.request_served.summary} {event.request_served.error_code}".rstrip()
    return kind


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gateway", nargs="?", default="127.0.0.1:50051")
    options = parser.parse_args()
    with grpc.insecure_channel(options.gateway) as channel:
        stub = control_service_pb2_grpc.ControlServiceStub(channel)
        list_services(stub)
        # No deadline: this call is meant to last.
        for batch in stub.WatchEvents(control.WatchEventsRequest(include_chunks=True, sample_bytes=32)):
            if batch.positions:
                print("watching", flush=True)  # told first: what happens from now on is not missed
            for event in batch.events:
                print(f"{event.service}/{event.listener} #{event.connection_id}: {describe(event)}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as error:
        sys.exit(f"control_grpc: {error.code().name}: {error.details()}")
    except KeyboardInterrupt:
        pass
