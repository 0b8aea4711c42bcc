"""`rawgate top` at a terminal, as the person who watches it sees it."""

import contextlib
import os
import re
import signal
import termios
import time
import unittest

from tests.conformance.plain_client import datagram_socket
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.top_terminal import CTRL_C, CTRL_U, CTRL_Z, DOWN, ENTER, ESCAPE, TopTest

control = rpc.control


class Screen(TopTest):
    def test_every_size(self):
        for columns, rows in ((80, 24), (200, 50), (40, 10), (30, 5)):
            with self.subTest(columns=columns, rows=rows):
                self.stack.address("echo", "tcp")
                top = self.top(columns=columns, rows=rows)
                self.await_row(top, "echo/tcp", "running")
                if rows >= 10:
                    self.await_row(top, "time", "running")
                if columns >= 80:
                    self.await_row(top, "echo/tcp", re.escape("%s:%d" % self.stack.address("echo", "tcp")))
                top.keys("?")
                self.await_text(top, "select" if columns >= 40 else "1 2 3")
                top.keys("q")
                self.assert_ended(top, 0)

    def test_resized_while_it_runs(self):
        top = self.top()
        for columns, rows in ((200, 50), (40, 10), (80, 24)):
            top.picture.resize(columns, rows)
            top.resize(columns, rows)
            self.await_row(top, "echo/tcp", "running")
            if columns == 200:
                self.await_text(top, "REQUESTS")
            # What is at the lowest row.
            top.shows(lambda: len(self.rows(top)) == rows and self.rows(top)[-1].startswith("Enter"), "the keys")

    def test_without_colours(self):
        for environment, words, colored in (({"NO_COLOR": "1"}, (), False), ({}, ("--no-color",), False), ({}, (), True)):
            with self.subTest(environment=environment, words=words):
                top = self.top(*words, **environment)
                self.await_row(top, "echo/udp", "running")
                self.assertEqual(top.picture.colored, colored)
                self.select(top, "echo/udp")

    def test_rates_and_connections(self):
        top = self.top()
        self.await_row(top, "echo/tcp", r"running +0 +0 +0 +0 +0 +0 ")
        client = self.client()
        self.await_row(top, "echo/tcp", r"running +1 +[0-9.]+ +0 +[1-9]\d* +[1-9]\d* +0 ")
        top.keys("2")
        name = "tcp://%s:%d" % client.getsockname()
        self.await_row(top, "echo/tcp", re.escape(name))
        client.close()
        self.await_text(top, r"(?s)^(?!.*%s)" % re.escape(name))

    def test_faults(self):
        top = self.top(columns=100)
        self.assertNotIn("FAULTS", self.rows(top)[3])
        self.rawgate("fault", "set", "echo/udp", "--loss", "100%", "--seed", "7")
        self.await_row(top, "echo/udp", "loss 100%; seed 7")
        self.await_text(top, "1 with faults")
        with contextlib.closing(datagram_socket(self.stack.address("echo", "udp"))) as talker:
            talker.send(b"lost")
        self.select(top, "echo/udp")
        top.keys(ENTER)
        self.await_text(top, "faults so far +1 lost")
        top.keys(ESCAPE)
        self.rawgate("fault", "clear")
        top.shows(lambda: "FAULTS" not in self.rows(top)[3] and self.row_of(top, "echo/udp"), "no faults")

    def test_few_bytes_when_nothing_happens(self):
        """What changes is the clock; a stop of it would be seen."""
        top = self.top()
        self.await_row(top, "echo/tcp", r"running +0 +0 +0 ")
        before = len(top.screen)
        clock = re.search(r"\d\d:\d\d:\d\d", self.rows(top)[0])[0]
        for _ in range(2):
            top.shows(lambda: clock not in self.rows(top)[0], "another time")
            clock = re.search(r"\d\d:\d\d:\d\d", self.rows(top)[0])[0]
        # Ten samples, two seconds: were it all drawn anew, each would take more than this.
        self.assertLess(len(top.screen) - before, 1000)

    def test_events(self):
        top = self.top("--view", "events")
        self.await_text(top, "TIME")
        # Until the watch stands.
        with contextlib.closing(datagram_socket(self.stack.address("echo", "udp"))) as talker:
            def heard():
                talker.send(b"ping")
                talker.recv(10)
                return self.comes(top, r"datagram udp://")
            wait_until(heard, "an event")
        top.keys("/")
        self.await_text(top, "(?m)^/_")
        top.keys("answer")
        top.shows(lambda: not any("datagram" in row for row in self.rows(top)), "answers alone")

    def comes(self, top, pattern):
        top._read(0.1 + time.monotonic())
        top.draw()
        return re.search(pattern, "\n".join(self.rows(top)))


