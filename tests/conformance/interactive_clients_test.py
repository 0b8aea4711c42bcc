"""The small interactive clients that people have, as they are, at a terminal, with a person who types and reads.

The programs are in classic/: nothing but a socket, a loop and input()."""

import datetime
import pathlib
import unittest

from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack
from tests.harness.terminal import CONTROL_C, CONTROL_D, Terminal

CLASSIC = pathlib.Path(__file__).parent / "classic"

chat = rpc.chat
stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    for service in ("echo", "exec", "time", "file", "chat"):
        stack.start_service(service)
    client = rpc.Client(stack.programs["chat"].rpc_target)
    unittest.addModuleCleanup(client.close)


class InteractiveTest(unittest.TestCase):
    def start(self, program, service, listener):
        terminal = Terminal(["/usr/bin/python3", CLASSIC / f"{program}.py", *stack.address(service, listener)])
        self.addCleanup(terminal.close)
        return terminal

    def leave(self, terminal, word="quit"):
        terminal.type(word)
        self.assertEqual(terminal.wait(), 0)
        self.assertNotIn(b"Traceback", terminal.screen)


class TimeTest(InteractiveTest):
    def test_over_both_families(self):
        for listener in ("udp", "udp-2"):
            with self.subTest(listener=listener):
                terminal = self.start("time_client", "time", listener)
                terminal.expect("quit to leave")
                terminal.type("%Y and %% and 现在")
                terminal.expect(r"Server time: 20\d\d and % and 现在\r\n")
                terminal.expect("quit to leave")
                before = datetime.datetime.now().replace(microsecond=0)
                terminal.type("")
                shown = terminal.expect(r"Server time: ([-\d]+ [:\d]+)\r\n").group(1).decode()
                self.assertTrue(before <= datetime.datetime.strptime(shown, "%Y-%m-%d %H:%M:%S")
                                <= datetime.datetime.now(), shown)
                for number in range(20):
                    terminal.type(f"question {number} %%")
                    terminal.expect(f"Server time: question {number} %\r\n")
                self.leave(terminal)


class EchoTest(InteractiveTest):
    def test_stream(self):
        terminal = self.start("echo_client", "echo", "tcp")
        for said, heard in (("hello", "HELLO"), ("straße 你好", "STRAßE 你好"), ("x" * 500, "X" * 500)):
            terminal.expect(">> ")
            terminal.type(said)
            terminal.expect(f"<< {heard}\r\n")
        self.leave(terminal)

    def test_datagrams(self):
        terminal = self.start("greeting_client", "echo", "udp")
        for said in ("good morning", "", "你好"):
            terminal.expect("say: ")
            terminal.type(said)
            terminal.expect("server says: hi\r\n")
        self.leave(terminal)


class ExecTest(InteractiveTest):
    def test_raw(self):
        terminal = self.start("exec_raw_client", "exec", "raw")
        terminal.expect("command> ")
        terminal.type("echo $((6 * 7))")
        terminal.expect("\r\n42\r\ncommand> ")
        terminal.type("cat /no/such/file")
        terminal.expect("No such file or directory\r\ncommand> ")
        terminal.type("true")  # prints nothing; the client is released all the same
        terminal.expect("\r\n\r\ncommand> ")
        terminal.type("printf '你%s\\n' 好 | tr -d x")
        terminal.expect("\r\n你好\r\ncommand> ")
        self.leave(terminal)

    def test_header(self):
        terminal = self.start("exec_header_client", "exec", "header")
        terminal.expect("command> ")
        for command, output in (("seq 3", "1\r\n2\r\n3\r\n"), ("true", ""), ("printf %d 0x10; echo", "16\r\n")):
            terminal.type(command)
            terminal.expect(f"\r\n{output}md5 is right\r\ncommand> ")
        terminal.type("seq 20000")
        terminal.expect("\r\n19999\r\n20000\r\nmd5 is right\r\ncommand> ")
        self.leave(terminal)


