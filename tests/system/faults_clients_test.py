"""Clients that are made for bad networks, against listeners that misbehave: resumed transfers, NTP, chat, framed commands."""

import os
import pwd
import re
import struct
import subprocess
import time
import unittest

from tests.conformance.exec_client import packed_request, receive_reply
from tests.conformance.file_client import upload
from tests.conformance.plain_client import connect, datagram_socket
from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.faults import ALLOWED, fault_counters, set_faults
from tests.harness.responders import NTP_REQUEST
from tests.harness.resuming_client import ResumingDownload, ResumingUpload
from tests.harness.stack import Stack
from tests.harness.test_clock import setting

SIZE = 5_000_000
# Of each connection, after which it ends.
CUT_AFTER = 700_000
# From 1900 to 1970 (RFC 868).
ERA = 2_208_988_800

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)


def start(service, *flags, listeners=None):
    """A client of its internal address."""
    program = stack.start_service(service, ALLOWED, *flags, listeners=listeners)
    client = rpc.Client(program.rpc_target)
    unittest.addModuleCleanup(client.close)
    return client


class FileTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = start("file", listeners=["tcp=tcp://127.0.0.1:0"])

    def setUp(self):
        self.addCleanup(set_faults, self.client, "file")
        self.address = stack.address("file", "tcp")

    def cuts(self):
        return fault_counters(self.client, "file", "tcp").connections_cut

    def test_uploads_go_on(self):
        for reset in (False, True):
            with self.subTest(reset=reset):
                set_faults(self.client, "file", "tcp",
                           stream_received={"cut_after_bytes": CUT_AFTER, "cut_with_reset": reset})
                content = os.urandom(SIZE)
                sending = ResumingUpload(self.address, f"up-{reset}", content, f"faults-{reset}")
                self.assertEqual(sending.run()["status"], "ok")
                self.assertEqual((stack.file_root / f"up-{reset}").read_bytes(), content)
                self.assertGreaterEqual(self.cuts(), SIZE // CUT_AFTER)

    def test_downloads_go_on(self):
        content = os.urandom(SIZE)
        with connect(self.address) as client:
            self.assertEqual(upload(client, "down", content)["status"], "ok")
        for reset in (False, True):
            with self.subTest(reset=reset):
                set_faults(self.client, "file", "tcp",
                           stream_sent={"cut_after_bytes": CUT_AFTER, "cut_with_reset": reset})
                receiving = ResumingDownload(self.address, "down")
                receiving.run()
                self.assertEqual(bytes(receiving.content), content)
                self.assertGreaterEqual(self.cuts(), SIZE // CUT_AFTER)
                # Nothing that had passed was lost, and so nothing came twice.
                self.assertEqual(receiving.moved, SIZE)


class NtpTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = start("time", "--test_clock", listeners=["ntp=udp://127.0.0.1:0"])
        clock = setting(leap=rpc.time.LEAP_INDICATOR_NO_WARNING, stratum=3)
        cls.client.time.SetTestClock(rpc.time.SetTestClockRequest(test_clock=clock), timeout=PATIENCE)

    def setUp(self):
        self.addCleanup(set_faults, self.client, "time")

    def exchange(self):
        """When a request was sent, came, was answered, and the answer came: T1 to T4 of RFC 5905."""
        with datagram_socket(stack.address("time", "ntp")) as client:
            sent = time.time()
            client.send(NTP_REQUEST)
            answer = client.recv(1024)
            came = time.time()
        received, answered = (seconds + fraction / 2**32 - ERA
                              for seconds, fraction in (struct.unpack("!II", answer[at:at + 8]) for at in (32, 40)))
        return sent, received, answered, came

    def test_a_delay_is_the_networks(self):
        """Not the service's: it is before the time of arrival, or behind that of the answer."""
        set_faults(self.client, "time", "ntp", datagrams_received={"delay": 0.2})
        sent, received, answered, _ = self.exchange()
        self.assertGreaterEqual(received - sent, 0.2)
        self.assertLess(answered - received, 0.1)
        set_faults(self.client, "time", "ntp", datagrams_sent={"delay": 0.2})
        _, received, answered, came = self.exchange()
        self.assertGreaterEqual(came - answered, 0.2)
        self.assertLess(answered - received, 0.1)

    def test_chronyd_asks_again(self):
        """And takes half of a delay that is in one way alone for the clock's."""
        set_faults(self.client, "time", "ntp", fail_first=1, datagrams_received={"delay": 0.4})
        host, port = stack.address("time", "ntp")[:2]
        user = pwd.getpwuid(os.geteuid()).pw_name
        done = subprocess.run(
            ["chronyd", "-Q", "-U", "-u", user, "-t", "20", f"server {host} port {port} iburst maxsamples 4",
             f"pidfile {stack.directory}/chronyd.pid", "cmdport 0", "bindcmdaddress /"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=True,
            env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin", "LC_ALL": "C"})
        offset = float(re.search(r"System clock wrong by (-?[0-9.]+)", done.stdout).group(1))
        self.assertAlmostEqual(offset, 0.2, delta=0.05)
        self.assertEqual(fault_counters(self.client, "time", "ntp").failed_first, 1)


class ChatTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = start("chat", listeners=["udp=udp://127.0.0.1:0"])

    def setUp(self):
        self.addCleanup(set_faults, self.client, "chat")
        self.visitor = datagram_socket(stack.address("chat", "udp"))
        self.addCleanup(self.visitor.close)
        self.session = "%s:%d" % self.visitor.getsockname()

    def received(self):
        return self.client.service("chat").counters.datagrams_received

    def bodies(self):
        request = rpc.chat.ListMessagesRequest(session_id=self.session)
        return [message.body for message in self.client.chat.ListMessages(request, timeout=PATIENCE).messages]

    def test_what_visitors_write_comes_twice(self):
        set_faults(self.client, "chat", "udp", datagrams_received={"duplication": 1})
        before = self.received()
        self.visitor.send(b"hello")
        wait_until(lambda: self.received() == before + 2, "both")
        self.assertEqual(self.bodies(), [b"hello", b"hello"])

    def test_what_the_desk_answers_is_lost_or_comes_twice(self):
        before = self.received()
        self.visitor.send(b"hello")
        wait_until(lambda: self.received() == before + 1, "it")
        for number, chance in enumerate(("loss", "duplication")):
            set_faults(self.client, "chat", "udp", datagrams_sent={chance: 1})
            request = rpc.chat.SendMessageRequest(session_id=self.session, body=b"%d" % number, operator_name="Ada")
            self.client.chat.SendMessage(request, timeout=PATIENCE)
        self.assertEqual([self.visitor.recv(100), self.visitor.recv(100)], [b"1", b"1"])


class ExecTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = start("exec", listeners=["framed=tcp://127.0.0.1:0", f"framed=unix://{stack.directory}/exec.sock"])

    def test_framing_holds_whatever_the_pieces(self):
        self.addCleanup(set_faults, self.client, "exec")
        for pieces in ({"split_bytes": 3}, {"merge_bytes": 100_000}):
            set_faults(self.client, "exec", stream_received=pieces, stream_sent=pieces)
            # Both know who calls: only this user's commands are run.
            for listener in ("framed", "framed-2"):
                with self.subTest(pieces=pieces, listener=listener):
                    with connect(stack.address("exec", listener)) as client:
                        for number in range(3):
                            client.sendall(packed_request(command=f"cat; echo {number}", stdin=b"from stdin "))
                            header, body = receive_reply(client)
                            self.assertEqual((header["exit_code"], body), (0, b"from stdin %d\n" % number))


if __name__ == "__main__":
    unittest.main()