class Keys(TopTest):
    def test_stop_and_start(self):
        top = self.top()
        self.select(top, "echo/tcp")
        top.keys("x")
        self.await_text(top, r"Stop echo/tcp\? Grace in seconds: 5")
        top.keys(ESCAPE)
        self.await_text(top, "nothing was done")
        top.keys("x")
        self.await_text(top, "Grace")
        top.keys(CTRL_U + "0" + ENTER)
        self.await_row(top, "echo/tcp", "stopped")
        self.await_row(top, "echo/udp", "running")
        self.await_text(top, "echo/tcp stopped")
        top.keys("s")
        self.await_row(top, "echo/tcp", "running")
        self.client()

    def test_close(self):
        client = self.client()
        top = self.top()
        top.keys("2")
        self.await_row(top, "echo/tcp", "%s:%d" % client.getsockname())
        self.select(top, "echo/tcp")
        top.keys("c")
        self.await_text(top, r"Close #\d+ of echo/tcp\?")
        top.keys("n")
        self.await_text(top, "nothing was done")
        top.keys("c")
        self.await_text(top, "Close #")
        top.keys("y")
        self.assertEqual(client.recv(1), b"")
        self.await_text(top, r"#\d+ of echo/tcp closed")

    def test_filter_sort_details_and_hold(self):
        top = self.top()
        top.keys("/")
        self.await_text(top, "(?m)^/_")
        top.keys("TIME" + ENTER)
        top.shows(lambda: not self.row_of(top, "echo/tcp") and self.row_of(top, "time/udp"), "only time")
        top.keys(ESCAPE)
        self.await_row(top, "echo/tcp", "running")
        top.keys(">>>")
        self.await_text(top, "by REQ/S")
        self.select(top, "echo")
        top.keys(ENTER)
        self.await_text(top, r"process since +\d{4}-")
        top.keys(ESCAPE)
        self.await_row(top, "echo/tcp", "running")
        top.keys(" ")
        self.await_text(top, "paused")
        client = self.client()
        with contextlib.closing(rpc.client_of(self.stack)) as operator:
            request = control.GetServiceRequest(service="echo")
            wait_until(lambda: operator.control.GetService(request).service.counters.connections_open, "the client")
        top.keys("?")
        self.await_text(top, "hold what is shown")
        top.keys("?")
        self.await_row(top, "echo/tcp", r"running +0 ")
        top.keys(" ")
        self.await_row(top, "echo/tcp", r"running +1 ")
        client.close()

    def test_many_connections_are_shown_page_by_page(self):
        clients = [self.client() for _ in range(40)]
        top = self.top()
        self.select(top, "echo")
        top.keys("w")
        self.await_text(top, r"of echo  page 1\+")
        first, middle, last = ("%s:%d" % clients[index].getsockname() for index in (0, 20, -1))
        self.await_text(top, re.escape(first))
        self.assertNotIn(middle, "\n".join(self.rows(top)))
        top.keys("G" + DOWN)
        self.await_text(top, re.escape(middle))
        self.await_text(top, r"page 2\+")
        self.assertNotIn(first, "\n".join(self.rows(top)))
        top.keys("G" + DOWN)
        self.await_text(top, re.escape(last))
        self.await_text(top, r"page 3\b(?!\+)")
        # That looks at more than a page.
        top.keys("/")
        self.await_text(top, "(?m)^/_")
        top.keys(first)
        top.shows(lambda: first in "\n".join(self.rows(top)[4:-2]), "the first one")
        self.assertNotIn(last, "\n".join(self.rows(top)))


class Ends(TopTest):
    def test_restores_the_terminal(self):
        for end, code in (("q", 0), (CTRL_C, -signal.SIGINT), (signal.SIGTERM, -signal.SIGTERM),
                          (signal.SIGHUP, -signal.SIGHUP), (signal.SIGQUIT, -signal.SIGQUIT)):
            with self.subTest(end=end):
                top = self.top()
                self.assertTrue(top.picture.second)
                self.assertFalse(top.mode()[3] & termios.ECHO)
                if isinstance(end, str):
                    top.keys(end)
                else:
                    top.process.send_signal(end)
                self.assert_ended(top, code)

    def test_stopped_and_continued(self):
        top = self.top()
        top.keys(CTRL_Z)
        wait_until(lambda: top.mode()[3] & termios.ICANON, "the mode of before")
        self.assertEqual(os.waitpid(top.process.pid, os.WUNTRACED)[0], top.process.pid)
        top.shows(lambda: not top.picture.second, "the first screen")
        top.process.send_signal(signal.SIGCONT)
        top.shows(lambda: top.picture.second, "the second screen")
        self.await_row(top, "echo/tcp", "running")
        top.keys("q")
        self.assert_ended(top, 0)

    def test_gateway_goes_and_comes_back(self):
        top = self.top()
        self.stack.programs.pop("gateway").stop()
        self.await_text(top, "gateway lost")
        self.await_row(top, "echo/tcp", "running")
        self.start_gateway()
        self.await_text(top, "listeners running")
        self.client()
        self.await_row(top, "echo/tcp", "running +1")

    def test_service_goes_and_comes_back(self):
        top = self.top()
        self.stack.programs.pop("time").kill()
        self.await_row(top, "time", "unreachable")
        self.await_row(top, "time/udp", "unknown")


if __name__ == "__main__":
    unittest.main()
