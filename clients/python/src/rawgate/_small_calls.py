"""Flows of one call each, or of one for each page."""

from __future__ import annotations

import time as clock
import uuid
from dataclasses import fields
from datetime import timedelta
from typing import Any, TypeVar

from rawgate._convert import from_proto, hints, seconds_of, to_proto, value_of
from rawgate._flow import Emit, Flow, Items, call
from rawgate._methods import Method, method
from rawgate._retry import How
from rawgate.chat.v1 import chat_service_pb2 as chat_pb
from rawgate.clock import TimeReading
from rawgate.control.v1 import control_service_pb2 as control_pb
from rawgate.conversations import Message, Sent, Session
from rawgate.echo.v1 import echo_service_pb2 as echo_pb
from rawgate.errors import NotFound
from rawgate.faults import Faults
from rawgate.file.v1 import file_service_pb2 as file_pb
from rawgate.file.v1 import upload_pb2 as upload_pb
from rawgate.states import Connection, Service
from rawgate.stored import FileInfo, StoreLimits, UnfinishedUpload
from rawgate.time.v1 import time_service_pb2 as time_pb

T = TypeVar("T")

_ECHO = method("EchoService", "Echo")
_GET_TIME = method("TimeService", "GetTime")
_STAT_FILE = method("FileService", "StatFile")
_LIST_FILES = method("FileService", "ListFiles")
_DELETE_FILE = method("FileService", "DeleteFile")
_MOVE_FILE = method("FileService", "MoveFile")
_FILE_LIMITS = method("FileService", "GetLimits")
_LIST_UPLOADS = method("FileService", "ListUploads")
_LIST_SESSIONS = method("ChatService", "ListSessions")
_LIST_MESSAGES = method("ChatService", "ListMessages")
_SEND_MESSAGE = method("ChatService", "SendMessage")
_LIST_SERVICES = method("ControlService", "ListServices")
_GET_SERVICE = method("ControlService", "GetService")
_START_SERVICE = method("ControlService", "StartService")
_STOP_SERVICE = method("ControlService", "StopService")
_LIST_CONNECTIONS = method("ControlService", "ListConnections")
_CLOSE_CONNECTION = method("ControlService", "CloseConnection")
_SET_FAULTS = method("ControlService", "SetFaults")


def pages(listing: Method, request: Any, rows: str, kind: type[Any], how: How) -> Items:
    """The rows of all pages, each page asked for when it is wanted."""
    while True:
        page = yield from call(listing, request, how)
        for row in getattr(page, rows):
            yield Emit(from_proto(kind, row))
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def echo(data: bytes, transform: Any, how: How) -> Flow[bytes]:
    response = yield from call(_ECHO, echo_pb.EchoRequest(payload=data, transform=transform), how)
    return bytes(response.payload)


def read_time(format_: str, zone: str, how: How) -> Flow[TimeReading]:
    request = time_pb.GetTimeRequest(format=format_, time_zone=zone)
    # Of the attempt that is answered.
    response = yield from call(_GET_TIME, request, how, lambda: request.client_send_time.FromNanoseconds(clock.time_ns()))
    received = clock.time()
    sent = seconds_of(response.client_send_time)
    server_received, server_sent = map(seconds_of, (response.server_receive_time, response.server_send_time))
    told = {each.name: value_of(hints(TimeReading)[each.name], each.name, response)
            for each in fields(TimeReading) if each.name not in ("offset", "delay")}
    return TimeReading(**told, offset=((server_received - sent) + (server_sent - received)) / 2,
                       delay=(received - sent) - (server_sent - server_received))


def stat_file(name: str, with_sha256: bool, how: How) -> Flow[FileInfo]:
    response = yield from call(_STAT_FILE, file_pb.StatFileRequest(filename=name, with_sha256=with_sha256), how)
    return from_proto(FileInfo, response.file)


def list_files(folder: str, how: How) -> Items:
    return pages(_LIST_FILES, file_pb.ListFilesRequest(folder=folder, page_size=1000), "files", FileInfo, how)


