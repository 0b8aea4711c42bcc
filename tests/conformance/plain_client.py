"""The little that every socket client ends up writing. TCP keeps no message boundaries: one send() may arrive in
pieces and two may arrive merged, so a reader loops until it has what the protocol says is coming."""

import itertools
import os
import socket
import struct

# No test should hang for ever; nothing here takes anywhere near as long.
TIMEOUT = 60


def connect(address):
    """A stream connection to (host, port), or to a Unix socket's path."""
    if isinstance(address, str):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(TIMEOUT)
        client.connect(address)
        return client
    return socket.create_connection(address, timeout=TIMEOUT)


_own_paths = itertools.count(1)


def datagram_socket(address):
    """A socket that exchanges datagrams with one address only: (host, port), or a Unix socket's path. There a client is
    answered only if it has an address of its own, which is a path beside the server's."""
    if isinstance(address, str):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        client.settimeout(TIMEOUT)
        client.bind(f"{address}.{os.getpid()}.{next(_own_paths)}")
        client.connect(address)
        return client
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    client = socket.socket(family, socket.SOCK_DGRAM)
    client.settimeout(TIMEOUT)
    client.connect(address)
    return client


def receive_exactly(client, size):
    """The next `size` bytes; an earlier end of the stream is an error."""
    parts = []
    while size > 0:
        part = client.recv(min(size, 1 << 20))
        if not part:
            raise EOFError(f"the stream ended {size} bytes too early")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def receive_to_end(client):
    """Everything until the other side closes."""
    parts = []
    while part := client.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)


def closed_unanswered(client):
    """Whether the other side closes, by FIN or reset, without a byte. Waits for it."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def packed_size(size):
    """A length as all our framings carry it: signed, 32 bits, little-endian."""
    return struct.pack("<i", size)


def receive_size(client):
    return struct.unpack("<i", receive_exactly(client, 4))[0]


def vanish(client):
    """Closes with a reset instead of a FIN, as a crashed machine's successor or a killed NAT entry would."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def refuses(address):
    """Whether nobody listens there."""
    try:
        connect(address).close()
        return False
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False  # somebody did, until a moment ago