class FileTest(InteractiveTest):
    def test_uploads(self):
        terminal = self.start("file_client", "file", "tcp")
        for name, content in (("empty.bin", b""), ("one.txt", b"1"), ("报告.bin", bytes(range(256)) * 3000)):
            source = stack.scratch / name
            source.write_bytes(content)
            terminal.expect("file to upload> ")
            terminal.type(str(source))
            terminal.expect(f"uploaded {name}\r\n")
            # The client does not await the server's word.
            stored = stack.file_root / name
            wait_until(stored.exists, f"{name} at the server")
            self.assertEqual(stored.read_bytes(), content)
        self.leave(terminal)


class ChatTest(InteractiveTest):
    def setUp(self):
        self.watch = client.chat.WatchMessages(chat.WatchMessagesRequest(after_number=self.last_number()),
                                               timeout=rpc.PATIENCE)
        self.addCleanup(self.watch.cancel)
        while not next(self.watch).caught_up:
            pass

    @staticmethod
    def last_number():
        watch = client.chat.WatchMessages(chat.WatchMessagesRequest(), timeout=rpc.PATIENCE)
        last = 0
        for update in watch:
            if update.caught_up:
                break
            last = update.message.number
        watch.cancel()
        return last

    def hear(self):
        """The next message that an operator is shown from a client."""
        return next(update.message for update in self.watch if update.message.direction == chat.DIRECTION_INBOUND)

    @staticmethod
    def answer(message, text):
        client.chat.SendMessage(chat.SendMessageRequest(session_id=message.session_id, body=text.encode()))

    def test_conversation(self):
        terminal = self.start("chat_client", "chat", "udp")
        terminal.expect("you: ")
        terminal.type("anybody there?")
        message = self.hear()
        self.assertEqual(message.body, b"anybody there?")
        # The person sits at the prompt, and sees it all the same.
        self.answer(message, "Good morning. 早上好")
        terminal.expect(r"127\.0\.0\.1:%d says: Good morning\. 早上好\r\n" % stack.address("chat", "udp")[1])
        terminal.type("你好，我想订一张桌子")
        again = self.hear()
        self.assertEqual((again.body.decode(), again.session_id), ("你好，我想订一张桌子", message.session_id))
        for number in range(20):
            self.answer(again, f"line {number}")
            terminal.expect(f"says: line {number}\r\n")
        self.leave(terminal, "exit")

    def test_two_persons_hear_their_own_answers(self):
        terminals = [self.start("chat_client", "chat", "udp") for _ in range(2)]
        messages = []
        for number, terminal in enumerate(terminals):
            terminal.expect("you: ")
            terminal.type(f"I am {number}")
            messages.append(self.hear())
            self.assertEqual(messages[-1].body, b"I am %d" % number)
        for number in (1, 0):
            self.answer(messages[number], f"for {number} alone")
        for number, terminal in enumerate(terminals):
            terminal.expect(f"says: for {number} alone\r\n")
            self.leave(terminal, "exit")
            self.assertNotIn(b"for %d alone" % (1 - number), terminal.screen)


class LeavingTest(InteractiveTest):
    @staticmethod
    def press_until(terminal, keys, pattern):
        """As people do: Python does not see a key that comes just before input() begins to read."""
        def pressed():
            terminal.press(keys)
            return terminal.comes(pattern, within=1)
        wait_until(pressed, pattern)

    def test_interrupted_clients_harm_nobody(self):
        """Each ends with a traceback, as such programs do; the next one is served."""
        for program, service, listener in (("time_client", "time", "udp"), ("echo_client", "echo", "tcp"),
                                           ("exec_raw_client", "exec", "raw"), ("chat_client", "chat", "udp")):
            for keys in (CONTROL_C, CONTROL_D):
                with self.subTest(program=program, keys=keys):
                    terminal = self.start(program, service, listener)
                    terminal.expect(": |> ")
                    self.press_until(terminal, keys, "KeyboardInterrupt" if keys == CONTROL_C else "EOFError")
                    self.assertNotEqual(terminal.wait(), 0)
        terminal = self.start("echo_client", "echo", "tcp")
        terminal.expect(">> ")
        terminal.type("still there?")
        terminal.expect(r"<< STILL THERE\?")


if __name__ == "__main__":
    unittest.main()
