"""A TCP proxy that cuts its connections after so many bytes, as networks do."""

import collections
import select
import socket
import struct
import threading

TO_SERVER, TO_CLIENT = "to server", "to client"
# How it looks: a reset on both sides; their ends; an end for the client, while the server is told nothing.
RESET, END, SILENCE = "reset", "end", "silence"
# Little is on its way when a connection is cut, so that it is known what a client sends twice.
BUFFER = 64 << 10

Cut = collections.namedtuple("Cut", "direction after how")


class FaultProxy:
    """Forwards connections to `target`. Each new one gets the next of `cuts`, while there is one; later ones last."""

    def __init__(self, target):
        self.target = target
        self._lock = threading.Lock()
        self._cuts = collections.deque()
        self._forwarded = {TO_SERVER: 0, TO_CLIENT: 0}
        self._closing = threading.Event()
        self._silent = []
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self.address = self._listener.getsockname()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut_next(self, *cuts):
        with self._lock:
            self._cuts.extend(cuts)

    def cuts_left(self):
        with self._lock:
            return len(self._cuts)

    def forwarded(self, direction):
        """Bytes since it began, headers included."""
        with self._lock:
            return self._forwarded[direction]

    def close(self):
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()
        for each in self._silent:
            each.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            server.connect(self.target)
            with self._lock:
                cut = self._cuts.popleft() if self._cuts else None
            thread = threading.Thread(target=self._forward, args=(client, server, cut))
            self._threads.append(thread)
            thread.start()

    def _forward(self, client, server, cut):
        directions = [_Direction(TO_SERVER, client, server, cut), _Direction(TO_CLIENT, server, client, cut)]
        try:
            while not self._closing.is_set() and not all(each.over for each in directions):
                if any(each.used_up() for each in directions):
                    return self._cut(client, server, cut.how)
                self._move_some(directions)
        except OSError:
            pass  # either side has gone: so does the other
        client.close()
        server.close()

    def _move_some(self, directions):
        readers = [each.source for each in directions if each.may_read()]
        writers = [each.sink for each in directions if each.held]
        readable, writable, _ = select.select(readers, writers, [], 0.1)
        for each in directions:
            if each.source in readable:
                each.read()
            if each.sink in writable:
                count = each.write()
                with self._lock:
                    self._forwarded[each.name] += count

    def _cut(self, client, server, how):
        if how == RESET:
            for each in (client, server):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        if how == SILENCE:
            self._silent.append(server)
        else:
            server.close()


class _Direction:
    """One half of a connection: what was read from its source, and not yet written to its sink."""

    def __init__(self, name, source, sink, cut):
        self.name = name
        self.source = source
        self.sink = sink
        self.held = b""
        # The source has ended, and its sink knows.
        self.over = False
        self._budget = cut.after if cut and cut.direction == name else None

    def may_read(self):
        return not self.over and not self.held

    def used_up(self):
        return self._budget == 0

    def read(self):
        self.held = self.source.recv(BUFFER if self._budget is None else min(self._budget, BUFFER))
        if not self.held:
            self.sink.shutdown(socket.SHUT_WR)
            self.over = True

    def write(self):
        count = self.sink.send(self.held)
        self.held = self.held[count:]
        if self._budget is not None:
            self._budget -= count
        return count
