"""Requests that show how a method is called. They are of the contract, and every one is sent to a gateway by a test."""

import base64
import json
import shlex

# By field, whatever its message.
_FIELDS = {
    "payload": b"hello", "format": "%H:%M", "time_zone": "Asia/Tokyo", "service": "echo", "filename": "notes/first.txt",
    "new_filename": "notes/moved.txt", "folder": "notes", "job_id": "JOB", "session_id": "127.0.0.1:40312", "body": b"hello",
    "upload_id": "my-upload", "connection_id": 7, "signal": "SIGNAL_TERM", "resource_name": "notes/first.txt",
}
# By message, where those do not fit or do not do.
_MESSAGES = {
    "rawgate.file.v1.CreateUploadRequest": {"uploadId": "my-upload", "filename": "notes/first.txt", "size": 5},
    "rawgate.file.v1.WriteChunkRequest": {"uploadId": "my-upload", "offset": 0, "data": b"hello"},
    "rawgate.exec.v1.WriteStdinRequest": {"jobId": "JOB", "data": b"hello", "end": True},
    "rawgate.exec.v1.ResizeTerminalRequest": {"jobId": "JOB", "size": {"rows": 24, "columns": 80}},
    "rawgate.exec.v1.RunRequest": {"shellCommand": "uname -a"},
    "rawgate.exec.v1.ListJobsRequest": {"runningOnly": True},
    "rawgate.chat.v1.ListMessagesRequest": {},
    "rawgate.chat.v1.WatchMessagesRequest": {},
    "rawgate.control.v1.StopServiceRequest": {"service": "echo", "grace": "1s"},
    "rawgate.control.v1.SetFaultsRequest": {"service": "echo", "listener": "tcp", "faults": {"failFirst": 1}},
    "rawgate.control.v1.WatchEventsRequest": {"services": ["echo"], "includeChunks": True},
    "rawgate.time.v1.SetTestClockRequest": {"testClock": {"offset": "3600s"}},
    "rawgate.time.v1.WatchTimeRequest": {"interval": "1s"},
}


def request(message):
    """Field names of JSON and values; bytes as they are."""
    if message.full_name in _MESSAGES:
        return _MESSAGES[message.full_name]
    return {_json_name(field.name): _FIELDS[field.name] for field in message.fields
            if field.name in _FIELDS and not field.repeated}


def as_json(value):
    """For HTTP."""
    return json.dumps(_plain(value), separators=(",", ":"))


def as_words(value, prefix=""):
    """For `rawgate call`."""
    words = []
    for name, each in value.items():
        path = f"{prefix}{_snake(name)}"
        if isinstance(each, dict):
            words += as_words(each, f"{path}.")
        else:
            words += [f"{path}={_word(item)}" for item in (each if isinstance(each, list) else [each])]
    return words


def curl(method, message, port=8088):
    body = shlex.quote(as_json(request(message)))
    return (f"curl -H 'content-type: application/json' -d {body} \\\n"
            f"  http://127.0.0.1:{port}/{method.service}/{method.name}")


def call(method, message):
    words = " ".join(shlex.quote(word) for word in as_words(request(message)))
    return f"rawgate call {method.short_service}/{method.name} {words}".rstrip()


def _plain(value):
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return {name: _plain(each) for name, each in value.items()} if isinstance(value, dict) else value


def _word(value):
    if isinstance(value, bytes):
        return value.decode()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json_name(name):
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _snake(name):
    return "".join(f"_{character.lower()}" if character.isupper() else character for character in name)
