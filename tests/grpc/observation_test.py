"""Connections and events: what raw clients do, seen from the gateway as it happens."""

import unittest

import grpc

from tests.conformance.file_client import upload
from tests.conformance.plain_client import connect, datagram_socket, receive_exactly, vanish
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack

control = rpc.control
stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack(stable_ports=True)
    unittest.addModuleCleanup(stack.stop)
    stack.start_all()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def uri_of(raw, scheme="tcp"):
    host, port = raw.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def exchange(raw, text):
    raw.sendall(text)
    return receive_exactly(raw, len(text))


class ConnectionTest(unittest.TestCase):
    def find(self, service, peer):
        """The row of one peer, or None; the list may have pages."""
        token = ""
        while True:
            request = control.ListConnectionsRequest(service=service, page_size=10, page_token=token)
            page = client.control.ListConnections(request)
            for row in page.connections:
                if row.peer == peer:
                    return row
            token = page.next_page_token
            if not token:
                return None

    def test_open_connection_is_listed_with_its_bytes(self):
        with connect(stack.address("echo", "tcp")) as raw:
            exchange(raw, b"twelve bytes")
            row = self.find("echo", uri_of(raw))
            self.assertEqual((row.service, row.listener, row.transport), ("echo", "tcp", control.TRANSPORT_TCP))
            self.assertEqual((row.bytes_received, row.bytes_sent), (12, 12))
            peer = uri_of(raw)
        wait_until(lambda: self.find("echo", peer) is None, "the closed connection to leave the list")

    def test_many_pages(self):
        raws = [connect(stack.address("echo", "tcp")) for _ in range(35)]
        for raw in raws:
            self.addCleanup(raw.close)
            exchange(raw, b"x")
        for raw in raws:
            self.assertIsNotNone(self.find("echo", uri_of(raw)))

    def test_datagram_peer_is_listed(self):
        with datagram_socket(stack.address("echo", "udp")) as raw:
            raw.send(b"hello")
            raw.recv(64)
            self.assertEqual(self.find("echo", uri_of(raw, "udp")).transport, control.TRANSPORT_UDP)

    def test_operator_closes_a_connection(self):
        with connect(stack.address("echo", "tcp")) as raw, connect(stack.address("echo", "tcp")) as other:
            exchange(raw, b"x")
            row = self.find("echo", uri_of(raw))
            client.control.CloseConnection(control.CloseConnectionRequest(service="echo", connection_id=row.id))
            with self.assertRaises((ConnectionResetError, EOFError)):
                receive_exactly(raw, 1)
            self.assertEqual(exchange(other, b"x"), b"X")

    def test_unknown_connection(self):
        request = control.CloseConnectionRequest(service="echo", connection_id=2**60)
        self.assertEqual(rpc.error_of(client.control.CloseConnection, request)[:2],
                         (grpc.StatusCode.NOT_FOUND, "CONNECTION_NOT_FOUND"))

    def test_bad_page_token(self):
        request = control.ListConnectionsRequest(page_token="junk\1")
        self.assertEqual(rpc.error_of(client.control.ListConnections, request)[:2],
                         (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"))


def watch_events(test, *services, **fields):
    """A watch that has begun: whatever happens from now on is in it."""
    request = control.WatchEventsRequest(services=services, **fields)
    call = client.control.WatchEvents(request, timeout=rpc.PATIENCE)
    test.addCleanup(call.cancel)
    test.assertTrue({position.service for position in next(call).positions} >= set(services))
    return call


def each_event(watch):
    for batch in watch:
        if batch.lost:
            raise AssertionError(f"events were lost: {batch.lost}")
        yield from batch.events
    raise AssertionError("the watch ended by itself")


def kind_of(event):
    return event.WhichOneof("kind")


def story_of(watch, peer):
    """All events of the connection from this peer, from its beginning to its end; others are left out."""
    story = []
    for event in each_event(watch):
        begins = kind_of(event) == "connection_opened" and event.connection_opened.peer == peer
        if begins or (story and event.connection_id == story[0].connection_id):
            story.append(event)
            if kind_of(event) == "connection_closed":
                return story


def only(events, kind):
    return [getattr(event, kind) for event in events if kind_of(event) == kind]


class ConnectionEventTest(unittest.TestCase):
    def test_life_of_a_connection(self):
        watch = watch_events(self, "echo", include_chunks=True, sample_bytes=4)
        with connect(stack.address("echo", "tcp")) as raw:
            peer = uri_of(raw)
            exchange(raw, b"hello")
        story = story_of(watch, peer)
        self.assertEqual(kind_of(story[0]), "connection_opened")
        self.assertEqual(only(story, "chunk_received"), [control.ChunkReceived(size=5, sample=b"hell")])
        closed = story[-1].connection_closed
        self.assertEqual((closed.reason, closed.bytes_received, closed.bytes_sent),
                         (control.CLOSE_REASON_PEER_CLOSED, 5, 5))
        self.assertEqual({(event.service, event.listener) for event in story}, {("echo", "tcp")})

    def test_reset_is_told_apart_from_a_close(self):
        watch = watch_events(self, "echo")
        raw = connect(stack.address("echo", "tcp"))
        peer = uri_of(raw)
        exchange(raw, b"x")
        vanish(raw)
        self.assertEqual(story_of(watch, peer)[-1].connection_closed.reason, control.CLOSE_REASON_RESET)

    def test_chunks_only_when_asked_for(self):
        watch = watch_events(self, "echo")
        with connect(stack.address("echo", "tcp")) as raw:
            peer = uri_of(raw)
            exchange(raw, b"hello")
        self.assertEqual(only(story_of(watch, peer), "chunk_received"), [])

    def test_command(self):
        watch = watch_events(self, "exec")
        with connect(stack.address("exec", "raw")) as raw:
            peer = uri_of(raw)
            raw.sendall(b"exit 3\n")
            receive_exactly(raw, 1)
        story = story_of(watch, peer)
        started, ended = only(story, "command_started")[0], only(story, "command_ended")[0]
        self.assertEqual(started.job_id, ended.job_id)
        self.assertIn("exit 3", started.summary)
        self.assertEqual(ended.outcome, "exited 3")
        self.assertEqual(len(only(story, "request_served")), 1)

    def test_upload(self):
        watch = watch_events(self, "file")
        with connect(stack.address("file", "tcp")) as raw:
            peer = uri_of(raw)
            upload(raw, "watched.bin", b"x" * 1_000_000)
        progress = only(story_of(watch, peer), "transfer_progress")
        self.assertEqual({(step.filename, step.upload, step.total_bytes) for step in progress},
                         {("watched.bin", True, 1_000_000)})

    def test_failed_request_has_its_code(self):
        watch = watch_events(self, "file")
        with connect(stack.address("file", "tcp")) as raw:
            peer = uri_of(raw)
            upload(raw, "../climb", b"x")
        served = only(story_of(watch, peer), "request_served")
        self.assertEqual([request.error_code for request in served], ["INVALID_ARGUMENT"])


class EventTest(unittest.TestCase):
    def test_datagrams(self):
        watch = watch_events(self, "echo", sample_bytes=256)
        with datagram_socket(stack.address("echo", "udp")) as raw:
            peer = uri_of(raw, "udp")
            raw.send(b"hello")
            raw.recv(64)
        received = next(event.datagram_received for event in each_event(watch)
                        if event.datagram_received.peer == peer)
        self.assertEqual((received.size, received.sample, received.dropped), (5, b"hello", ""))

    def test_listener_states(self):
        watch = watch_events(self, "time")
        client.stop("time")
        client.start("time")
        wanted = {control.SERVICE_STATE_STOPPED, control.SERVICE_STATE_RUNNING}
        events = each_event(watch)
        while wanted:
            event = next(events)
            if kind_of(event) == "listener_state_changed":
                wanted.discard(event.listener_state_changed.state)

    def test_only_the_services_asked_for(self):
        watch = watch_events(self, "echo")
        with datagram_socket(stack.address("time", "udp")) as raw:
            raw.send(b"x")
            raw.recv(64)
        with connect(stack.address("echo", "tcp")) as raw:
            peer = uri_of(raw)
            exchange(raw, b"x")
        for event in each_event(watch):
            self.assertEqual(event.service, "echo")
            if kind_of(event) == "connection_opened" and event.connection_opened.peer == peer:
                break

    def test_sequence_has_no_gap_and_can_be_resumed(self):
        watch = watch_events(self, "echo", include_chunks=True)
        with connect(stack.address("echo", "tcp")) as raw:
            for _ in range(10):
                exchange(raw, b"hello")
        events = each_event(watch)
        first = [next(events) for _ in range(10)]
        numbers = [event.sequence for event in first]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 10)))
        position = control.EventPosition(service="echo", instance=first[0].instance, sequence=numbers[4])
        resumed = each_event(watch_events(self, "echo", include_chunks=True, after=[position]))
        self.assertEqual([next(resumed).sequence for _ in range(5)], numbers[5:])

    def test_sample_too_large(self):
        request = control.WatchEventsRequest(sample_bytes=257)
        self.assertEqual(rpc.error_of(client.control.WatchEvents, request)[:2],
                         (grpc.StatusCode.INVALID_ARGUMENT, "SAMPLE_TOO_LARGE"))


if __name__ == "__main__":
    unittest.main()
