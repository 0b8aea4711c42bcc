"""The methods of the gateway, from the descriptors: which service has them, and whether they may be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rawgate.chat.v1 import chat_service_pb2, chat_service_pb2_grpc
from rawgate.control.v1 import control_service_pb2, control_service_pb2_grpc
from rawgate.echo.v1 import echo_service_pb2, echo_service_pb2_grpc
from rawgate.exec.v1 import exec_service_pb2, exec_service_pb2_grpc
from rawgate.file.v1 import file_service_pb2, file_service_pb2_grpc
from rawgate.time.v1 import time_service_pb2, time_service_pb2_grpc

_FILES: dict[str, Any] = {
    "ChatService": chat_service_pb2, "ControlService": control_service_pb2, "EchoService": echo_service_pb2,
    "ExecService": exec_service_pb2, "FileService": file_service_pb2, "TimeService": time_service_pb2}
_STUBS: dict[str, Any] = {
    "ChatService": chat_service_pb2_grpc.ChatServiceStub, "ControlService": control_service_pb2_grpc.ControlServiceStub,
    "EchoService": echo_service_pb2_grpc.EchoServiceStub, "ExecService": exec_service_pb2_grpc.ExecServiceStub,
    "FileService": file_service_pb2_grpc.FileServiceStub, "TimeService": time_service_pb2_grpc.TimeServiceStub}


@dataclass(frozen=True, slots=True)
class Method:
    """One method of one service."""

    service: str
    name: str
    # As the protos' idempotency_level says: it may be called again when nobody knows whether it was served.
    idempotent: bool


def method(service: str, name: str) -> Method:
    options = _FILES[service].DESCRIPTOR.services_by_name[service].methods_by_name[name].GetOptions()
    return Method(service, name, options.idempotency_level != options.IDEMPOTENCY_UNKNOWN)


class Stubs:
    """All stubs on one channel, blocking or of asyncio."""

    def __init__(self, channel: Any) -> None:
        self._stubs = {service: stub(channel) for service, stub in _STUBS.items()}

    def find(self, wanted: Method) -> Any:
        """What makes calls of the method."""
        return getattr(self._stubs[wanted.service], wanted.name)
