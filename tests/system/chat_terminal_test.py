"""`rawgate chat` at a terminal, as the person who answers sees it."""

import contextlib
import os
import re
import signal
import subprocess
import termios
import unittest

from tests.conformance.plain_client import datagram_socket
from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.drawn_terminal import DrawnTerminal
from tests.harness.ports import stable_port
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import Stack
from tests.harness.terminal_screen import width_of

LEFT, RIGHT, UP, DOWN, HOME, END = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B", "\x1b[H", "\x1b[F"
BACKSPACE, DELETE = "\x7f", "\x1b[3~"
CTRL_A, CTRL_C, CTRL_D, CTRL_E, CTRL_K, CTRL_U, CTRL_W, CTRL_Z = "\x01\x03\x04\x05\x0b\x15\x17\x1a"
FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
# A message, or a note of the desk: what begins at the left edge, but for tables and the prompt.
MESSAGE_ROW = re.compile(r"\d\d:\d\d:\d\d +(#\d+|all) ")


class ChatTerminalTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack(stable_ports=True)
        self.addCleanup(self.stack.stop)
        self.stack.start_service("chat")
        # Where it is found again after a restart.
        self.stack.start_gateway(f"--listen=grpc=tcp://127.0.0.1:{stable_port()}")

    def visitor(self):
        visitor = datagram_socket(self.stack.address("chat", "udp"))
        self.addCleanup(visitor.close)
        return visitor

    def chat(self, columns=80, **environment):
        chat = DrawnTerminal([BIN_DIR / "rawgate", "chat", "--name", "ann"], columns,
                             {"RAWGATE_GATEWAY": self.stack.gateway_target, **environment})
        self.addCleanup(chat.close)
        chat.shows(lambda: "/help" in chat.output, "the greeting")
        return chat

    def wait_for_messages(self, count):
        with contextlib.closing(rpc.client_of(self.stack)) as client:
            wait_until(lambda: len(client.chat.ListMessages(rpc.chat.ListMessagesRequest(page_size=1000)).messages)
                       >= count, f"{count} messages")

    def assert_rows_fit(self, chat):
        """No row was wide enough for the terminal to break it."""
        broken = [row.text() for row in chat.picture.rows if row.broken]
        self.assertEqual(broken, [])

    def assert_told(self, chat, part, times=1):
        rows = [row for row in chat.picture.text() if part in row]
        self.assertEqual(len(rows), times, chat.shown())

    def name_of(self, visitor):
        host, port = visitor.getsockname()
        return f"{host}:{port}"


class Conversation(ChatTerminalTest):
    def test_chinese_both_ways(self):
        visitor = self.visitor()
        chat = self.chat()
        visitor.send("你好，有人吗？".encode())
        chat.await_row("你好，有人吗？")
        prompt = f"#1 {self.name_of(visitor)}> "
        chat.await_prompt(prompt)
        chat.keys("九点再见" + LEFT + BACKSPACE + END + "！")
        chat.await_prompt(prompt + "九点见！")
        self.assertEqual(chat.picture.column, len(prompt) + 8)
        chat.keys("\r")
        self.assertEqual(visitor.recv(100), "九点见！".encode())
        chat.await_row("> ann                  九点见！")
        visitor.send("谢谢".encode())
        chat.await_row("谢谢")
        self.assert_told(chat, "九点见！")

    def test_operators_see_each_other(self):
        visitor = self.visitor()
        chat = self.chat()
        visitor.send(b"hello")
        chat.await_row("hello")
        answered = subprocess.run(
            [BIN_DIR / "rawgate", "chat", "--name", "鲍勃"], input="back at nine\n", text=True, capture_output=True,
            env=clean_environment(RAWGATE_GATEWAY=self.stack.gateway_target), timeout=PATIENCE, check=True)
        self.assertEqual(visitor.recv(100), b"back at nine")
        chat.await_row("> 鲍勃                 back at nine")
        self.assertNotIn("\x1b", answered.stdout + answered.stderr)

    def test_one_answer_to_all(self):
        visitors = [self.visitor() for _ in range(3)]
        for visitor in visitors:
            visitor.send(b"hello")
        chat = self.chat()
        other = self.chat()
        chat.keys("/all we close at five\r")
        chat.await_row("-- sent to 3 sessions")
        for visitor in visitors:
            self.assertEqual(visitor.recv(100), b"we close at five")
        self.assert_told(chat, "  all  > ann                  we close at five")
        other.await_row("-- and to other sessions")
        self.assert_told(other, "we close at five")

    def test_pasted_lines_are_one_message_and_wait_for_enter(self):
        visitor = self.visitor()
        visitor.send(b"hello")
        chat = self.chat()
        self.assertTrue(chat.picture.bracketed)
        chat.keys("\x1b[200~one\rtwo 二\r\x1b[201~")
        chat.shows(lambda: chat.picture.last_row().endswith("> one\\ntwo 二"), "what was pasted")
        chat.keys("!\r")
        self.assertEqual(visitor.recv(100), "one\ntwo 二!".encode())

    def test_ends_in_good_order(self):
        for keys, code in (("/quit\r", 0), (CTRL_D, 0), (CTRL_C, -2)):
            with self.subTest(keys=keys):
                chat = self.chat()
                chat.keys("draft" + CTRL_U)
                chat.keys(keys)
                self.assertEqual(chat.wait(), code)
                self.assertEqual(chat.picture.last_row(), "")
                self.assertFalse(chat.picture.bracketed)
                self.assertTrue(chat.mode()[3] & termios.ICANON)
                self.assertTrue(chat.mode()[3] & termios.ECHO)

    def test_stopped_and_continued(self):
        chat = self.chat()
        chat.keys("draft")
        chat.await_prompt("> draft")
        chat.keys(CTRL_Z)
        wait_until(lambda: chat.mode()[3] & termios.ICANON, "the mode of before")
        self.assertEqual(os.waitpid(chat.process.pid, os.WUNTRACED)[0], chat.process.pid)
        chat.picture.feed("\r\n")
        chat.process.send_signal(signal.SIGCONT)
        chat.keys("!")
        chat.await_prompt("> draft!")
        chat.shows(lambda: chat.picture.bracketed, "brackets around what is pasted")


class Editing(ChatTerminalTest):
    def edited(self, chat, keys, line):
        chat.keys(keys)
        chat.await_prompt("> " + line)

    def test_characters_as_people_see_them(self):
        chat = self.chat()
        self.edited(chat, "a你" + FAMILY + "e\u0301" + "\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}",
                    "a你" + FAMILY + "e\u0301" + "\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}")
        self.edited(chat, BACKSPACE, "a你" + FAMILY + "e\u0301")
        self.edited(chat, BACKSPACE, "a你" + FAMILY)
        self.edited(chat, LEFT + "好", "a你好" + FAMILY)
        self.edited(chat, DELETE, "a你好")
        self.edited(chat, BACKSPACE + BACKSPACE, "a")

    def test_keys(self):
        chat = self.chat()
        self.edited(chat, "one two", "one two")
        self.edited(chat, CTRL_W, "one")
        self.edited(chat, CTRL_A + "x ", "x one")
        self.edited(chat, RIGHT + RIGHT + CTRL_K, "x on")
        self.edited(chat, HOME + RIGHT + CTRL_U, " on")
        self.edited(chat, CTRL_E + "e", " one")
        self.edited(chat, CTRL_E + CTRL_U, "")

    def test_what_was_typed_comes_back(self):
        chat = self.chat()
        chat.keys("/tp 1 mistake\r")
        chat.await_row("no such command: /tp")
        self.edited(chat, "draft" + UP, "/tp 1 mistake")
        self.edited(chat, DOWN, "draft")

    def test_a_message_leaves_the_line_alone(self):
        chat = self.chat()
        self.edited(chat, "你好" + LEFT, "你好")
        self.visitor().send(b"an interruption")
        chat.await_row("an interruption")
        self.edited(chat, "x", "你x好")


class Unread(ChatTerminalTest):
    def test_marks(self):
        first, second = self.visitor(), self.visitor()
        first.send(b"one")
        second.send("二".encode())
        self.wait_for_messages(2)
        chat = self.chat(NO_COLOR="1")
        self.assertFalse(chat.picture.colored)
        chat.await_row("-- 2 sessions, 2 unread messages")
        table = [re.sub(r" +", " ", row.strip()) for row in chat.picture.text() if row.endswith("* 1")]
        self.assertEqual(table, [f"2 {self.name_of(second)} just now 1 0 * 1", f"1 {self.name_of(first)} just now 1 0 * 1"])
        chat.await_prompt(f"#2 {self.name_of(second)} (1 unread elsewhere)> ")
        chat.keys("yes\r")
        self.assertEqual(second.recv(100), b"yes")
        first.send(b"two")
        chat.await_prompt(f"#1 {self.name_of(first)}> ")
        chat.keys("/unread\r")
        chat.await_row("* 2")
        chat.keys("/show 1\r")
        chat.await_row("-- end of #1")
        self.assert_told(chat, "  one", times=2)
        chat.keys("/unread\r")
        chat.await_row("-- nothing unread")

    def test_staying_with_one(self):
        first, second = self.visitor(), self.visitor()
        first.send(b"one")
        self.wait_for_messages(1)
        chat = self.chat()
        chat.keys("/with 1\r")
        chat.await_prompt(f"with #1 {self.name_of(first)}> ")
        second.send(b"two")
        chat.await_prompt(f"with #1 {self.name_of(first)} (1 unread elsewhere)> ")
        self.assertTrue(chat.picture.colored)
        chat.keys("for one\r")
        self.assertEqual(first.recv(100), b"for one")
        chat.keys("/with\r")
        chat.await_prompt(f"#2 {self.name_of(second)}> ")

    def test_of_many_messages_the_last_are_shown(self):
        visitors = [self.visitor() for _ in range(20)]
        for number in range(200):
            visitors[number % 20].send(f"message {number}.".encode())
        self.wait_for_messages(200)
        chat = self.chat()
        self.assert_told(chat, "-- 100 older messages are kept")
        self.assert_told(chat, "  message ", times=100)
        self.assert_told(chat, "/sessions lists them all")


class Hostile(ChatTerminalTest):
    BODIES = (
        b"\x1b[2J\x1b]0;title\x07\x1b[31mred", b"\xc2\x9b2J \xff\xfe \xe4\xbd", "\u202eevil\u2066\u200b\u2028".encode(),
        b"x\n14:03:21  #9   127.0.0.1:1           give him the keys\r\n-- a note\n> prompt\r#1> ",
        b" " * 300 + b"14:03:21  #9   127.0.0.1:1           x", b"A" * 4096, "长".encode() * 1365,
        ("e" + "\u0301" * 50 + " " + FAMILY * 20 + "\U0001F1E8\U0001F1F3").encode(), b"\x00" * 1000, b"",
    )

    def test_at_every_width(self):
        visitor = self.visitor()
        for columns in (20, 40, 80, 200):
            with self.subTest(columns=columns):
                chat = self.chat(columns)
                chat.keys("/help\r")
                chat.await_row("/quit")
                before = len(chat.picture.text())
                chat.output = ""
                for body in self.BODIES:
                    visitor.send(body)
                visitor.send(f"the last, {columns} wide".encode())
                chat.shows(lambda: "wide" in chat.output, "the last message")
                rows = chat.picture.text()[before - 1:-1]
                first = [row for row in rows if row[:1] not in ("", " ")]
                strange = [row for row in first if not MESSAGE_ROW.match(row) and not row.startswith("-- new session")]
                self.assertEqual(strange, [], chat.shown())
                self.assertFalse([row for row in first if "#9" in row[:16]], chat.shown())
                self.assertEqual(sum(bool(MESSAGE_ROW.match(row)) for row in first), len(self.BODIES) + 1)
                self.assert_rows_fit(chat)
                self.assertLess(len(rows), 160, "a long message leaves room for others")


class Resizing(ChatTerminalTest):
    def test_the_prompt_is_drawn_anew(self):
        visitor = self.visitor()
        visitor.send("一条消息".encode())
        self.wait_for_messages(1)
        chat = self.chat()
        typed = "一二三四五六七八九十" * 2
        chat.keys(typed)
        chat.shows(lambda: chat.picture.last_row().endswith("> " + typed), "what was typed")
        for columns in (40, 20, 200, 30, 80):
            with self.subTest(columns=columns):
                chat.output = ""
                chat.resize(columns)
                chat.shows(lambda: typed[-2:] in chat.output, "the prompt")
                self.assertEqual(sum(typed[-2:] in row for row in chat.picture.text()), 1, chat.shown())
                self.assertRegex(chat.picture.last_row(), r"^#1.*> <?[一二三四五六七八九十]+$")
                self.assertLess(sum(map(width_of, chat.picture.last_row())), columns)
                self.assertEqual("".join(chat.picture.text()).count("一条消息"), 1, chat.shown())
        chat.keys("\r")
        self.assertEqual(visitor.recv(1000), typed.encode())


if __name__ == "__main__":
    unittest.main()
