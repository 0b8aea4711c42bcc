"""Row 8, the desk's side: a person answers UDP clients through ChatService."""

import unittest

import grpc

from tests.conformance.plain_client import datagram_socket
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack

MESSAGE_LIMIT = 4096

chat = rpc.chat
stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("chat")
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def session_of(visitor):
    host, port = visitor.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def kept_messages(session_id):
    return list(client.chat.ListMessages(chat.ListMessagesRequest(session_id=session_id)).messages)


def send(session_id, body):
    return client.chat.SendMessage(chat.SendMessageRequest(session_id=session_id, body=body, operator_name="Ada"))


class ChatTest(unittest.TestCase):
    def setUp(self):
        self.visitor = self.new_visitor("udp")

    def new_visitor(self, listener):
        visitor = datagram_socket(stack.address("chat", listener))
        self.addCleanup(visitor.close)
        return visitor

    def say(self, *bodies):
        """Sends each as a datagram and waits until the desk has the last of them."""
        before = client.service("chat").counters.datagrams_received
        for body in bodies:
            self.visitor.send(body)
        wait_until(lambda: client.service("chat").counters.datagrams_received >= before + len(bodies), "the datagrams")

    def session(self):
        sessions = client.chat.ListSessions(chat.ListSessionsRequest(page_size=1000)).sessions
        return next(session for session in sessions if session.id == session_of(self.visitor))


