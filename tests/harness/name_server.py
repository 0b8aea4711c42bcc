"""A name server for one test, in a network namespace of its own: it tells every name's addresses as the test says."""

import socket
import struct
import threading

_A = 1
_IN = 1
_RESPONSE = 0x8580  # authoritative, recursion desired and available


class NameServer:
    """Listens on 127.0.0.1:53 of `namespace`, and has `addresses` (IPv4) for every name. `folder` takes a file of its own,
    for programs that are to ask it: see `under`."""

    def __init__(self, namespace, folder):
        self.addresses = []
        self._namespace = namespace
        self._resolv_conf = folder / "resolv.conf"
        self._resolv_conf.write_text("nameserver 127.0.0.1\n")
        self._socket = namespace.call(self._bind)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @staticmethod
    def _bind():
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 53))
        return server

    @property
    def under(self):
        """For Program and Stack.start_service(): runs a program in the namespace, where names are asked of this server."""
        script = f"mount --bind {self._resolv_conf} /etc/resolv.conf && exec \"$@\""
        return (*self._namespace.under, "sh", "-c", script, "sh")

    def stop(self):
        self._namespace.call(self._say_stop)
        self._thread.join()
        self._socket.close()

    @staticmethod
    def _say_stop():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"", ("127.0.0.1", 53))

    def _serve(self):
        while True:
            query, peer = self._socket.recvfrom(512)
            if not query:
                return
            self._socket.sendto(self._answer(query), peer)

    def _answer(self, query):
        """RFC 1035, 4.1: the header, the question again, and an address a record. Other types than A have none."""
        end = query.index(b"\0", 12) + 5
        kind, = struct.unpack("!H", query[end - 4:end - 2])
        addresses = list(self.addresses) if kind == _A else []
        header = query[:2] + struct.pack("!HHHHH", _RESPONSE, 1, len(addresses), 0, 0)
        records = [struct.pack("!HHHIH4s", 0xc00c, _A, _IN, 0, 4, socket.inet_aton(address)) for address in addresses]
        return header + query[12:end] + b"".join(records)
