"""A TCP relay that lets only so many bytes through, so that a transfer is caught in its middle, however fast it is."""

import socket
import struct
import threading

TO_SERVER, TO_CLIENT = "to server", "to client"
PIECE = 64 << 10


class GatedRelay:
    """Forwards connections to `target`. Without a gate everything passes."""

    def __init__(self, target):
        self.target = target
        self._changed = threading.Condition()
        self._gates = {}
        self._passed = {TO_SERVER: 0, TO_CLIENT: 0}
        self._sockets = []
        self._threads = []
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "%s:%d" % self._listener.getsockname()
        self._run(self._accept)

    def hold(self, direction, after):
        """From now on `after` bytes more pass, over all connections together, and then none."""
        with self._changed:
            self._gates[direction] = self._passed[direction] + after

    def open(self):
        """Everything passes again."""
        with self._changed:
            self._gates.clear()
            self._changed.notify_all()

    def passed(self, direction):
        """Bytes since it began, headers included."""
        with self._changed:
            return self._passed[direction]

    def holds(self, direction):
        """Whether the gate has been reached."""
        with self._changed:
            return self._room(direction) == 0

    def cut(self):
        """Resets the connections that there are."""
        with self._changed:
            for each in self._sockets:
                self._reset(each)
            self._sockets.clear()
            self._changed.notify_all()

    def close(self):
        with self._changed:
            self._closed = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self.cut()
        self.open()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _run(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _room(self, direction):
        return max(0, self._gates[direction] - self._passed[direction]) if direction in self._gates else PIECE

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target)
            except OSError:
                self._reset(client)
                continue
            with self._changed:
                if self._closed:
                    self._reset(client)
                    self._reset(server)
                    return
                self._sockets += [client, server]
            self._run(self._pump, TO_SERVER, client, server)
            self._run(self._pump, TO_CLIENT, server, client)

    def _pump(self, direction, source, sink):
        try:
            while True:
                piece = source.recv(PIECE)
                if not piece:
                    sink.shutdown(socket.SHUT_WR)
                    return
                while piece:
                    count = self._take_room(direction, len(piece))
                    sink.sendall(piece[:count])
                    piece = piece[count:]
        except OSError:
            with self._changed:  # one side has gone: so does the other
                self._reset(source)
                self._reset(sink)

    def _take_room(self, direction, wanted):
        """How many of `wanted` bytes may pass now: at least one."""
        with self._changed:
            self._changed.wait_for(lambda: self._room(direction) > 0 or self._closed)
            count = wanted if self._closed else min(wanted, self._room(direction))
            self._passed[direction] += count
            return count

    @staticmethod
    def _reset(each):
        try:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it had gone already
        each.close()
