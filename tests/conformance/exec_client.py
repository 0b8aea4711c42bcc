"""A client of ports 8084 and 8085: replies behind a 4-byte length and a JSON object, and framed requests."""

import json

from tests.conformance.plain_client import packed_size, receive_exactly, receive_size


def packed_request(stdin=b"", **request):
    """A request for 8085, with its standard input."""
    if stdin:
        request["stdin_size"] = len(stdin)
    text = json.dumps(request).encode()
    return packed_size(len(text)) + text + stdin


def receive_reply(client):
    """A reply's header and the output that it describes."""
    header = json.loads(receive_exactly(client, receive_size(client)))
    return header, receive_exactly(client, header["total_size"])
