"""A client of port 8090: a 4-byte length, a JSON object, and the file's bytes where there are any."""

import json

from tests.conformance.plain_client import packed_size, receive_exactly, receive_size


def packed_request(header):
    text = json.dumps(header).encode()
    return packed_size(len(text)) + text


def receive_reply(client):
    return json.loads(receive_exactly(client, receive_size(client)))


def request(client, **header):
    client.sendall(packed_request(header))
    return receive_reply(client)


def upload(client, filename, content, **more):
    """Sends header and bytes together and awaits the server's word that they are on disk."""
    header = packed_request({"filename": filename, "filesize": len(content), **more})
    client.sendall(header + content)
    return receive_reply(client)


def download(client, filename, **more):
    """Returns the reply's header and the bytes behind it."""
    reply = request(client, op="download", filename=filename, **more)
    if reply["status"] != "ok":
        return reply, b""
    return reply, receive_exactly(client, reply["filesize"])
