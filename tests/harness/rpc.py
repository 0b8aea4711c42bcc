"""Typed access for tests: channels, one stub for each service, and what an error says. Needs python3-grpcio and the
stubs that the build generates (RAWGATE_STUB_DIR)."""

import os
import sys
import types

from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.program import REPOSITORY

sys.path.insert(0, os.environ.get("RAWGATE_STUB_DIR", str(REPOSITORY / "build/release/tests/python")))

# pylint: disable=wrong-import-position
import grpc
from google.bytestream import bytestream_pb2, bytestream_pb2_grpc
from google.rpc import error_details_pb2, status_pb2
from rawgate.chat.v1 import chat_service_pb2, chat_service_pb2_grpc
from rawgate.control.v1 import control_service_pb2, control_service_pb2_grpc, event_pb2, fault_pb2, state_pb2
from rawgate.echo.v1 import echo_service_pb2, echo_service_pb2_grpc
from rawgate.exec.v1 import command_pb2, exec_service_pb2, exec_service_pb2_grpc, job_pb2, outcome_pb2, output_pb2
from rawgate.file.v1 import file_info_pb2, file_service_pb2, file_service_pb2_grpc, upload_pb2
from rawgate.time.v1 import test_clock_pb2, time_service_pb2, time_service_pb2_grpc

# The messages of each area.
control = types.SimpleNamespace(**{**vars(state_pb2), **vars(event_pb2), **vars(fault_pb2), **vars(control_service_pb2)})
echo = echo_service_pb2
exec_ = types.SimpleNamespace(**{**vars(command_pb2), **vars(output_pb2), **vars(outcome_pb2), **vars(job_pb2),
                                  **vars(exec_service_pb2)})
time = types.SimpleNamespace(**{**vars(test_clock_pb2), **vars(time_service_pb2)})
file = types.SimpleNamespace(**{**vars(file_info_pb2), **vars(upload_pb2), **vars(file_service_pb2)})
chat = chat_service_pb2
bytestream = bytestream_pb2


class Client:
    """A channel to one target and a stub for each service on it."""

    def __init__(self, target, options=()):
        self.channel = grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0), *dict(options).items()])
        self.control = control_service_pb2_grpc.ControlServiceStub(self.channel)
        self.echo = echo_service_pb2_grpc.EchoServiceStub(self.channel)
        self.exec = exec_service_pb2_grpc.ExecServiceStub(self.channel)
        self.time = time_service_pb2_grpc.TimeServiceStub(self.channel)
        self.file = file_service_pb2_grpc.FileServiceStub(self.channel)
        self.chat = chat_service_pb2_grpc.ChatServiceStub(self.channel)
        self.bytestream = bytestream_pb2_grpc.ByteStreamStub(self.channel)

    def close(self):
        self.channel.close()

    def service(self, name):
        """The service's present state and counters."""
        request = control.GetServiceRequest(service=name)
        return self.control.GetService(request, timeout=PATIENCE).service

    def listener(self, service, name):
        return next(entry for entry in self.service(service).listeners if entry.name == name)

    def stop(self, service, listener="", **grace):
        request = control.StopServiceRequest(service=service, listener=listener)
        if grace:
            request.grace.FromMilliseconds(grace["grace_ms"])
        return self.control.StopService(request, timeout=PATIENCE).service

    def start(self, service, listener=""):
        request = control.StartServiceRequest(service=service, listener=listener)
        return self.control.StartService(request, timeout=PATIENCE).service


def client_of(stack):
    """A client of the stack's gateway, once that has met every service. Close it after use."""
    client = Client(stack.gateway_target)
    request = control.ListServicesRequest()
    wait_until(lambda: all(service.state == control.SERVICE_STATE_RUNNING
                           for service in client.control.ListServices(request, timeout=PATIENCE).services),
               "every service reported as running")
    return client


def error_of(call, *arguments, **options):
    """Makes a call that must fail and returns (code, reason, all details by type name). Server streams are read."""
    options.setdefault("timeout", PATIENCE)
    try:
        result = call(*arguments, **options)
        if hasattr(result, "__next__"):
            result = list(result)
    except grpc.RpcError as error:
        return error.code(), *reason_and_details(error)
    raise AssertionError(f"the call succeeded: {result!r}")


def reason_and_details(error):
    """The ErrorInfo every error of ours carries, exactly once and under our domain, and the other details."""
    packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    if packed is None:
        raise AssertionError(f"an error without details: {error.code()} {error.details()}")
    status = status_pb2.Status.FromString(packed)
    assert status.code == error.code().value[0], (status, error)
    details = {}
    for detail in status.details:
        name = detail.TypeName()
        assert name not in details, f"two {name} in {status}"
        kind = getattr(error_details_pb2, name.rpartition(".")[2])
        details[name] = kind.FromString(detail.value)
    info = details["google.rpc.ErrorInfo"]
    assert info.domain == "rawgate", info
    return info.reason, details
