"""Where a message ends: exec and file put its size, 4 bytes, little-endian, in front of it."""

import json
import struct

SIZE_MAX = 1 << 20


def receive_exactly(client, size):
    """The next `size` bytes. TCP is a stream without borders: one recv() may return a part of what was sent, so we
    ask again until all is there. b"" means that the other side has closed, and no more will ever come."""
    data = bytearray()
    while len(data) < size:
        piece = client.recv(min(size - len(data), 65536))
        if not piece:
            raise ConnectionError(f"the stream ended after {len(data)} of {size} bytes")
        data += piece
    return bytes(data)


def receive_sized(client, size_max=SIZE_MAX):
    """A message behind its size. The 4 bytes may come in pieces too, and what a stranger says about sizes is checked."""
    (size,) = struct.unpack("<i", receive_exactly(client, 4))
    if not 0 <= size <= size_max:
        raise ConnectionError(f"a message of {size} bytes is not what we expect")
    return receive_exactly(client, size)


def send_json(client, **fields):
    """sendall(), since send() may take a part only."""
    text = json.dumps(fields).encode()
    client.sendall(struct.pack("<i", len(text)) + text)


def receive_json(client):
    return json.loads(receive_sized(client))