class ConversationTest(ChatTest):
    def test_operator_answers_by_one_datagram_from_the_port_that_was_asked(self):
        self.say(b"anybody there?")
        message = send(session_of(self.visitor), b"yes, I am").message
        self.assertEqual(self.visitor.recv(4096), b"yes, I am")  # connected: from no other address
        self.assertEqual((message.direction, message.operator_name), (chat.DIRECTION_OUTBOUND, "Ada"))

    def test_both_families(self):
        self.visitor = self.new_visitor("udp-2")
        self.say(b"over six")
        send(session_of(self.visitor), b"six it is")
        self.assertEqual(self.visitor.recv(4096), b"six it is")

    def test_each_visitor_gets_its_own_answer(self):
        visitors = [self.new_visitor("udp") for _ in range(10)]
        for self.visitor in visitors:
            self.say(b"hello")
        for number, visitor in enumerate(visitors):
            send(session_of(visitor), b"answer %d" % number)
        for number, visitor in enumerate(visitors):
            self.assertEqual(visitor.recv(64), b"answer %d" % number)

    def test_nobody_answers_by_itself(self):
        sent = client.service("chat").counters.datagrams_sent
        self.say(b"one", b"two", b"three")
        self.assertEqual(client.service("chat").counters.datagrams_sent, sent)

    def test_empty_messages_both_ways(self):
        self.say(b"")
        self.assertEqual(kept_messages(session_of(self.visitor))[0].body, b"")
        send(session_of(self.visitor), b"")
        self.assertEqual(self.visitor.recv(64), b"")

    def test_unknown_session(self):
        request = chat.SendMessageRequest(session_id="127.0.0.1:1", body=b"x")
        self.assertEqual(rpc.error_of(client.chat.SendMessage, request)[:2],
                         (grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND"))

    def test_answer_too_large(self):
        self.say(b"hello")
        send(session_of(self.visitor), b"x" * MESSAGE_LIMIT)
        self.assertEqual(self.visitor.recv(65536), b"x" * MESSAGE_LIMIT)
        request = chat.SendMessageRequest(session_id=session_of(self.visitor), body=b"x" * (MESSAGE_LIMIT + 1))
        self.assertEqual(rpc.error_of(client.chat.SendMessage, request)[:2],
                         (grpc.StatusCode.INVALID_ARGUMENT, "BODY_TOO_LARGE"))


class KeptTest(ChatTest):
    def test_messages_without_an_operator_are_kept(self):
        self.say(b"first", "zweite, 第二".encode(), b"\x1b[2Jthird\xff")
        messages = kept_messages(session_of(self.visitor))
        self.assertEqual([message.body for message in messages],
                         [b"first", "zweite, 第二".encode(), b"\x1b[2Jthird\xff"])
        self.assertEqual([message.body_is_valid_utf8 for message in messages], [True, True, False])
        numbers = [message.number for message in messages]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual({message.direction for message in messages}, {chat.DIRECTION_INBOUND})

    def test_session_counts(self):
        self.say(b"one", b"two", b"x" * (MESSAGE_LIMIT + 1))
        send(session_of(self.visitor), b"answer")
        session = self.session()
        self.assertEqual((session.messages_received, session.messages_sent, session.messages_refused), (2, 1, 1))
        self.assertEqual(session.peer, f"udp://{session.id}")

    def test_message_of_4_kib_is_kept_and_a_longer_one_refused(self):
        self.say(b"x" * MESSAGE_LIMIT, b"y" * (MESSAGE_LIMIT + 1), b"z" * 65507, b"last")
        bodies = [message.body for message in kept_messages(session_of(self.visitor))]
        self.assertEqual(bodies, [b"x" * MESSAGE_LIMIT, b"last"])

    def test_most_recent_session_first(self):
        self.say(b"older")
        self.visitor = self.new_visitor("udp")
        self.say(b"newer")
        first = client.chat.ListSessions(chat.ListSessionsRequest(page_size=1)).sessions[0]
        self.assertEqual(first.id, session_of(self.visitor))


class WatchTest(ChatTest):
    def watch(self, **fields):
        call = client.chat.WatchMessages(chat.WatchMessagesRequest(**fields), timeout=rpc.PATIENCE)
        self.addCleanup(call.cancel)
        return call

    def test_replay_then_live(self):
        self.say(b"kept 1", b"kept 2")
        watch = self.watch(session_id=session_of(self.visitor))
        self.assertEqual([next(watch).message.body for _ in range(2)], [b"kept 1", b"kept 2"])
        self.assertTrue(next(watch).caught_up)
        self.visitor.send(b"live")
        self.assertEqual(next(watch).message.body, b"live")
        send(session_of(self.visitor), b"answer")
        self.assertEqual(next(watch).message.direction, chat.DIRECTION_OUTBOUND)

    def test_after_a_number(self):
        self.say(b"one", b"two", b"three")
        second = kept_messages(session_of(self.visitor))[1].number
        watch = self.watch(session_id=session_of(self.visitor), after_number=second)
        self.assertEqual(next(watch).message.body, b"three")

    def test_what_is_kept_is_bounded_and_what_is_gone_is_told(self):
        for start in range(0, 1000, 50):
            self.say(*(b"message %d" % number for number in range(start, start + 50)))
        kept = [message.body for message in kept_messages(session_of(self.visitor))]
        self.assertLess(len(kept), 1000)
        self.assertEqual(kept, [b"message %d" % number for number in range(1000 - len(kept), 1000)])
        watch = self.watch(session_id=session_of(self.visitor))
        self.assertEqual(next(watch).lost_messages, 1000 - len(kept))
        self.assertEqual(next(watch).message.body, kept[0])

    def test_every_watcher_sees_every_message(self):
        watches = [self.watch(session_id=session_of(self.visitor)) for _ in range(5)]
        for watch in watches:
            self.assertTrue(next(watch).caught_up)
        self.visitor.send(b"to all")
        for watch in watches:
            self.assertEqual(next(watch).message.body, b"to all")

    def test_shown_messages_are_no_longer_unseen(self):
        self.say(b"one", b"two")
        self.assertEqual(self.session().messages_unseen, 2)
        watch = self.watch(session_id=session_of(self.visitor))
        while not next(watch).caught_up:
            pass
        wait_until(lambda: self.session().messages_unseen == 0, "the messages to count as seen")


if __name__ == "__main__":
    unittest.main()