def list_uploads(how: How) -> Items:
    return pages(_LIST_UPLOADS, upload_pb.ListUploadsRequest(page_size=1000), "uploads", UnfinishedUpload, how)


def delete_file(name: str, missing_ok: bool, how: How) -> Flow[None]:
    try:
        yield from call(_DELETE_FILE, file_pb.DeleteFileRequest(filename=name), how)
    except NotFound as error:
        if not missing_ok or error.reason != "FILE_NOT_FOUND":
            raise


def move_file(name: str, new_name: str, if_absent: bool, how: How) -> Flow[FileInfo]:
    request = file_pb.MoveFileRequest(filename=name, new_filename=new_name, if_absent=if_absent)
    response = yield from call(_MOVE_FILE, request, how)
    return from_proto(FileInfo, response.file)


def store_limits(how: How) -> Flow[StoreLimits]:
    response = yield from call(_FILE_LIMITS, file_pb.GetLimitsRequest(), how)
    return from_proto(StoreLimits, response)


def list_sessions(how: How) -> Items:
    return pages(_LIST_SESSIONS, chat_pb.ListSessionsRequest(page_size=1000), "sessions", Session, how)


def list_messages(session: str, how: How) -> Items:
    return pages(_LIST_MESSAGES, chat_pb.ListMessagesRequest(session_id=session, page_size=1000), "messages", Message, how)


def send_message(session: str | None, body: bytes, operator_name: str, request_id: str | None, how: How) -> Flow[Sent]:
    """To everybody when `session` is None. With its request_id a repeated call sends nothing twice."""
    request = chat_pb.SendMessageRequest(body=body, operator_name=operator_name, request_id=request_id or uuid.uuid4().hex)
    if session is None:
        request.all_sessions = True
    else:
        request.session_id = session
    response = yield from call(Method(_SEND_MESSAGE.service, _SEND_MESSAGE.name, idempotent=True), request, how)
    return from_proto(Sent, response)


def list_services(how: How) -> Flow[tuple[Service, ...]]:
    response = yield from call(_LIST_SERVICES, control_pb.ListServicesRequest(), how)
    return tuple(from_proto(Service, each) for each in response.services)


def get_service(name: str, instance: str, how: How) -> Flow[Service]:
    response = yield from call(_GET_SERVICE, control_pb.GetServiceRequest(service=name, instance=instance), how)
    return from_proto(Service, response.service)


def start_service(name: str, listener: str, instance: str, how: How) -> Flow[Service]:
    request = control_pb.StartServiceRequest(service=name, listener=listener, instance=instance)
    response = yield from call(_START_SERVICE, request, how)
    return from_proto(Service, response.service)


def stop_service(name: str, listener: str, instance: str, grace: float | None, how: How) -> Flow[Service]:
    request = control_pb.StopServiceRequest(service=name, listener=listener, instance=instance)
    if grace is not None:
        request.grace.FromTimedelta(timedelta(seconds=grace))
    response = yield from call(_STOP_SERVICE, request, how)
    return from_proto(Service, response.service)


def list_connections(service: str, how: How) -> Items:
    request = control_pb.ListConnectionsRequest(service=service, page_size=1000)
    return pages(_LIST_CONNECTIONS, request, "connections", Connection, how)


def close_connection(service: str, connection_id: int, instance: str, how: How) -> Flow[None]:
    request = control_pb.CloseConnectionRequest(service=service, connection_id=connection_id, instance=instance)
    yield from call(_CLOSE_CONNECTION, request, how)


def set_faults(service: str, listener: str, instance: str, faults: Faults | None, how: How) -> Flow[Service]:
    request = control_pb.SetFaultsRequest(service=service, listener=listener, instance=instance)
    if faults is not None:
        to_proto(faults, request.faults)
    response = yield from call(_SET_FAULTS, request, how)
    return from_proto(Service, response.service)
