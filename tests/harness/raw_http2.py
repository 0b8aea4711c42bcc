"""A client that puts HTTP/2 frames on the wire as it likes, where gRPC's own would not. Needs python3-h2's libraries
for headers (hpack) and frames (hyperframe)."""

import socket
import struct

import hpack
from hyperframe import frame as frames

from tests.harness.deadlines import PATIENCE

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
ECHO = "/rawgate.echo.v1.EchoService/Echo"
EMPTY_MESSAGE = bytes(5)
CANCEL = 8
# linux/in6.h
_IPV6_FREEBIND = 78


def request(path=ECHO, **changed):
    """Headers of a call; a name of `changed` has `_` for `-`, and None takes it away."""
    headers = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "x", "te": "trailers",
               "content-type": "application/grpc"}
    for name, value in changed.items():
        headers[{"method": ":method", "scheme": ":scheme", "authority": ":authority"}.get(name, name.replace("_", "-"))] = value
    return [(name, value) for name, value in headers.items() if value is not None]


def raw_frame(kind, flags, stream, payload=b"", length=None):
    """Any frame, with a length that may be a lie."""
    size = struct.pack(">I", len(payload) if length is None else length)[1:]
    return size + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A literal header field without indexing and with a new name (RFC 7541, 6.2.2), of any bytes."""
    def text(data):
        return hpack.hpack.encode_integer(len(data), 7) + data
    return bytes(b"\0" + text(name) + text(value))


class RawHttp2:
    """One connection. Close it, or use it in `with`."""

    def __init__(self, address, settings=None, acknowledge=True, preface=True, source=None):
        self.socket = socket.socket(self._family(address))
        self.socket.settimeout(PATIENCE)
        if source is not None:
            if self.socket.family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
            self.socket.bind(source)
        self.socket.connect(address)
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder()
        self.unread = b""
        if preface:
            self.send(PREFACE, frames.SettingsFrame(0, settings=settings or {}))
        if preface and acknowledge:
            self.send(frames.SettingsFrame(0, flags=["ACK"]))

    @staticmethod
    def _family(address):
        if isinstance(address, str):
            return socket.AF_UNIX
        return socket.AF_INET6 if ":" in address[0] else socket.AF_INET

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *parts):
        self.socket.sendall(b"".join(part if isinstance(part, bytes) else part.serialize() for part in parts))

    def headers(self, stream, headers, end_stream=False):
        flags = ["END_HEADERS"] + ["END_STREAM"] * end_stream
        return frames.HeadersFrame(stream, self.encoder.encode(headers), flags=flags)

    def call(self, stream, headers=None, message=EMPTY_MESSAGE):
        """A whole unary call's frames."""
        return (self.headers(stream, headers or request()).serialize()
                + frames.DataFrame(stream, message, flags=["END_STREAM"]).serialize())

    def read_frame(self):
        """The next frame; None when the connection has ended, in whatever way."""
        while True:
            if len(self.unread) >= 9:
                head, length = frames.Frame.parse_frame_header(memoryview(self.unread[:9]))
                if len(self.unread) >= 9 + length:
                    head.parse_body(memoryview(self.unread[9:9 + length]))
                    self.unread = self.unread[9 + length:]
                    return head
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionError:
                return None
            if not data:
                return None
            self.unread += data

    def read_answer(self, stream):
        """All headers and trailers of a stream, as one dictionary, once it has ended; None when the connection ends or
        the stream is reset first."""
        headers = {}
        while (read := self.read_frame()) is not None:
            if isinstance(read, frames.HeadersFrame):
                # The decoder has to see all of them.
                fields = dict(self.decoder.decode(read.data))
                if read.stream_id == stream:
                    headers.update(fields)
            if read.stream_id == stream:
                if isinstance(read, frames.RstStreamFrame):
                    return headers or None
                if "END_STREAM" in read.flags:
                    return headers
        return None

    def flood(self, chunk, size):
        """Sends `chunk`, or what chunk() makes, until that many bytes are sent or the server has closed: whether it has.
        Nothing is read."""
        sent = 0
        try:
            while sent < size:
                data = chunk() if callable(chunk) else chunk
                self.socket.sendall(data)
                sent += len(data)
        except ConnectionError:
            return True
        return self.is_closed()

    def is_closed(self):
        """Whether the server ends the connection, whatever it says before; waits for that."""
        try:
            while self.read_frame() is not None:
                pass
            return True
        except TimeoutError:
            return False
