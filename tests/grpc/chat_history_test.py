"""What a desk remembers when its process ends, well or badly, and that a folder belongs to one."""

import pathlib
import unittest

import grpc

from tests.harness import rpc
from tests.harness.chat_desk import DeskTest, chat, session_of
from tests.harness.deadlines import wait_until
from tests.harness.program import Program


class RestartTest(DeskTest):
    def check(self, end):
        six = self.new_visitor("udp-2")
        self.say(b"anybody there?", "第二".encode(), b"\x1b[2J\xff\0")
        self.say(b"over six", visitor=six)
        self.assertEqual(len(self.replay(session_id=session_of(six))), 1)
        self.send(request_id="r1")
        self.visitor.recv(64)
        before = self.messages(), self.sessions()
        self.wait_until_written()
        wait_until(lambda: (4, 1) in self.on_disk(), "the mark of the message that was shown")
        end()
        self.start_again()
        self.assertEqual((self.messages(), self.sessions()), before)
        self.assertEqual(sorted(self.unseen()), [0, 3])
        for visitor in (self.visitor, six):
            self.client.chat.SendMessage(chat.SendMessageRequest(session_id=session_of(visitor), body=b"still here"))
            self.assertEqual(visitor.recv(64), b"still here")
        self.say(b"next")
        numbers = [message.number for message in self.messages()]
        self.assertEqual(numbers[:5], [1, 2, 3, 4, 5])
        self.assertEqual(numbers[5:], list(range(numbers[5], numbers[5] + 3)))
        return numbers[5]

    def test_all_is_there_after_kill_9(self):
        self.assertGreater(self.check(self.kill), 6, "numbers that may have been given are not given again")
        watch = self.watch()
        self.assertEqual([next(watch).WhichOneof("update") for _ in range(9)], ["message"] * 8 + ["caught_up"],
                         "and none of them counts as lost")

    def test_all_is_there_after_a_stop(self):
        self.assertEqual(self.check(self.stop), 6)

    def test_many_kills(self):
        for life in range(5):
            self.say(*(b"life %d message %d" % (life, number) for number in range(3)))
            self.wait_until_written()
            self.kill()
            self.start_again()
        self.assertEqual([message.body for message in self.messages()],
                         [b"life %d message %d" % (life, number) for life in range(5) for number in range(3)])
        self.assertEqual(self.unseen(), [15])

    def test_kill_under_load_leaves_neither_gaps_nor_halves(self):
        kept = 100  # of each session
        before, total = 0, 0  # the last number that the process gave before, and how many messages there were
        for life in range(1, 6):
            visitor = self.new_visitor("udp")
            for number in range(100 * life):
                visitor.send(b"%d" % number)
            self.kill()
            self.start_again()
            numbers = [message.number for message in self.messages()]
            received = [session.messages_received for session in self.sessions()]
            self.assertEqual(sum(received) - total, max(numbers, default=before) - before)
            self.assertEqual(len(numbers), sum(min(kept, count) for count in received))
            self.assertEqual(self.unseen(), [min(kept, count) for count in received])
            self.say(b"goes on")
            before, total = self.messages()[-1].number, sum(received) + 1
            self.assertGreater(before, max(numbers, default=0))
            self.wait_until_written()

    def test_stop_writes_what_came_at_once(self):
        count = 80
        for number in range(count):
            self.visitor.send(b"%d" % number)
        wait_until(lambda: len(self.messages()) == count, "the messages")
        self.stop()
        self.start_again()
        self.assertEqual([message.body for message in self.messages()], [b"%d" % number for number in range(count)])

    def test_operator_resumes_where_it_was(self):
        self.say(b"one", b"two")
        seen = self.messages()[0].number
        self.wait_until_written()
        self.kill()
        self.start_again()
        watch = self.watch(after_number=seen)
        self.assertEqual(next(watch).message.body, b"two")
        self.assertTrue(next(watch).caught_up)
        self.visitor.send(b"live")
        self.assertEqual(next(watch).message.body, b"live")

    def test_without_history_a_restart_forgets(self):
        self.say(b"kept")
        self.stop()
        self.start_again("--history=off")
        self.assertEqual((self.messages(), self.sessions()), ([], []))
        self.say(b"forgotten")
        self.assertEqual(self.messages()[0].number, 1)
        self.stop()
        self.start_again()
        self.assertEqual([message.body for message in self.messages()], [b"kept"])

    def test_silent_sessions_expire(self):
        self.say(b"seen", b"seen")
        other = self.new_visitor("udp")
        self.replay()
        self.say(b"unseen", visitor=other)
        self.stop()
        self.start_again("--session_expiry=1ns")
        # Hearing somebody forgets whoever is silent; whose message nobody has seen is kept.
        self.new_visitor("udp-2").send(b"hello")
        wait_until(lambda: self.messages()[-1].body == b"hello", "the message")
        self.assertEqual([message.body for message in self.messages()], [b"unseen", b"hello"])
        gone = chat.SendMessageRequest(session_id=self.session, body=b"answer")
        self.assertEqual(rpc.error_of(self.client.chat.SendMessage, gone)[:2],
                         (grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND"))


class RetryTest(DeskTest):
    def received(self, visitor):
        """Everything that came up to an end mark."""
        mark = chat.SendMessageRequest(session_id=session_of(visitor), body=b"(end)")
        self.client.chat.SendMessage(mark, timeout=rpc.PATIENCE)
        return list(iter(lambda: visitor.recv(4096), b"(end)"))

    def error(self, **fields):
        return rpc.error_of(self.client.chat.SendMessage, chat.SendMessageRequest(**fields))[:2]

    def test_retry_sends_nothing_twice(self):
        self.say(b"hello")
        first = self.send(request_id="r1")
        self.assertEqual(self.send(request_id="r1"), first)
        self.assertEqual(first.message.request_id, "r1")
        self.assertEqual(self.received(self.visitor), [b"answer"])

    def test_retry_after_a_restart(self):
        self.say(b"hello")
        first = self.send(request_id="r1")
        self.kill()  # at once: who was told that it is sent may rely on it
        self.start_again()
        self.assertEqual(self.send(request_id="r1"), first)
        self.assertEqual(self.received(self.visitor), [b"answer"])
        reused = dict(session_id=self.session, request_id="r1", body=b"another")
        self.assertEqual(self.error(**reused), (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED"))

    def test_without_request_id_everything_is_sent(self):
        self.say(b"hello")
        self.send()
        self.send()
        self.assertEqual(self.received(self.visitor), [b"answer", b"answer"])

    def test_bad_requests(self):
        self.say(b"hello")
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        self.assertEqual(self.error(body=b"x"), (invalid, "NO_SESSION"))
        self.assertEqual(self.error(session_id="", body=b"x"), (invalid, "NO_SESSION"))
        self.assertEqual(self.error(all_sessions=False, body=b"x"), (invalid, "NO_SESSION"))
        self.assertEqual(self.error(session_id=self.session, request_id="r" * 129), (invalid, "BAD_REQUEST_ID"))
        self.send(request_id="r" * 128)

    def test_to_all(self):
        visitors = [self.new_visitor(listener) for listener in ("udp", "udp-2") * 10]
        for visitor in visitors:
            self.say(b"hello", visitor=visitor)
        first = self.send(b"fire drill", all_sessions=True, request_id="r1")
        self.assertFalse(first.HasField("message"))
        self.assertEqual([each.session_id for each in first.deliveries], [session_of(each) for each in reversed(visitors)])
        self.assertEqual([each.message_number for each in first.deliveries], list(range(21, 41)))
        self.assertEqual({each.failure_reason for each in first.deliveries}, {""})
        late = self.new_visitor("udp")
        self.say(b"too late for that", visitor=late)
        self.assertEqual(self.send(b"fire drill", all_sessions=True, request_id="r1"), first)
        self.wait_until_written()
        self.kill()
        self.start_again()
        self.assertEqual(self.send(b"fire drill", all_sessions=True, request_id="r1"), first)
        for visitor in visitors:
            self.assertEqual(self.received(visitor), [b"fire drill"])
        self.assertEqual(self.received(late), [])

    def test_to_all_says_who_could_not_be_reached(self):
        six = self.new_visitor("udp-2")
        self.say(b"hello")
        self.say(b"hello", visitor=six)
        self.client.stop("chat", "udp-2")
        deliveries = self.send(all_sessions=True, request_id="r1").deliveries
        self.assertEqual([(each.session_id, each.message_number, each.failure_reason) for each in deliveries],
                         [(session_of(six), 0, "SERVICE_STOPPED"), (self.session, 3, "")])
        again = self.send(all_sessions=True, request_id="r1").deliveries
        self.assertEqual([(each.session_id, each.message_number, each.failure_reason) for each in again],
                         [(self.session, 3, ""), (session_of(six), 0, "SEND_FAILED")])

    def test_operators_see_each_others_answers(self):
        self.say(b"hello")
        watches = [self.watch() for _ in range(3)]
        for watch in watches:
            self.assertEqual([next(watch).message.body, next(watch).caught_up], [b"hello", True])
        sent = self.send(request_id="r1").message
        for watch in watches:
            self.assertEqual(next(watch).message, sent)
        self.assertEqual((sent.operator_name, sent.request_id), ("Ada", "r1"))


class FolderTest(DeskTest):
    def refused(self, *flags, **environment):
        """Starts another desk, which must end at once; its last words."""
        program = Program("chat", ["--listen=udp=udp://127.0.0.1:0", "--rpc_listen=tcp://127.0.0.1:0", *flags],
                          self.stack.directory / "other", environment)
        program.log_path.parent.mkdir(exist_ok=True)
        program.spawn().expect_exit(1)
        return program.log_tail()

    def file(self):
        return self.stack.chat_history / "history.sqlite3"

    def test_belongs_to_one_process(self):
        self.assertIn("another process has the history", self.refused(f"--history={self.stack.chat_history}"))
        self.say(b"not disturbed")
        self.wait_until_written()

    def test_is_for_its_owner_only(self):
        self.assertEqual(self.stack.chat_history.stat().st_mode & 0o777, 0o700)
        for path in self.stack.chat_history.iterdir():
            self.assertEqual(path.stat().st_mode & 0o777, 0o600, path)

    def check_file_is_refused(self, content):
        self.file().write_bytes(content)
        words = self.refused(f"--history={self.stack.chat_history}")
        self.assertIn(str(self.file()), words)
        self.assertIn("move the file away", words)
        self.assertIn("--history=off", words)
        self.assertEqual(self.file().read_bytes(), content)

    def test_broken_files_are_refused_and_left_alone(self):
        self.say(*[b"x" * 4096] * 20)
        self.stop()
        content = self.file().read_bytes()
        self.check_file_is_refused(b"no database at all" * 1000)
        self.check_file_is_refused(content[:4096 + 1000])
        self.check_file_is_refused(content[:4096] + bytes(len(content) - 4096))
        later_version = (99).to_bytes(4, "big")  # user_version, bytes 60 to 63
        self.check_file_is_refused(content[:60] + later_version + content[64:])
        self.file().unlink()
        self.start_again()
        self.assertEqual(self.messages(), [])

    def test_folder_that_cannot_be_made(self):
        words = self.refused("--history=/proc/nowhere")
        self.assertIn("/proc/nowhere", words)
        self.assertIn("--history=off", words)

    def test_where_it_is_unless_told(self):
        folders = {"STATE_DIRECTORY": "", "XDG_STATE_HOME": "/rawgate", "HOME": "/.local/state/rawgate"}
        for name, below in folders.items():
            with self.subTest(name):
                given = self.stack.directory / name
                environment = {each: "" for each in folders} | {name: str(given)}
                program = Program("chat", ["--listen=udp=udp://127.0.0.1:0", "--rpc_listen=tcp://127.0.0.1:0"],
                                  self.stack.directory, environment).start()
                program.stop()
                self.assertTrue(pathlib.Path(f"{given}{below}/chat/history.sqlite3").exists())
        self.assertIn("--history=off", self.refused(**dict.fromkeys(folders, "")))


if __name__ == "__main__":
    unittest.main()
